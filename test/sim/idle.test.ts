import { describe, expect, it } from 'vitest';
import type { SimOptions } from '../../src/sim/schedule.ts';
import { IDLE_MS, idleOptions } from '../helpers/idle-days.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';

function idle(seed: number, over: Partial<SimOptions> = {}) {
  return simulateSmall(seed, { ...idleOptions(seed), ...over });
}

describe('writers that are idle for longer than a ledger entry lives', () => {
  it('keep their watermark, under faults of the keeper, though expired entries go in no order', async () => {
    let expiries = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const { violations, counts } = await idle(seed);
      expect(violations, `seed ${seed}`).toEqual([]);
      expect(counts.keeper).toBeGreaterThan(100);
      expiries += counts.expiry ?? 0;
    }
    expect(expiries).toBeGreaterThan(40);
  }, 60_000);

  it('would forget it without the keeper: the simulation finds that', async () => {
    const violations: string[] = [];
    const never = { keepEveryMs: 100 * IDLE_MS, policies: { expiryLateMs: 0 } };
    for (let seed = 1; seed <= 10; seed += 1) {
      violations.push(...(await idle(seed, never)).violations);
    }
    expect(violations.length).toBeGreaterThan(0);
  }, 60_000);
});
