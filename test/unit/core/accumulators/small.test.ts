import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestRatio, scaled } from '../../../../src/batch/exact-number.ts';
import type { Accumulator } from '../../../../src/core/accumulator.ts';
import {
  addExact,
  divideExact,
  encodeExact,
  exactOf,
} from '../../../../src/core/accumulators/exact-sum.ts';
import { first, last } from '../../../../src/core/accumulators/first-last.ts';
import { histogram } from '../../../../src/core/accumulators/histogram.ts';
import { sum } from '../../../../src/core/accumulators/numbers.ts';
import { share } from '../../../../src/core/accumulators/share.ts';
import { stddev, variance } from '../../../../src/core/accumulators/variance.ts';
import { eventsOf, fold, stored } from '../../../helpers/accumulator-laws.ts';
import { readFlights } from '../../../helpers/real-numbers.ts';

function resultOf<Input, State, Result>(
  accumulator: Accumulator<Input, State, Result>,
  inputs: readonly Input[],
): Result {
  return accumulator.result(fold(accumulator, eventsOf(inputs)) as State);
}

const population = { sample: false };
const sample = { sample: true };

describe('exact sums', () => {
  it('are stored as doubles where they are some', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (one) => {
        expect(encodeExact(exactOf(one))).toBe(one + 0);
      }),
    );
    expect(encodeExact(addExact(exactOf(1e300), 1))).toBeInstanceOf(Uint8Array);
    expect(encodeExact({ mantissa: 1n, exponent: 1024 })).toBeInstanceOf(Uint8Array);
    expect(encodeExact({ mantissa: 1n, exponent: -1075 })).toBeInstanceOf(Uint8Array);
  });

  it('are divided exactly, then rounded', () => {
    expect([divideExact(1, 3), divideExact(-1, 3), divideExact(0, 7)]).toEqual([1 / 3, -1 / 3, 0]);
    // A whole number that is a tie between two doubles, and one that is above it by next to nothing.
    const [tie, by] = [2n ** 53n + 1n, 2n ** 80n + 1n];
    const divisor = { mantissa: by, exponent: 0 };
    expect(divideExact({ mantissa: tie * by, exponent: 0 }, divisor)).toBe(2 ** 53);
    expect(divideExact({ mantissa: tie * by + 1n, exponent: 0 }, divisor)).toBe(2 ** 53 + 2);
  });
});

describe('variance', () => {
  const double = fc.double({ min: -1e150, max: 1e150, noNaN: true });
  const value = fc.oneof(double, fc.integer({ min: -9, max: 9 }), fc.constantFrom(1e-150, 5e-324));

  it('is the exact one, rounded once', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 12 }), (values) => {
        const n = BigInt(values.length);
        const total = values.reduce((all, one) => all + scaled(one), 0n);
        const squares = values.reduce((all, one) => all + scaled(one) ** 2n, 0n);
        const top = n * squares - total ** 2n;
        expect(resultOf(variance(population), values)).toBe(nearestRatio(top, n * n, 2));
        expect(resultOf(variance(sample), values)).toBe(nearestRatio(top, n * (n - 1n), 2));
      }),
      { numRuns: 500 },
    );
  });

  it('does not drown in large values', () => {
    const values = [4, 7, 13, 16].map((one) => 1e15 + one);
    expect(resultOf(variance(population), values)).toBe(22.5);
    expect(resultOf(variance(sample), values)).toBe(30);
    expect(resultOf(stddev(sample), values)).toBe(Math.sqrt(30));
  });

  it('of one value is 0, of a sample null; of nothing it is null; of one value many times it is 0', () => {
    expect(resultOf(variance(population), [3])).toBe(0);
    expect(resultOf(variance(sample), [3])).toBeNull();
    expect(resultOf(stddev(sample), [3])).toBeNull();
    expect(resultOf(variance(population), [])).toBeNull();
    expect(
      resultOf(
        variance(sample),
        Array.from({ length: 99 }, () => 0.1),
      ),
    ).toBe(0);
  });

  it('is infinite beyond the largest double, and too small to tell from 0 below the smallest', () => {
    expect(resultOf(variance(population), [1e300, -1e300])).toBe(Number.POSITIVE_INFINITY);
    expect(resultOf(variance(population), [1e-300, -1e-300])).toBe(0);
  });

  it('agrees with two plain passes over real distances', () => {
    const values = readFlights()
      .slice(0, 20_000)
      .map(({ distance }) => distance);
    const mean = values.reduce((all, one) => all + one, 0) / values.length;
    const plain = values.reduce((all, one) => all + (one - mean) ** 2, 0) / values.length;
    expect(Math.abs(Number(resultOf(variance(population), values)) / plain - 1)).toBeLessThan(1e-9);
  });
});

