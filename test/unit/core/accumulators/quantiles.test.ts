import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSeededRandom } from '../../../../src/adapters/memory/random.ts';
import { plainQuantiles } from '../../../../src/batch/plain-quantiles.ts';
import type { Accumulator } from '../../../../src/core/accumulator.ts';
import { BIN_MAX, BIN_MIN, binOf, middleOf } from '../../../../src/core/accumulators/log-bins.ts';
import {
  BINS_MAX,
  quantiles,
  RELATIVE_ERROR_MAX,
} from '../../../../src/core/accumulators/quantiles.ts';
import {
  eventsOf,
  expectEqualStates,
  fold,
  foldSomehow,
  stored,
} from '../../../helpers/accumulator-laws.ts';
import { readFlights } from '../../../helpers/real-numbers.ts';

const PERCENTS = [0, 0.1, 1, 5, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100];
const accumulator = quantiles(PERCENTS) as Accumulator<number, unknown, Record<string, number>>;

function sort(values: readonly number[]): readonly number[] {
  return [...values].sort((left, right) => left - right);
}

/** The worst relative error over the percents. */
function worstError(values: readonly number[], percents: readonly number[] = PERCENTS): number {
  const found = accumulator.result(fold(accumulator, eventsOf(values)));
  const order = sort(values);
  return Math.max(
    ...percents.map((percent) => {
      const exact = Number(order[Math.floor((percent * (order.length - 1)) / 100)]);
      const off = Math.abs(Number(found[`p${percent}`]) - exact);
      return off === 0 ? 0 : off / Math.abs(exact);
    }),
  );
}

describe('the bins', () => {
  const positive = fc.double({ min: 2 ** -1022, max: Number.MAX_VALUE, noNaN: true });

  it('have a middle within 1 % of every value', () => {
    fc.assert(
      fc.property(positive, (value) => {
        expect(Math.abs(middleOf(binOf(value)) - value)).toBeLessThanOrEqual(0.009902 * value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are in the order of the values', () => {
    fc.assert(
      fc.property(positive, positive, (left, right) => {
        const [less, more] = [Math.min(left, right), Math.max(left, right)];
        expect(binOf(less)).toBeLessThanOrEqual(binOf(more));
      }),
    );
  });

  it('begin at the powers of two, and end with the doubles', () => {
    for (let power = -1022; power <= 1023; power += 1) {
      expect(binOf(2 ** power)).toBe(35 * power);
      if (power > -1022) expect(binOf(2 ** power * (1 - 2 ** -53))).toBe(35 * power - 1);
    }
    let start = 1;
    for (let bin = 0; bin < 35; bin += 1) {
      expect([binOf(start), binOf(start * (1 - 2 ** -53))]).toEqual([bin, bin - 1]);
      start *= 2 ** (1 / 35);
    }
    expect([binOf(2 ** -1022), binOf(Number.MAX_VALUE)]).toEqual([BIN_MIN, BIN_MAX]);
    expect(middleOf(BIN_MAX)).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

describe('quantiles', () => {
  it('are within 1 % of the exact ones of real delays and distances', () => {
    const flights = readFlights();
    expect(flights.length).toBe(200_000);
    expect(worstError(flights.map(({ delay }) => delay))).toBeLessThanOrEqual(RELATIVE_ERROR_MAX);
    expect(worstError(flights.map(({ distance }) => distance))).toBeLessThanOrEqual(
      RELATIVE_ERROR_MAX,
    );
  });

  const random = makeSeededRandom(1);
  const uniform = Array.from({ length: 5_000 }, () => random.next() * 1_000);
  it.each([
    ['ascending', sort(uniform)],
    ['descending', sort(uniform).toReversed()],
    ['the same again and again', uniform.map(() => 0.1)],
    ['negative', uniform.map((value) => -value)],
    ['zero, mostly', uniform.map((value) => (value < 999 ? 0 : value))],
    ['whole', uniform.map(Math.round)],
    [
      '1e-300 to 1e300 in 500 steps',
      Array.from({ length: 500 }, (_, at) => 10 ** (at * 1.2 - 300)),
    ],
    ['of both signs and any size', uniform.map((value, at) => (-1) ** at * Math.exp(value / 50))],
    ['at the edges of the bins', Array.from({ length: 700 }, (_, at) => 2 ** (at / 35))],
  ])('are near the exact ones where values are %s', (_name, values) => {
    expect(worstError(values)).toBeLessThanOrEqual(RELATIVE_ERROR_MAX);
  });

  it('are within 1 % of the exact ones of any values', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    const value = fc.oneof(double, fc.integer({ min: -100, max: 100 }));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
        const normal = values.map((one) => (Math.abs(one) < 2 ** -1022 ? 0 : one));
        expect(worstError(normal)).toBeLessThanOrEqual(RELATIVE_ERROR_MAX);
      }),
    );
  });

  it('of one, of two and of equal values are these values', () => {
    const result = (values: number[]) => accumulator.result(fold(accumulator, eventsOf(values)));
    expect(result([16.1])).toMatchObject({ p0: 16.1, p50: 16.1, p100: 16.1 });
    expect(result([0.1, 0.1, 0.1])).toMatchObject({ p50: 0.1 });
    expect(result([-7, -7, -7, -7])).toMatchObject({ p50: -7 });
    expect(result([-3.3, 1e300])).toMatchObject({ p0: -3.3, p50: -3.3, p100: 1e300 });
  });

  it('of nothing are null', () => {
    expect(quantiles([50, 99]).result(quantiles([50, 99]).empty())).toEqual({
      p50: null,
      p99: null,
    });
  });
});

describe('quantiles of values that need too many bins', () => {
  const random = makeSeededRandom(2);
  const values = Array.from(
    { length: 6_000 },
    (_, at) => (at % 3 === 0 ? -1 : 1) * 10 ** (random.next() * 600 - 300),
  );

  it('are the same to the bit in any order and any tree of merges', () => {
    const whole = fold(accumulator, eventsOf(values));
    for (let seed = 1; seed <= 10; seed += 1) {
      expectEqualStates(accumulator, foldSomehow(accumulator, eventsOf(values), seed), whole);
    }
    const straight = plainQuantiles(sort(values), PERCENTS);
    expect(accumulator.result(whole)).toEqual(straight.value);
  });

  it('are within 1 % in the bins that are kept, and too far from zero in the others', () => {
    // A third is negative. Of each sign the bins farthest from zero are kept.
    const kept = [0.1, 1, 5, 90, 95, 99, 99.9, 99.99, 100];
    expect(worstError(values, kept)).toBeLessThanOrEqual(RELATIVE_ERROR_MAX);
    const found = accumulator.result(fold(accumulator, eventsOf(values)));
    const exact = sort(values)[Math.floor(0.5 * (values.length - 1))];
    expect(Number(found['p50'])).toBeGreaterThan(Number(exact) * 2);
  });

  it('stay within their size for ten million million values', () => {
    let state = fold(accumulator, eventsOf(values));
    for (let doubling = 0; doubling < 30; doubling += 1) state = accumulator.merge(state, state);
    const bytes = stored(accumulator, state).length;
    expect(bytes).toBeLessThanOrEqual(Number(accumulator.size?.max));
    expect(bytes).toBeGreaterThan(2 * BINS_MAX * 4);
  });
});
