import { describe, expect, it } from 'vitest';
import { makeSeededRandom } from '../../../../src/adapters/memory/random.ts';
import type { ColumnInput } from '../../../../src/batch/columns.ts';
import { plainTop } from '../../../../src/batch/plain-top.ts';
import type { Accumulator } from '../../../../src/core/accumulator.ts';
import {
  COST_MAX,
  type TopEntry,
  topK,
  WEIGHT_MAX,
  WEIGHT_MIN,
  type WeightedKey,
} from '../../../../src/core/accumulators/top-k.ts';
import {
  eventsOf,
  expectEqualStates,
  type Folded,
  fold,
  foldSomehow,
  stored,
} from '../../../helpers/accumulator-laws.ts';
import { readRoutes } from '../../../helpers/real-numbers.ts';

type Top = Accumulator<WeightedKey, unknown, readonly TopEntry[]>;
type Events = readonly Folded<WeightedKey>[];

const top = (k: number) => topK(k) as Top;
const topOf = (k: number, events: Events) => top(k).result(fold(top(k), events));
const keysOf = (keys: readonly (string | number)[]) =>
  eventsOf(keys.map((key) => ({ key, weight: 1 })));

/** The exact answer, heaviest first. */
function exactly(events: Events): readonly (readonly [key: unknown, weight: number])[] {
  const sums = new Map<unknown, number>();
  for (const { input } of events) sums.set(input.key, (sums.get(input.key) ?? 0) + input.weight);
  return [...sums].sort(
    (left, right) => right[1] - left[1] || (String(left[0]) < String(right[0]) ? -1 : 1),
  );
}

function plainly(events: Events, k: number): unknown {
  const inputs = events.map(
    ({ input, at, id }): ColumnInput => ({
      value: input.key,
      weight: input.weight,
      timeMs: at,
      name: id,
    }),
  );
  const { value, doubt } = plainTop(inputs, k);
  expect(doubt).toBeUndefined();
  return value;
}

describe('topK of few keys', () => {
  it('is exact for the airports of real flights', () => {
    const events = keysOf(readRoutes().map(({ origin }) => origin));
    const best = exactly(events).slice(0, 10);
    expect(topOf(10, events)).toEqual(best.map(([key, weight]) => ({ key, weight, error: 0 })));
  });

  it('adds up weights exactly, and orders equal ones by their key', () => {
    const events = eventsOf([
      ...Array.from({ length: 10 }, () => ({ key: 'tenths', weight: 0.1 })),
      { key: 'b', weight: 0.5 },
      { key: 'b', weight: 0.5 },
      { key: 1, weight: 1 },
      { key: true, weight: 1 },
      { key: 'light', weight: WEIGHT_MIN },
      { key: 'heavy', weight: WEIGHT_MAX },
      { key: 'heavy', weight: 200 },
    ]);
    expect(topOf(10, events)).toEqual([
      { key: 'heavy', weight: WEIGHT_MAX + 256, error: 0 },
      { key: true, weight: 1, error: 0 },
      { key: 1, weight: 1, error: 0 },
      { key: 'b', weight: 1, error: 0 },
      { key: 'tenths', weight: 1, error: 0 },
      { key: 'light', weight: WEIGHT_MIN, error: 0 },
    ]);
  });

  it('keeps every key as long as they fit, and the first one more makes the difference', () => {
    const fitting = Array.from({ length: COST_MAX / 24 }, (_, index) => `k${1_000_000 + index}`);
    expect(topOf(1, keysOf([...fitting, 'k1000000']))).toEqual([
      { key: 'k1000000', weight: 2, error: 0 },
    ]);
    expect(topOf(1, keysOf([...fitting, 'one more']))[0]?.error).toBeGreaterThan(0);
  });

  it('of nothing is empty', () => {
    expect(topOf(3, [])).toEqual([]);
  });
});

/** Key 0 is the most frequent, key n has 1 / (n + 1) of it (Zipf). */
function zipf(keys: number, events: number, seed: number): readonly string[] {
  const random = makeSeededRandom(seed);
  const sums: number[] = [];
  for (let key = 0; key < keys; key += 1) sums.push((sums.at(-1) ?? 0) + 1 / (key + 1));
  return Array.from({ length: events }, () => {
    const at = random.next() * (sums.at(-1) ?? 0);
    return `page ${sums.findIndex((sum) => sum > at)}`;
  });
}

