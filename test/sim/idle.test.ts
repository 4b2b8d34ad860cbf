import { describe, expect, it } from 'vitest';
import { explicitHashKey } from '../../src/core/partition.ts';
import type { SimOptions } from '../../src/sim/schedule.ts';
import type { SimEvent } from '../../src/sim/stream.ts';
import { simEvents } from '../helpers/sim-records.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';
import { envelope, NOON_MS } from '../helpers/world.ts';

const HOUR_MS = 3_600_000;
const IDLE_MS = 5 * 24 * HOUR_MS;

/** Events, five quiet days, and events again of which the first come from before. */
function withIdleDays(seed: number): readonly SimEvent[] {
  const before = simEvents(seed, 30);
  const afterMs = NOON_MS + IDLE_MS;
  const late = [0, 1].map((partition) => ({
    atMs: afterMs + partition,
    partitionKey: `p-${partition}`,
    explicitHashKey: explicitHashKey(partition, 2),
    bytes: envelope({
      sequence: partition,
      id: `late${partition}`,
      data: { place: 'ATL', at: NOON_MS - 40 * HOUR_MS, amount: 1 },
    }),
  }));
  return [
    ...before,
    ...late,
    ...simEvents(seed + 1_000_000, 10, { ids: 'f' }).map((event) => ({
      ...event,
      atMs: event.atMs + IDLE_MS + 10,
    })),
  ];
}

function idle(seed: number, over: Partial<SimOptions> = {}) {
  return simulateSmall(seed, {
    events: withIdleDays(seed),
    expireEveryMs: HOUR_MS,
    faultsForMs: IDLE_MS + 60_000,
    ...over,
  });
}

describe('writers that are idle for longer than a ledger entry lives', () => {
  it('keep their watermark, under faults of the keeper, though expired entries go in no order', async () => {
    let expiries = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const { violations, counts } = await idle(seed, { keepEveryMs: HOUR_MS });
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
