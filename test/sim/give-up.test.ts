import { describe, expect, it } from 'vitest';
import type { SimOptions } from '../../src/sim/schedule.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 100);

/** A mapping that gives up: after some tries, after a minute, or both. */
function impatient(seed: number): SimOptions['settings'] {
  const limits = { retriesMax: seed % 3, recordAgeMaxMs: seed % 2 > 0 ? 60_000 : -1 };
  return { batchSize: 12, windowMs: 1_000, bisect: seed % 2 === 0, ...limits };
}

describe('a mapping that gives up', () => {
  it('breaks a promise', async () => {
    let broken = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { violations, fates } = await simulateSmall(seed, { settings: impatient(seed) });
      if (fates['given up'] === undefined) continue;
      broken += 1;
      expect(violations.join()).toMatch(/was given up by the mapping/);
    }
    expect(broken).toBeGreaterThan(SEEDS / 3);
  }, 120_000);

  it('leaves what it gave up, whole, in the failure destination, and everything else exact', async () => {
    let given = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const allowed = { settings: impatient(seed), givesUp: 'allowed' } as const;
      const { violations, counts } = await simulateSmall(seed, allowed);
      expect(violations, `seed ${seed}`).toEqual([]);
      given += counts['given up'] ?? 0;
    }
    expect(given).toBeGreaterThan(SEEDS);
  }, 120_000);
});
