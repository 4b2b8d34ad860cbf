import type { Accumulator } from '../accumulator.ts';
import {
  addExact,
  decodeExact,
  type ExactSum,
  encodeExact,
  exactOf,
  roundExact,
  SUM_BYTES_MAX,
} from './exact-sum.ts';
import { listIn, naturalIn, numberIn } from './stored.ts';

/** How many. The input is ignored, but null is skipped like everywhere. Result: 0 to 2^53 - 1. */
export function count(): Accumulator<unknown, number, number> {
  return {
    name: 'count-1',
    size: { typical: 2, max: 9 },
    empty: () => 0,
    add: (state) => state + 1,
    merge: (left, right) => left + right,
    encode: (state) => state,
    decode: (encoded) => naturalIn('count', encoded),
    result: (state) => state,
  };
}

/** The exact sum, rounded once to the nearest double for the result; 0 for none. */
export function sum(): Accumulator<number, ExactSum, number> {
  return {
    name: 'sum-2',
    size: { typical: 4, max: SUM_BYTES_MAX },
    empty: () => 0,
    add: (state, input) => addExact(state, exactOf(input)),
    merge: addExact,
    encode: encodeExact,
    decode: decodeExact,
    result: roundExact,
  };
}

/** The state of a mean. */
export interface MeanState {
  readonly sum: ExactSum;
  readonly count: number;
}

/** The exact sum, rounded, divided by the count and rounded again; null for none. */
export function mean(): Accumulator<number, MeanState, number | null> {
  return {
    name: 'mean-2',
    size: { typical: 6, max: SUM_BYTES_MAX + 10 },
    empty: () => ({ sum: 0, count: 0 }),
    add: (state, input) => ({ sum: addExact(state.sum, exactOf(input)), count: state.count + 1 }),
    merge: (left, right) => ({
      sum: addExact(left.sum, right.sum),
      count: left.count + right.count,
    }),
    encode: (state) => [encodeExact(state.sum), state.count],
    decode: (encoded) => {
      const [total, number] = listIn('mean', encoded, 2);
      return { sum: decodeExact(total), count: naturalIn('mean', number) };
    },
    result: (state) => (state.count === 0 ? null : roundExact(state.sum) / state.count),
  };
}

/** The least number; null for none. Negative zero counts as zero. */
export function min(): Accumulator<number, number | null, number | null> {
  return extreme('min-1', (left, right) => (right < left ? right : left));
}

/** The greatest number; null for none. Negative zero counts as zero. */
export function max(): Accumulator<number, number | null, number | null> {
  return extreme('max-1', (left, right) => (right > left ? right : left));
}

function extreme(
  name: string,
  choose: (left: number, right: number) => number,
): Accumulator<number, number | null, number | null> {
  return {
    name,
    size: { typical: 3, max: 9 },
    empty: () => null,
    // Adding 0 turns -0 into 0: equal states have one form.
    add: (state, input) => (state === null ? input + 0 : choose(state, input + 0)),
    merge: (left, right) => {
      if (left === null || right === null) return left ?? right;
      return choose(left, right);
    },
    encode: (state) => state,
    decode: (encoded) => (encoded === null ? null : numberIn(name, encoded)),
    result: (state) => state,
  };
}