describe('topK of too many keys', () => {
  const events = keysOf(zipf(10_000, 12_000, 1));

  it('is the same to the bit in any order and any tree of merges', () => {
    const whole = fold(top(20), events);
    for (let seed = 1; seed <= 4; seed += 1) {
      expectEqualStates(top(20), foldSomehow(top(20), events, seed), whole);
    }
    expect(top(20).result(whole)).toEqual(plainly(events, 20));
  });

  it('has every key of 2 % of the weight, never too low and hardly ever too high', () => {
    const found = new Map(topOf(100, events).map((entry) => [entry.key as unknown, entry]));
    const exact = exactly(events);
    const heavy = exact.filter(([, weight]) => weight >= 0.02 * events.length);
    expect(heavy.length).toBeGreaterThan(3);
    for (const [key] of heavy) expect(found.has(key)).toBe(true);
    const compared = exact.filter(([key]) => found.has(key));
    expect(compared.every(([key, weight]) => Number(found.get(key)?.weight) >= weight)).toBe(true);
    const tooHigh = compared.filter(([key, weight]) => {
      const entry = found.get(key);
      return Number(entry?.weight) > weight + Number(entry?.error);
    });
    expect(tooHigh.length).toBeLessThanOrEqual(0.02 * found.size);
    expect(topOf(5, events).map(({ key }) => key)).toEqual(exact.slice(0, 5).map(([key]) => key));
  });

  const rare = Array.from({ length: 12_000 }, (_, index) => `rare ${index}`);
  const often = Array.from({ length: 500 }, () => 'often');
  it.each([
    ['first', [...often, ...rare]],
    ['last', [...rare, ...often]],
    ['in between', rare.flatMap((key, index) => (index % 24 === 0 ? [key, 'often'] : [key]))],
  ])('finds a key of 4 percent of the events that come %s', (_name, keys) => {
    const [first] = topOf(1, keysOf(keys));
    expect(first?.key).toBe('often');
    expect(first?.weight).toBeGreaterThanOrEqual(500);
    expect(first?.weight).toBeLessThanOrEqual(500 + Number(first?.error));
  });

  it('finds one event that weighs as much as thousands', () => {
    const light = Array.from({ length: 8_000 }, (_, index) => ({
      key: index,
      weight: 0.5 + (index % 7),
    }));
    const weighted = eventsOf([...light, { key: 'elephant', weight: 5_000 }]);
    expect(topOf(1, weighted)[0]?.key).toBe('elephant');
    expect(topOf(50, weighted)).toEqual(plainly(weighted, 50));
  });

  it('stays within its size with the longest keys and weights of any size', () => {
    const random = makeSeededRandom(3);
    const weighted = eventsOf(
      Array.from({ length: 4_000 }, (_, index) => ({
        key: index % 2 === 0 ? index + 0.1 : `${index}`.padEnd(20 + (index % 5) * 50, 'x'),
        weight: 2 ** (random.next() * 100 - 40),
      })),
    );
    let state = fold(top(3), weighted);
    for (let doubling = 0; doubling < 50; doubling += 1) state = top(3).merge(state, state);
    expect(stored(top(3), state).length).toBeLessThanOrEqual(Number(top(3).size?.max));
    const exact = fold(top(3), weighted.filter((_, index) => index % 2 === 0).slice(0, 999));
    expect(stored(top(3), exact).length).toBeLessThanOrEqual(Number(top(3).size?.max));
  });

  it('keeps the keys from the lowest level from which on they fit', () => {
    const keys = Array.from({ length: COST_MAX / 24 }, (_, index) => `k${1_000_000 + index}`);
    const fitting = top(1).decode([keys.flatMap((key) => [key, 1, 50])]);
    const merged = top(1).merge(fitting, top(1).decode([['less', 5, 10]]));
    const [kept, threshold] = top(1).encode(merged) as [string[], number];
    expect(kept.filter((value) => typeof value === 'string')).toEqual(keys);
    expect(threshold).toBe(11);
    expect(top(1).result(merged)[0]?.key).not.toBe('less');
  });

  it('leaves what it merges as it was', () => {
    const few = () => fold(top(3), events.slice(0, 20));
    const many = () => fold(top(3), events);
    for (const [left, right] of [
      [few, many],
      [many, few],
      [many, many],
    ] as const) {
      const [one, other] = [left(), right()];
      top(3).add(top(3).merge(one, other), { key: 'more', weight: 7 }, 0, 'more');
      expectEqualStates(top(3), one, left());
      expectEqualStates(top(3), other, right());
    }
  });

  it.each([
    ['a key that comes twice', [['a', 1, 40, 'a', 1, 40]]],
    ['half an entry', [['a', 1]]],
    ['a sketch of another size', [['a', 40], 3, [1, 2, 3]]],
    ['a level that is none', [['a', 1, -1]]],
  ])('refuses %s', (_name, encoded) => {
    expect(() => top(3).decode(encoded)).toThrow();
  });
});
