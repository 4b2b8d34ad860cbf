import type { WriterShare } from './lanes.ts';

/** One writer's batches at a rate. */
export interface WriterFlow extends WriterShare {
  /** Events a second. */
  readonly rate: number;
  /** Ledger entries a second, and events in each. */
  readonly entries: number;
  readonly events: number;
}

/** Writers that are looked at; others are told from these. */
const WRITERS_MAX = 4;

/** Some writers, and by what their use is to be multiplied to stand for all. */
export interface Looked {
  readonly flows: readonly WriterFlow[];
  readonly scale: number;
}

/** Some writers in the order of their rates, the busiest among them. */
export function lookedAt(flows: readonly WriterFlow[]): Looked {
  const sorted = [...flows].sort((left, right) => right.rate - left.rate);
  const step = Math.max(1, sorted.length / WRITERS_MAX);
  const some = Array.from(
    { length: Math.min(WRITERS_MAX, sorted.length) },
    (_, index) => sorted[Math.floor(index * step)],
  ).flatMap((one) => (one === undefined ? [] : [one]));
  const all = flows.reduce((sum, { rate }) => sum + rate, 0);
  const rate = some.reduce((sum, one) => sum + one.rate, 0);
  return { flows: some, scale: rate === 0 ? 1 : all / rate };
}
