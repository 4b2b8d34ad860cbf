import { explicitHashKey } from '../../src/core/partition.ts';
import type { SimEvent } from '../../src/sim/stream.ts';
import { simEvents } from './sim-records.ts';
import type { SmallOptions } from './simulate-small.ts';
import { envelope, NOON_MS } from './world.ts';

const HOUR_MS = 3_600_000;

/** How long nothing comes: longer than a ledger entry lives, milliseconds. */
export const IDLE_MS = 5 * 24 * HOUR_MS;

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

/** The small pipeline with such a pause, the keeper each hour, and expired entries deleted. */
export function idleOptions(seed: number): SmallOptions {
  return {
    events: withIdleDays(seed),
    keepEveryMs: HOUR_MS,
    expireEveryMs: HOUR_MS,
    faultsForMs: IDLE_MS + 60_000,
  };
}
