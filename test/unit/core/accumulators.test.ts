import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest, scaled } from '../../../src/batch/exact-number.ts';
import type { Accumulator } from '../../../src/core/accumulator.ts';
import { distinct } from '../../../src/core/accumulators/distinct.ts';
import { first, last } from '../../../src/core/accumulators/first-last.ts';
import { histogram } from '../../../src/core/accumulators/histogram.ts';
import { count, max, mean, min, sum } from '../../../src/core/accumulators/numbers.ts';
import { quantiles } from '../../../src/core/accumulators/quantiles.ts';
import { share } from '../../../src/core/accumulators/share.ts';
import { topK, WEIGHT_MAX, WEIGHT_MIN } from '../../../src/core/accumulators/top-k.ts';
import { stddev, variance } from '../../../src/core/accumulators/variance.ts';
import { eventsOf, fold as foldEvents, itHoldsTheLaws } from '../../helpers/accumulator-laws.ts';

type Numbers = Accumulator<number, unknown, unknown>;

/** Any finite double, the awkward ones often. */
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 0.1, -0.1, 1e308, -1e308, 5e-324, 2 ** 53, 2 ** 53 - 1, 1e16, 1),
);
/** Sums beyond the largest double have no result to compare. */
const moderate = double.filter((value) => Math.abs(value) < 1e300);
const small = fc.integer({ min: -20, max: 20 });
const number = fc.oneof(double, small);

/** Texts are few, so that they come again; halves of characters are among them. */
const text = fc.oneof(fc.constantFrom('', 'a', 'b', '1', 'true', '\ud800', '\udfff'), fc.string());
const scalar = fc.oneof(text, small, double, fc.boolean());
const weighted = fc.record({
  key: scalar,
  weight: fc.oneof(
    fc.constant(1),
    fc.constantFrom(0.1, 3, WEIGHT_MIN, WEIGHT_MAX),
    fc.double({ min: WEIGHT_MIN, max: WEIGHT_MAX, noNaN: true }),
  ),
});

const NUMBERS: Readonly<Record<string, Accumulator<number, never, unknown>>> = {
  count: count() as never,
  sum: sum() as never,
  mean: mean() as never,
  min: min() as never,
  max: max() as never,
  variance: variance({ sample: false }) as never,
  'variance of a sample': variance({ sample: true }) as never,
  stddev: stddev({ sample: false }) as never,
  percentiles: quantiles([0, 50, 99.9, 100]) as never,
  histogram: histogram([-10, 0, 0.5, 100]) as never,
};

describe.each(Object.entries(NUMBERS))('%s', (_name, accumulator) => {
  itHoldsTheLaws({ accumulator: accumulator as never, input: number });
});

describe('share', () => {
  itHoldsTheLaws({ accumulator: share() as never, input: fc.boolean() });
});

const SCALARS = { first: first(), last: last(), distinct: distinct() } as const;

describe.each(Object.entries(SCALARS))('%s', (_name, accumulator) => {
  itHoldsTheLaws({ accumulator: accumulator as never, input: scalar });
});

describe('topK', () => {
  itHoldsTheLaws({ accumulator: topK(3) as never, input: weighted });
});

function fold(accumulator: Numbers, values: readonly number[]): unknown {
  return foldEvents(accumulator, eventsOf(values));
}

describe('exactness', () => {
  it('the sum is the exact sum, rounded once', () => {
    fc.assert(
      fc.property(fc.array(moderate, { maxLength: 50 }), (values) => {
        const exact = nearest(values.reduce((total, value) => total + scaled(value), 0n));
        expect(Object.is(sum().result(fold(sum() as Numbers, values) as never), exact)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('0.1 ten times is 1, and 1e16 + 1 - 1e16 is 1', () => {
    const total = (values: number[]) => sum().result(fold(sum() as Numbers, values) as never);
    expect(total(Array.from({ length: 10 }, () => 0.1))).toBe(1);
    expect(total([1e16, 1, -1e16])).toBe(1);
  });

  it('the sum of nothing is 0, the mean, the least and the greatest are null', () => {
    expect(sum().result(sum().empty())).toBe(0);
    expect([mean().result(mean().empty()), min().empty(), max().empty()]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe('the plain exact sums that results are checked with', () => {
  it('give back every double', () => {
    fc.assert(
      fc.property(double, (value) => {
        expect(nearest(scaled(value))).toBe(value + 0);
      }),
    );
  });

  it('round a tie to even', () => {
    expect(nearest(scaled(2 ** 53) + scaled(1))).toBe(2 ** 53);
    expect(nearest(scaled(2 ** 53) + scaled(3))).toBe(2 ** 53 + 4);
    expect(nearest(scaled(2 ** 53) + scaled(1) + 1n)).toBe(2 ** 53 + 2);
  });
});
