import type { Encoded } from '../accumulator.ts';
import type { Hash64 } from '../hash.ts';
import { addExact, compareExact, decodeExact, type ExactSum, encodeExact } from './exact-sum.ts';
import { listIn } from './stored.ts';

/**
 * Weights of any number of keys in 1,024 sums (Cormode and Muthukrishnan, "An improved data stream summary:
 * the count-min sketch and its applications", 2005): each key adds its weight to one sum of each of four
 * rows, and its weight is at most the least of them. As sums are exact, a sketch follows from the weights
 * alone, in whatever order they came.
 */
export type CountMin = ExactSum[];

const ROWS = 4;

/** Sums of a row: one for each value of a byte of the key's hash. */
const WIDTH = 256;

/**
 * Share of the total weight that a key's estimate is too high by at most, with a probability of 98 %
 * (1 - e^-rows); it is never too low.
 */
export const EXCESS_MAX = Math.E / WIDTH;

/** The sketch of nothing. */
export function emptySketch(): CountMin {
  return Array.from({ length: ROWS * WIDTH }, () => 0);
}

/** Adds a key's weight, in place. */
export function addWeight(sketch: CountMin, hash: Hash64, weight: ExactSum): void {
  for (const cell of cellsOf(hash)) sketch[cell] = addExact(sketch[cell] ?? 0, weight);
}

/** The sketch of both sets of weights. */
export function mergeSketches(left: CountMin, right: CountMin): CountMin {
  return left.map((sum, cell) => addExact(sum, right[cell] ?? 0));
}

/** What a key weighs at most. */
export function weightOf(sketch: CountMin, hash: Hash64): ExactSum {
  const sums = cellsOf(hash).map((cell) => sketch[cell] ?? 0);
  return sums.reduce((least, sum) => (compareExact(sum, least) < 0 ? sum : least));
}

/** What all keys weigh together: exactly, as each weight is in one sum of each row. */
export function totalOf(sketch: CountMin): ExactSum {
  return sketch.slice(0, WIDTH).reduce((total, sum) => addExact(total, sum), 0);
}

/** The sums, row by row. */
export function encodeSketch(sketch: CountMin): Encoded {
  return sketch.map(encodeExact);
}

/** @throws InvariantError when `encodeSketch` can't have written it */
export function decodeSketch(encoded: Encoded | undefined): CountMin {
  return listIn('count-min', encoded, ROWS * WIDTH).map(decodeExact);
}

function cellsOf({ low }: Hash64): readonly number[] {
  return [low >>> 24, (low >>> 16) & 0xff, (low >>> 8) & 0xff, low & 0xff].map(
    (byte, row) => row * WIDTH + byte,
  );
}
