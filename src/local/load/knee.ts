import type { LatencySummary } from './latencies.ts';

/** One rate that was tried. */
export interface LoadStep {
  /** Events a second that were due, on average. */
  readonly rate: number;
  readonly seconds: number;
  /** Events that were due. */
  readonly offered: number;
  /** Of them, acknowledged by the stream. */
  readonly taken: number;
  /** Records that the stream refused; each was sent again. */
  readonly refused: number;
  /** Of the taken ones, those whose result was stored before the wait for them was over. */
  readonly finished: number;
  /** From when an event was due until the stream had it. */
  readonly put: LatencySummary;
  /** From when an event was due until its result was stored. */
  readonly result: LatencySummary;
  /** How much later the median result of the last third was than that of the first, milliseconds. */
  readonly growthMs: number;
}

/** What a rate has to keep. */
export interface LoadLimits {
  /** The 99th percentile from due to stored, milliseconds. */
  readonly p99Ms: number;
}

/** Where the search goes. */
export interface SearchOptions extends LoadLimits {
  readonly firstRate: number;
  readonly mostRate: number;
  /** Rates tried between the last good and the first bad one. */
  readonly refinements: number;
}

/** A queue that grows by more than this over a step is one that goes on growing, milliseconds. */
const GROWTH_MS = 1_000;

/** Why a rate is too much, or undefined where it is not. */
export function tooMuch(step: LoadStep, { p99Ms }: LoadLimits): string | undefined {
  const { offered, taken, finished, result, growthMs } = step;
  if (taken < offered) return `${count(offered - taken)} events were not taken in time`;
  if (finished < taken) return `${count(taken - finished)} results were not stored in time`;
  if (growthMs > GROWTH_MS) return `results came ${count(growthMs)} ms later and later`;
  if (result.p99 > p99Ms) return `p99 is ${count(result.p99)} ms, the limit ${count(p99Ms)} ms`;
  return undefined;
}

/**
 * The rate to try next, undefined where the search is over: doubled until it is too much, then halfway (in
 * the logarithm) between the best and the first that was too much.
 */
export function nextRate(steps: readonly LoadStep[], options: SearchOptions): number | undefined {
  const { firstRate, mostRate, refinements } = options;
  if (steps.length === 0) return firstRate;
  const good = kneeOf(steps, options)?.rate;
  const bad = Math.min(
    ...steps.filter((step) => tooMuch(step, options) !== undefined).map(({ rate }) => rate),
  );
  if (good === undefined) return undefined;
  if (bad === Number.POSITIVE_INFINITY) {
    return good >= mostRate ? undefined : Math.min(mostRate, good * 2);
  }
  const refined = steps.length - 1 - steps.findIndex((step) => tooMuch(step, options));
  return refined >= refinements ? undefined : Math.round(Math.sqrt(good * bad));
}

/** The highest rate below the first that was too much; undefined where none held. */
export function kneeOf(steps: readonly LoadStep[], limits: LoadLimits): LoadStep | undefined {
  const bad = steps.filter((step) => tooMuch(step, limits) !== undefined).map(({ rate }) => rate);
  const first = Math.min(...bad);
  return steps
    .filter(({ rate }) => rate < first)
    .reduce<LoadStep | undefined>(
      (best, step) => (best === undefined || step.rate > best.rate ? step : best),
      undefined,
    );
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
