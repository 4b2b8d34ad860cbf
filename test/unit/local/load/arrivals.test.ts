import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeSeededRandom } from '../../../../src/adapters/memory/random.ts';
import { Arrivals } from '../../../../src/local/load/arrivals.ts';

const startMs = Date.UTC(2026, 10, 20);

function arrivals(rate: number, seconds: number, seed = 1): Arrivals {
  return new Arrivals({ startMs, rate, seconds, random: makeSeededRandom(seed) });
}

it('about as many events are due as the rate says, as a Poisson process has them', () => {
  const due = arrivals(500, 100).due(Number.POSITIVE_INFINITY);
  // Four standard deviations of the count.
  expect(Math.abs(due.length - 50_000)).toBeLessThan(4 * Math.sqrt(50_000));
  const gaps = due.slice(1).map((ms, index) => ms - (due[index] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  // The deviation of exponential gaps is their mean.
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
});

it('when one looks changes nothing: the loop is open', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12_000), { maxLength: 20 }), fc.nat(1_000), (looks, seed) => {
      const looked = arrivals(20, 10, seed);
      const ordered = [...looks].sort((left, right) => left - right);
      const times = ordered.flatMap((ms) => looked.due(startMs + ms));
      times.push(...looked.due(Number.POSITIVE_INFINITY));
      expect(times).toEqual(arrivals(20, 10, seed).due(Number.POSITIVE_INFINITY));
      expect(looked.isOpen).toBe(false);
      expect(times.every((ms) => ms > startMs && ms < startMs + 10_000)).toBe(true);
    }),
  );
});
