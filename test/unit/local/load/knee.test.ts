import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  kneeOf,
  type LoadStep,
  nextRate,
  type SearchOptions,
  tooMuch,
} from '../../../../src/local/load/knee.ts';
import type { LatencySummary } from '../../../../src/local/load/latencies.ts';

const OPTIONS: SearchOptions = { p99Ms: 5_000, firstRate: 100, mostRate: 100_000, refinements: 3 };
const FAST: LatencySummary = { count: 1, p50: 1, p90: 1, p99: 1, p999: 1, max: 1, points: [] };

function step(rate: number, over: Partial<LoadStep> = {}): LoadStep {
  const all = { offered: 100, taken: 100, finished: 100, refused: 0, seconds: 1, growthMs: 0 };
  return { rate, ...all, put: FAST, result: FAST, ...over };
}

/** A system that takes so much and then queues. */
function searched(capacity: number, options = OPTIONS): readonly LoadStep[] {
  const steps: LoadStep[] = [];
  for (let rate = nextRate(steps, options); rate !== undefined; rate = nextRate(steps, options)) {
    steps.push(step(rate, rate > capacity ? { growthMs: 2_000 } : {}));
  }
  return steps;
}

it('the search ends close below what a system takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 90_000 }), (capacity) => {
      const steps = searched(capacity);
      const knee = kneeOf(steps, OPTIONS)?.rate ?? 0;
      expect(knee).toBeLessThanOrEqual(capacity);
      // Three halvings of one doubling.
      expect(capacity / knee).toBeLessThan(2 ** (1 / 8) * 1.02);
      expect(steps.length).toBeLessThanOrEqual(15);
    }),
  );
});

it('a system that takes nothing has no knee, one that takes all ends at the most', () => {
  expect(searched(50).map(({ rate }) => rate)).toEqual([100]);
  expect(kneeOf(searched(50), OPTIONS)).toBeUndefined();
  expect(searched(10 ** 9, { ...OPTIONS, mostRate: 350 }).map(({ rate }) => rate)).toEqual([
    100, 200, 350,
  ]);
});

describe('a rate is too much', () => {
  it.each([
    ['not taken', { taken: 90 }, '10 events were not taken in time'],
    ['not stored', { finished: 95 }, '5 results were not stored in time'],
    ['a queue that grows', { growthMs: 1_500 }, 'results came 1,500 ms later and later'],
    ['late', { result: { ...FAST, p99: 6_000 } }, 'p99 is 6,000 ms, the limit 5,000 ms'],
  ])('%s', (_name, over, expected) => {
    expect(tooMuch(step(1, over), OPTIONS)).toBe(expected);
    expect(tooMuch(step(1), OPTIONS)).toBeUndefined();
  });
});