describe('sizes at the worst', () => {
  const worst = Array.from({ length: 300 }, (_, index) => 1.1 * 10 ** (index * 2.05 - 307));
  it.each([
    ['sum', sum()],
    ['variance', variance(population)],
  ])('hold for the %s of doubles of every size', (_name, one) => {
    const accumulator = one as unknown as Accumulator<number, unknown, unknown>;
    const bytes = stored(accumulator, fold(accumulator, eventsOf(worst))).length;
    expect(bytes).toBeLessThanOrEqual(Number(accumulator.size?.max));
    expect(bytes).toBeGreaterThan(Number(accumulator.size?.max) / 2);
  });

  it('hold for the longest text and name that are kept', () => {
    const accumulator = last() as Accumulator<string, unknown, unknown>;
    const state = accumulator.add(accumulator.empty(), 'ü'.repeat(512), 8e15, 'i'.repeat(2_048));
    const bytes = stored(accumulator, state).length;
    expect(bytes).toBeLessThanOrEqual(Number(accumulator.size?.max));
    expect(bytes).toBeGreaterThan(3_072);
  });
});

describe('first and last', () => {
  const events = [
    { input: 'late', at: 3, id: 'b' },
    { input: 'early', at: 1, id: 'c' },
    { input: 'early too', at: 1, id: 'd' },
    { input: 'late too', at: 3, id: 'a' },
    { input: 'of one event', at: 3, id: 'b' },
  ];

  it('go by time, then by id, then by value', () => {
    const [left, right] = [first(), last()].map(
      (one) => one as Accumulator<string, unknown, unknown>,
    );
    expect(left?.result(fold(left, events))).toBe('early');
    expect(right?.result(fold(right, events))).toBe('of one event');
    expect(right?.result(fold(right, events.slice(0, 1)))).toBe('late');
  });

  it('know one zero', () => {
    const any = last() as Accumulator<number, unknown, unknown>;
    const zeros = [0, -0].map((input) => ({ input, at: 1, id: 'a' }));
    expect(stored(any, fold(any, zeros))).toEqual(stored(any, fold(any, zeros.toReversed())));
    expect(any.result(fold(any, zeros.slice(1)))).toBe(0);
  });

  it('of nothing are null, and false and 0 are values', () => {
    expect([resultOf(first(), []), resultOf(last(), [])]).toEqual([null, null]);
    expect([resultOf(first(), [false]), resultOf(last(), [0])]).toEqual([false, 0]);
  });
});

describe('histogram', () => {
  it('counts a value at a bound above it', () => {
    expect(resultOf(histogram([0, 10]), [-0.1, 0, -0, 9.9, 10, 11, 1e300])).toEqual([
      { from: null, to: 0, count: 1 },
      { from: 0, to: 10, count: 3 },
      { from: 10, to: null, count: 3 },
    ]);
  });

  it('stores nothing after the last value', () => {
    const accumulator = histogram([1, 2, 3]);
    const state = accumulator.add(accumulator.empty(), 1.5, 0, '');
    expect(accumulator.encode(state)).toEqual([0, 1]);
    expect(() => accumulator.decode([0, 1, 0])).toThrow('not 0');
    expect(() => accumulator.decode([1, 1, 1, 1, 1])).toThrow('up to 4');
  });
});

describe('share', () => {
  it('is the part that is true, null of nothing', () => {
    expect(resultOf(share(), [true, false, true, true])).toBe(0.75);
    expect(resultOf(share(), [])).toBeNull();
    expect(() => share().decode([2, 1])).toThrow('share');
  });
});
