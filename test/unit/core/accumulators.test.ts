import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest, scaled } from '../../../src/batch/exact-number.ts';
import type { Accumulator } from '../../../src/core/accumulator.ts';
import { count, max, mean, min, sum } from '../../../src/core/accumulators/numbers.ts';

type Numbers = Accumulator<number, unknown, unknown>;

/** Any finite double, the awkward ones often. */
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 0.1, -0.1, 1e308, -1e308, 5e-324, 2 ** 53, 2 ** 53 - 1, 1e16, 1),
);
/** Sums beyond the largest double have no result to compare. */
const moderate = double.filter((value) => Math.abs(value) < 1e300);

const ALL = { count: count(), sum: sum(), mean: mean(), min: min(), max: max() } as const;

function fold(accumulator: Numbers, values: readonly number[]): unknown {
  return values.reduce((state, value) => accumulator.add(state, value, 0, ''), accumulator.empty());
}

describe.each(Object.entries(ALL))('%s', (_name, one) => {
  const accumulator = one as Numbers;
  const result = (state: unknown) => accumulator.result(state);

  it('takes the empty state as neutral', () => {
    fc.assert(
      fc.property(fc.array(moderate), (values) => {
        const merged = accumulator.merge(accumulator.empty(), fold(accumulator, values));
        expect(Object.is(result(merged), result(fold(accumulator, values)))).toBe(true);
      }),
    );
  });

  it('gives the same result to the bit in any order and any split', () => {
    fc.assert(
      fc.property(
        fc.array(moderate, { maxLength: 30 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        fc.nat({ max: 30 }),
        (values, chance, at) => {
          const shuffled = values
            .map((value) => ({ value, order: chance.next().value ?? 0 }))
            .sort((left, right) => left.order - right.order)
            .map(({ value }) => value);
          const left = fold(accumulator, shuffled.slice(0, at));
          const right = fold(accumulator, shuffled.slice(at));
          const whole = result(fold(accumulator, values));
          expect(Object.is(result(accumulator.merge(left, right)), whole)).toBe(true);
          expect(Object.is(result(accumulator.merge(right, left)), whole)).toBe(true);
        },
      ),
    );
  });

  it('merges associatively', () => {
    const some = fc.array(moderate, { maxLength: 8 });
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        const [x, y, z] = [a, b, c].map((values) => () => fold(accumulator, values));
        const left = accumulator.merge(accumulator.merge(x?.(), y?.()), z?.());
        const right = accumulator.merge(x?.(), accumulator.merge(y?.(), z?.()));
        expect(Object.is(result(left), result(right))).toBe(true);
      }),
    );
  });

  it('comes back from its stored form as it was', () => {
    fc.assert(
      fc.property(fc.array(moderate), (values) => {
        const stored = JSON.parse(JSON.stringify(accumulator.encode(fold(accumulator, values))));
        const decoded = accumulator.decode(stored);
        expect(Object.is(result(decoded), result(fold(accumulator, values)))).toBe(true);
        expect(accumulator.encode(decoded)).toEqual(stored);
      }),
    );
  });

  it.each([[{}], ['no such state'], [[1]], [true]])('refuses the stored form %j', (stored) => {
    expect(() => accumulator.decode(stored as never)).toThrow();
  });
});

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
