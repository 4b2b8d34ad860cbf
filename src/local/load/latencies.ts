import { build, type Histogram } from 'hdr-histogram-js';

/** Longest latency that is told apart, milliseconds: an hour. */
const MS_MAX = 3_600_000;

/** Shares of the events, percent. */
export const PERCENTILES = [50, 90, 99, 99.9, 100] as const;

/** Latencies of some events, milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Points of the whole distribution: [percentile, milliseconds], with more points towards its end. */
  readonly points: readonly (readonly [percentile: number, ms: number])[];
}

/**
 * Latencies from when an event was due, not from when it could be sent: so nothing is left out while the
 * system holds the sender up (Tene: How NOT to Measure Latency). Kept to three digits by HdrHistogram.
 */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MS_MAX,
    numberOfSignificantValueDigits: 3,
  });

  /** @param ms clocks of two machines may differ: less than nothing counts as nothing */
  add(ms: number): void {
    this.#histogram.recordValue(Math.min(MS_MAX, Math.max(0, Math.round(ms))));
  }

  get summary(): LatencySummary {
    const at = (percentile: number) =>
      this.#histogram.totalCount === 0 ? 0 : this.#histogram.getValueAtPercentile(percentile);
    return {
      count: this.#histogram.totalCount,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: at(100),
      points: percentilesUpTo(this.#histogram.totalCount).map((one) => [one, at(one)] as const),
    };
  }
}

/** 0, 10, ... 90, 91, ... 99, 99.1, ... as far as so many events can tell. */
function percentilesUpTo(count: number): readonly number[] {
  const percentiles: number[] = [];
  for (let rest = 100; rest * count >= 100 && rest > 0.0001; rest /= 10) {
    for (let step = 0; step < 9; step += 1) percentiles.push(100 - rest + (step * rest) / 10);
  }
  return count === 0 ? [] : [...percentiles, 100];
}
