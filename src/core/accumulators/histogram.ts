import type { Accumulator } from '../accumulator.ts';
import { listIn, misread, naturalIn } from './stored.ts';

/** Bounds that a histogram may have. */
export const BOUNDS_MAX = 100;

/** How many values are in [from, to). */
export interface Bucket {
  /** Null: no lower bound. */
  readonly from: number | null;
  /** Null: no upper bound. */
  readonly to: number | null;
  readonly count: number;
}

/**
 * How many values fall between the bounds.
 *
 * @param bounds 1 to 100 numbers, ascending: n of them make n + 1 buckets
 */
export function histogram(
  bounds: readonly number[],
): Accumulator<number, readonly number[], readonly Bucket[]> {
  const buckets = bounds.length + 1;
  return {
    name: 'histogram-1',
    size: { typical: 2 + buckets, max: 3 + 9 * buckets },
    empty: () => Array.from({ length: buckets }, () => 0),
    add: (counts, input) => {
      const bucket = bucketOf(bounds, input);
      return counts.with(bucket, (counts[bucket] ?? 0) + 1);
    },
    merge: (left, right) => left.map((count, index) => count + (right[index] ?? 0)),
    encode: (counts) => counts.slice(0, counts.findLastIndex((count) => count > 0) + 1),
    decode: (encoded) => {
      const stored = listIn('histogram', encoded).map((count) => naturalIn('histogram', count));
      if (stored.length > buckets || stored.at(-1) === 0) {
        throw misread('histogram', encoded, `up to ${buckets} counts, the last one not 0`);
      }
      return Array.from({ length: buckets }, (_, index) => stored[index] ?? 0);
    },
    result: (counts) =>
      counts.map((count, index) => ({
        from: bounds[index - 1] ?? null,
        to: bounds[index] ?? null,
        count,
      })),
  };
}

/** How many bounds are at or below the value. */
function bucketOf(bounds: readonly number[], value: number): number {
  const above = bounds.findIndex((bound) => value < bound);
  return above < 0 ? bounds.length : above;
}
