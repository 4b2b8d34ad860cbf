import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import { NO_FAULTS } from '../../../src/sim/faults.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import { envelope, NOON_MS } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';

const HOUR_MS = 3_600_000;
const HORIZON_MS = 1_800_000;
const FUTURE_MS = 300_000;
/** The longest that an event is on its way. */
const LATENCY_MS = 32;
const EVENTS = 50;

/** What was sent in one partition so far. */
interface Lane {
  watermarkMs: number;
  readonly sent: { readonly atMs: number; readonly id: string; readonly bytes: Uint8Array }[];
}

/**
 * Events on both sides of every border, a millisecond apart: ends of windows, of lateness, of the time
 * that may lie ahead, of the horizon of repeats. Times before 1970 too.
 */
export const EDGES: Schedule = {
  name: 'edges',
  seeds: 20,
  run: async (seed) => {
    const events = edgeEvents(seed);
    const { violations } = await simulateSmall(seed, { events, faults: NO_FAULTS });
    return violations;
  },
};

type Below = (count: number) => number;

function edgeEvents(seed: number): readonly SimEvent[] {
  const random = makeSeededRandom(seed);
  const below: Below = (count) => Math.floor(random.next() * count);
  const lanes: Lane[] = [0, 1].map(() => ({ watermarkMs: Number.NEGATIVE_INFINITY, sent: [] }));
  const events: SimEvent[] = [];
  let atMs = NOON_MS;
  for (let index = 0; index < EVENTS; index += 1) {
    const partition = below(2);
    const lane = lanes[partition];
    const before = below(4) === 0 ? lane?.sent[below(lane.sent.length)] : undefined;
    const beyondMs = (before?.atMs ?? 0) + HORIZON_MS + below(2 * LATENCY_MS) - LATENCY_MS;
    const waits = beyondMs > atMs && below(3) > 0;
    atMs = waits ? beyondMs : atMs + ([0, 1, 1_000, 60_000][below(4)] ?? 0);
    if (lane === undefined) continue;
    const bytes = bytesOf(lane, { atMs, index, before }, below);
    const partitionKey = `p-${partition}`;
    events.push({ atMs, partitionKey, explicitHashKey: explicitHashKey(partition, 2), bytes });
  }
  return events;
}

/** A repeat of the one before, another event under its id, or a new event. */
function bytesOf(
  lane: Lane,
  {
    atMs,
    index,
    before,
  }: { atMs: number; index: number; before: Lane['sent'][number] | undefined },
  below: Below,
): Uint8Array {
  const id = before?.id ?? `e${index}`;
  const at = below(9) === 0 ? -HOUR_MS * below(3) - below(2) : timeOf(lane, atMs, below);
  const data = { place: ['ATL', 'ORD'][below(2)], at, amount: below(3) === 0 ? null : below(9) };
  const isSame = before !== undefined && below(3) > 0;
  const bytes = isSame ? before.bytes : envelope({ sequence: index, data, id });
  lane.sent.push({ atMs, id, bytes });
  if (at <= atMs + FUTURE_MS) lane.watermarkMs = Math.max(lane.watermarkMs, at);
  return bytes;
}

function timeOf(lane: Lane, atMs: number, below: Below): number {
  const offMs = below(3) - 1;
  switch (below(4)) {
    case 0:
      // It arrives up to 30 ms after it is due.
      return atMs + FUTURE_MS + below(LATENCY_MS);
    case 1:
      return Math.floor(atMs / HOUR_MS) * HOUR_MS - HOUR_MS * below(3) + offMs;
    case 2:
      // The window of an hour ends so that its lateness is over now, or nearly.
      return Number.isFinite(lane.watermarkMs) ? lane.watermarkMs - 2 * HOUR_MS + offMs : atMs;
    default:
      return atMs - below(2 * HOUR_MS);
  }
}
