import { type Datum, type MetricName, metricKey } from './metric.ts';
import { statistic } from './statistics.ts';

/** Points of a metric or an expression, one a period, oldest first; undefined where there is no data. */
export type Series = readonly (number | undefined)[];

/** Periods that follow each other. */
export interface Periods {
  /** Where the last period ends, milliseconds since 1970; it belongs to no period itself. */
  readonly endMs: number;
  readonly lengthMs: number;
  /** How many, 1 or more. */
  readonly count: number;
}

/** Values of one metric that are kept; older ones go. */
const VALUES_MAX = 200_000;

interface Samples {
  readonly times: number[];
  readonly values: number[];
}

/**
 * The metrics of a local run. Keeps each value, so that percentiles are exact.
 *
 * Invariant: the times of a metric never fall; a datum that comes late is put where it belongs.
 */
export class MetricStore {
  readonly #metrics = new Map<string, Samples>();

  /** Adds values; what is not finite is left out, as PutMetricData refuses it. */
  add({ values, atMs, ...metric }: Datum): void {
    const key = metricKey(metric);
    const samples = this.#metrics.get(key) ?? { times: [], values: [] };
    this.#metrics.set(key, samples);
    for (const value of values.filter(Number.isFinite)) {
      const index = firstAfter(samples.times, atMs);
      samples.times.splice(index, 0, atMs);
      samples.values.splice(index, 0, value);
    }
    const excess = samples.times.length - VALUES_MAX;
    if (excess <= 0) return;
    samples.times.splice(0, excess);
    samples.values.splice(0, excess);
  }

  /** True when the metric ever had a value. */
  has(metric: MetricName): boolean {
    return this.#metrics.has(metricKey(metric));
  }

  /** A statistic of a metric over periods. */
  series(metric: MetricName, statisticName: string, periods: Periods): Series {
    const { endMs, lengthMs, count } = periods;
    const samples = this.#metrics.get(metricKey(metric)) ?? { times: [], values: [] };
    return Array.from({ length: count }, (_, index) => {
      const startMs = endMs - (count - index) * lengthMs;
      const from = firstAtLeast(samples.times, startMs);
      const to = firstAtLeast(samples.times, startMs + lengthMs);
      return statistic(statisticName, samples.values.slice(from, to));
    });
  }
}

/** Index of the first time that is at least so late. */
function firstAtLeast(times: readonly number[], timeMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index behind all that are at or before the time; most values come in order. */
function firstAfter(times: readonly number[], timeMs: number): number {
  let index = times.length;
  while (index > 0 && (times[index - 1] ?? 0) > timeMs) index -= 1;
  return index;
}
