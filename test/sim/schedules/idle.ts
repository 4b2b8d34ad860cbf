import { explicitHashKey } from '../../../src/core/partition.ts';
import { onlyFaults } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { simEvents } from '../../helpers/sim-records.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import { envelope, NOON_MS } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';

const HOUR_MS = 3_600_000;
const IDLE_MS = 5 * 24 * HOUR_MS;

/** Events, quiet days, and events again of which the first come from before. */
function withIdleDays(seed: number, idleMs: number): readonly SimEvent[] {
  const before = simEvents(seed, 30);
  const afterMs = NOON_MS + idleMs;
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
  const after = simEvents(seed + 1_000_000, 10, { ids: 'f' });
  return [
    ...before,
    ...late,
    ...after.map((event) => ({ ...event, atMs: event.atMs + idleMs + 10 })),
  ];
}

/** Writers that are idle for longer than a ledger entry lives keep their watermark, thanks to the keeper. */
export const IDLE: Schedule = {
  name: 'idle',
  seeds: 10,
  run: async (seed) => {
    const { violations } = await simulateSmall(seed, {
      events: withIdleDays(seed, IDLE_MS),
      keepEveryMs: HOUR_MS,
      expireEveryMs: HOUR_MS,
      faultsForMs: IDLE_MS + 60_000,
    });
    return violations;
  },
};

/**
 * A container that was idle for longer than an entry lives, and less than two do: the entry after the last
 * that it knows has come and gone.
 */
export const IDLE_SHORT: Schedule = {
  name: 'idle short',
  seeds: 10,
  run: async (seed) => {
    const idleMs = (28 + 2 * seed) * HOUR_MS;
    const { violations } = await simulateSmall(seed, {
      events: withIdleDays(seed, idleMs),
      shards: 1,
      settings: { batchSize: 3, windowMs: 0, parallelization: 2 },
      faults: { ...onlyFaults(['loseCheckpoint', 'slow']), loseCheckpoint: 0.3, slow: 0.1 },
      policies: { ...PLAIN_POLICIES, warm: seed % 2 === 0 ? 'first' : 'last' },
      keepEveryMs: HOUR_MS,
      expireEveryMs: HOUR_MS,
      faultsForMs: 60_000,
    });
    return violations;
  },
};
