import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainDistinct } from '../../../../src/batch/plain-distinct.ts';
import type { Accumulator } from '../../../../src/core/accumulator.ts';
import {
  COUNTED_MAX,
  distinct,
  STANDARD_ERROR,
} from '../../../../src/core/accumulators/distinct.ts';
import {
  addToken,
  mergeRegister,
  REGISTERS,
  TOKEN_MAX,
  tokenOf,
} from '../../../../src/core/accumulators/exa-log-log.ts';
import type { Scalar } from '../../../../src/core/accumulators/scalar.ts';
import {
  eventsOf,
  expectEqualStates,
  fold,
  foldSomehow,
  stored,
} from '../../../helpers/accumulator-laws.ts';
import { readRoutes } from '../../../helpers/real-numbers.ts';

const accumulator = distinct() as Accumulator<Scalar, unknown, number>;
const countOf = (values: readonly Scalar[]) =>
  accumulator.result(fold(accumulator, eventsOf(values)));

function names(count: number, prefix = ''): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

const half = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constantFrom(0, 1, 0x3ff, 0x3ffffff),
);

describe('a token', () => {
  it('tells the register and the rank that the hash itself tells', () => {
    fc.assert(
      fc.property(half, half, (high, low) => {
        const bits = [high, low].map((word) => word.toString(2).padStart(32, '0')).join('');
        const zeros = /^0*/.exec(bits.slice(0, 54))?.[0].length ?? 0;
        const registers = new Uint32Array(REGISTERS);
        const token = tokenOf({ high, low });
        addToken(registers, token);

        expect(token).toBeLessThanOrEqual(TOKEN_MAX);
        const index = Number.parseInt(bits.slice(-8), 2);
        const rank = 4 * zeros + Number.parseInt(bits.slice(-10, -8), 2) + 1;
        expect(registers[index]).toBe(rank * 2 ** 24);
        expect(registers.filter((register) => register !== 0)).toHaveLength(1);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a register', () => {
  it('holds the highest rank and which of the 24 below it were seen', () => {
    const rank = fc.integer({ min: 1, max: 220 });
    fc.assert(
      fc.property(fc.array(rank, { minLength: 1, maxLength: 30 }), (ranks) => {
        const register = ranks.reduce((all, one) => mergeRegister(all, one * 2 ** 24), 0);
        const highest = Math.max(...ranks);
        // The highest bit stands for the rank next below.
        const below = Array.from({ length: 24 }, (_, index) => highest - 1 - index);
        const bits = below.map((one) => (ranks.includes(one) ? '1' : '0'));
        expect(register >>> 24).toBe(highest);
        expect((register & 0xffffff).toString(2).padStart(24, '0')).toBe(bits.join(''));
      }),
    );
  });
});

describe('distinct', () => {
  it('is exact for up to 255 values, however often they come', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(fc.array(value, { maxLength: COUNTED_MAX }), (values) => {
        expect(countOf([...values, ...values])).toBe(new Set(values).size);
      }),
    );
    expect(countOf(names(COUNTED_MAX))).toBe(COUNTED_MAX);
  });

  it('tells texts, numbers and booleans apart, and halves of characters', () => {
    expect(countOf([1, '1', true, 'true', 0, -0, false, '', '\ud800', '\udfff', '\ufffd'])).toBe(
      10,
    );
  });

  it('is about right for real routes', () => {
    const routes = readRoutes().map(({ origin, destination }) => `${origin}-${destination}`);
    const exact = new Set(routes).size;
    expect(exact).toBe(2_977);
    expect(Math.abs(countOf(routes) / exact - 1)).toBeLessThan(2 * STANDARD_ERROR);
    expect(
      Math.abs(countOf(routes.slice(0, 700)) / new Set(routes.slice(0, 700)).size - 1),
    ).toBeLessThan(2 * STANDARD_ERROR);
  });

  it.each([
    ['300 values', 300, 100],
    ['3,000 values', 3_000, 60],
    ['20,000 values', 20_000, 15],
  ])('has no more than its standard error over many sets of %s', (_name, count, sets) => {
    const errors = names(sets, 'set ').map(
      (set) => countOf(names(count, `${set} value `)) / count - 1,
    );
    const square = errors.reduce((sum, error) => sum + error ** 2, 0) / sets;
    const bias = errors.reduce((sum, error) => sum + error, 0) / sets;
    expect(Math.sqrt(square)).toBeLessThan(STANDARD_ERROR * 1.2);
    expect(Math.abs(bias)).toBeLessThan((3 * STANDARD_ERROR) / Math.sqrt(sets));
  });

  it.each([200, 255, 256, 257, 600, 5_000])(
    'is the same to the bit in any order and any tree of merges of %i values',
    (count) => {
      const values = names(count);
      const whole = fold(accumulator, eventsOf(values));
      for (let seed = 1; seed <= 5; seed += 1) {
        const twice = eventsOf([...values, ...values.slice(0, 100)]);
        expectEqualStates(accumulator, foldSomehow(accumulator, twice, seed), whole);
      }
      expect(accumulator.result(whole)).toBe(plainDistinct(values).value);
      expect(stored(accumulator, whole).length).toBeLessThanOrEqual(1_027);
    },
  );

  it('takes as many bytes as it has to, and changes its form after 255 values', () => {
    const bytes = (count: number) => stored(accumulator, fold(accumulator, eventsOf(names(count))));
    expect([1, 10, 255, 256, 3_000].map((count) => bytes(count).length)).toEqual([
      6, 42, 1_023, 1_027, 1_027,
    ]);
  });

  it('leaves what it merges as it was, in both forms', () => {
    const make = (count: number) => fold(accumulator, eventsOf(names(count, `${count} `)));
    for (const [one, other] of [
      [10, 400],
      [400, 10],
      [400, 500],
      [200, 201],
    ]) {
      const [left, right] = [make(Number(one)), make(Number(other))];
      accumulator.merge(left, right);
      expectEqualStates(accumulator, left, make(Number(one)));
      expectEqualStates(accumulator, right, make(Number(other)));
    }
  });

  it.each([
    ['half a word', new Uint8Array(6)],
    ['too many words', new Uint8Array(1_028)],
    ['tokens that descend', Uint8Array.from([0, 0, 0, 2, 0, 0, 0, 1])],
    ['no token', Uint8Array.from([255, 255, 255, 255])],
  ])('refuses %s', (_name, bytes) => {
    expect(() => accumulator.decode(bytes)).toThrow('distinct');
  });
});
