import { describe, expect, it } from 'vitest';
import { simulateSwitch, switchOptions } from '../helpers/simulate-switch.ts';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 60);

describe('a switch under faults', () => {
  it.each(['small', 'shards'] as const)(
    'leaves what a batch computation of both versions gives: %s',
    async (variant) => {
      const violations: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const result = await simulateSwitch(seed, { variant });
        violations.push(...result.violations.map((text) => `seed ${seed}: ${text}`));
      }
      expect(violations).toEqual([]);
    },
    600_000,
  );

  it('decides with both versions', async () => {
    const result = await simulateSwitch(3);
    const { fingerprint } = switchOptions(3).program(() => undefined);
    const prints = result.world.ledger.items().flatMap(({ f }) => (f === undefined ? [] : [f]));
    expect(prints).toContain(fingerprint);
    expect(prints.filter((print) => !String(print).startsWith(fingerprint)).length).toBeGreaterThan(
      0,
    );
  });
});
