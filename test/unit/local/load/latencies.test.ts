import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Latencies } from '../../../../src/local/load/latencies.ts';

it('percentiles are those of the sorted latencies, to three digits', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000_000), { minLength: 1, maxLength: 300 }), (all) => {
      const latencies = new Latencies();
      for (const ms of all) latencies.add(ms);
      const sorted = [...all].sort((left, right) => left - right);
      const at = (share: number) => sorted[Math.ceil((share / 100) * sorted.length) - 1] ?? 0;
      const { p50, p90, p99, max, count } = latencies.summary;
      expect(count).toBe(all.length);
      for (const [got, share] of [
        [p50, 50],
        [p90, 90],
        [p99, 99],
        [max, 100],
      ] as const) {
        expect(Math.abs(got - at(share))).toBeLessThanOrEqual(1 + at(share) / 1_000);
      }
    }),
  );
});

it('what is before its time counts as nothing, what takes longer than an hour as an hour', () => {
  const latencies = new Latencies();
  latencies.add(-5);
  latencies.add(10 ** 9);
  expect(latencies.summary.points[0]).toEqual([0, 0]);
  expect(latencies.summary.max).toBeGreaterThan(3_590_000);
});

it('nothing measured is nothing, not an error', () => {
  expect(new Latencies().summary).toMatchObject({ count: 0, p50: 0, max: 0, points: [] });
});
