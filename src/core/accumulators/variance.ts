import type { Accumulator } from '../accumulator.ts';
import {
  addExact,
  decodeExact,
  divideExact,
  type ExactSum,
  encodeExact,
  exactOf,
  multiplyExact,
  SUM_BYTES_MAX,
} from './exact-sum.ts';
import { listIn, naturalIn } from './stored.ts';

/** What the variance follows from, all of it exact. */
export interface Moments {
  readonly count: number;
  readonly sum: ExactSum;
  readonly squares: ExactSum;
}

/** Which variance. */
export interface VarianceOptions {
  /** True: of a sample, divided by one less than the count. Default: of all values, divided by the count. */
  readonly sample: boolean;
}

/**
 * The mean square of the distance from the mean, exact and then rounded once; null for none, and of a
 * sample for one value. Beyond the largest double it is infinite.
 */
export function variance(options: VarianceOptions): Accumulator<number, Moments, number | null> {
  return {
    name: 'variance-1',
    size: { typical: 12, max: 3 * SUM_BYTES_MAX + 16 },
    empty: () => ({ count: 0, sum: 0, squares: 0 }),
    add: (state, input) => {
      const value = exactOf(input);
      return {
        count: state.count + 1,
        sum: addExact(state.sum, value),
        squares: addExact(state.squares, multiplyExact(value, value)),
      };
    },
    merge: (left, right) => ({
      count: left.count + right.count,
      sum: addExact(left.sum, right.sum),
      squares: addExact(left.squares, right.squares),
    }),
    encode: ({ count, sum, squares }) => [count, encodeExact(sum), encodeExact(squares)],
    decode: (encoded) => {
      const [count, sum, squares] = listIn('variance', encoded, 3);
      return {
        count: naturalIn('variance', count),
        sum: decodeExact(sum),
        squares: decodeExact(squares),
      };
    },
    result: (state) => varianceOf(state, options),
  };
}

/** The square root of the variance, each rounded once. */
export function stddev(options: VarianceOptions): Accumulator<number, Moments, number | null> {
  const squared = variance(options);
  return {
    ...squared,
    name: 'stddev-1',
    result: (state) => {
      const value = squared.result(state);
      return value === null ? null : Math.sqrt(value);
    },
  };
}

function varianceOf({ count, sum, squares }: Moments, { sample }: VarianceOptions): number | null {
  const divisor = sample ? count - 1 : count;
  if (divisor < 1) return null;
  const left = multiplyExact(count, squares);
  const right = multiplyExact(multiplyExact(sum, sum), -1);
  return divideExact(addExact(left, right), multiplyExact(count, divisor));
}
