import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { explicitHashKey } from '../../src/core/partition.ts';
import { makeAggregate } from '../../src/handlers/aggregate.ts';
import type { Random } from '../../src/ports/random.ts';
import type { SimEvent } from '../../src/sim/stream.ts';
import { envelope, NOON_MS } from './world.ts';

const HOUR_MS = 3_600_000;

/** Which events are made besides good ones, as shares from 0 to 1. */
export interface RecordMix {
  readonly repeats?: number;
  readonly bad?: number;
  readonly late?: number;
  readonly future?: number;
  /** Events that end the function's process when they are transformed. */
  readonly killers?: number;
  /** Event times go with the clock (default), or an hour further with each three events, as in a backlog. */
  readonly pace?: 'live' | 'backlog';
  /** Events whose partition key names no partition. */
  readonly strays?: number;
  /** Events that are packed into one record with others of their key. */
  readonly aggregated?: number;
  /** Starts the ids; default `e`. */
  readonly ids?: string;
  /** Who orders them: partitions (default), or the shards that foreign partition keys lead to. */
  readonly writers?: 'partitions' | 'shards';
}

/** Partition keys of foreign producers. */
const FOREIGN_KEYS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'] as const;

/** Events of the small pipeline in two partitions, one each 200 ms, made from a seed. */
export function simEvents(seed: number, count: number, mix: RecordMix = {}): SimEvent[] {
  const { repeats = 0.1, bad = 0.1, late = 0.05, future = 0.03, killers = 0 } = mix;
  const { strays = 0.02, aggregated = 0, ids = 'e', writers = 'partitions' } = mix;
  const random = makeSeededRandom(seed);
  const pick = (share: number) => random.next() < share;
  const events: SimEvent[] = [];
  /** An event that was made for each partition: ids are told apart within a partition only. */
  const made = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const atMs = NOON_MS + index * 200;
    const earlier = events[Math.floor(random.next() * events.length)];
    if (earlier !== undefined && pick(repeats)) {
      events.push({ ...earlier, atMs });
      continue;
    }
    const place = pick(killers) ? 'killer' : ['ATL', 'ORD', 'SFO'][Math.floor(random.next() * 3)];
    const { newestMs, disorderMs } = paceOf(mix, index, count);
    const lagMs = pick(late) ? 30 * HOUR_MS : Math.floor(random.next() * disorderMs);
    const at = pick(future) ? atMs + 48 * HOUR_MS : newestMs - lagMs;
    const amount = pick(0.1) ? null : random.next() * 100 - 20;
    const data = { place, at, amount };
    const keys = keysOf(random, writers, strays);
    const { partitionKey } = keys;
    const bytes = pick(bad)
      ? badBytes(`${ids}${index}`, `${ids}${made.get(partitionKey) ?? index}`, random.next(), data)
      : envelope({ sequence: index, data, id: `${ids}${index}` });
    made.set(partitionKey, index);
    events.push({ atMs, ...keys, bytes });
  }
  return aggregate(events, random, aggregated);
}

/** The latest event time at an event, and how far behind it the usual ones come. */
function paceOf({ pace = 'live' }: RecordMix, index: number, count: number) {
  if (pace === 'live') return { newestMs: NOON_MS + index * 200, disorderMs: HOUR_MS };
  return {
    newestMs: NOON_MS - Math.round(((count - index) * HOUR_MS) / 3),
    disorderMs: 4 * HOUR_MS,
  };
}

/** Packs runs of events of one key into one record, as the Kinesis Producer Library does. */
function aggregate(events: readonly SimEvent[], random: Random, share: number): SimEvent[] {
  const packed: SimEvent[] = [];
  const open = new Map<string, SimEvent[]>();
  const close = (key: string) => {
    const some = open.get(key) ?? [];
    open.delete(key);
    const last = some.at(-1);
    if (last === undefined) return;
    const inner = some.map(({ partitionKey, bytes }) => ({ partitionKey, bytes }));
    const data = some.map(({ bytes, ...keys }) => ({ ...keys, data: bytes }));
    packed.push(some.length === 1 ? last : { ...last, bytes: makeAggregate(data), inner });
  };
  for (const event of events) {
    const key = event.partitionKey;
    open.set(key, [...(open.get(key) ?? []), event]);
    if (random.next() >= share || (open.get(key)?.length ?? 0) > 5) close(key);
  }
  for (const key of open.keys()) close(key);
  return packed.sort((left, right) => left.atMs - right.atMs);
}

function keysOf(
  random: Random,
  writers: RecordMix['writers'],
  strays: number,
): Pick<SimEvent, 'partitionKey' | 'explicitHashKey'> {
  if (writers === 'shards') {
    const key = FOREIGN_KEYS[Math.floor(random.next() * FOREIGN_KEYS.length)];
    return { partitionKey: key ?? 'alpha' };
  }
  const partition = Math.floor(random.next() * 2);
  if (random.next() < strays) return { partitionKey: 'p-7' };
  return { partitionKey: `p-${partition}`, explicitHashKey: explicitHashKey(partition, 2) };
}

function badBytes(id: string, taken: string, chance: number, data: object): Uint8Array {
  if (chance < 0.25) return Buffer.from('{"half');
  if (chance < 0.5) return envelope({ sequence: 0, data: { ...data, place: 7 }, id });
  if (chance < 0.75) return envelope({ sequence: 0, data: { ...data, place: 'nowhere' }, id });
  return envelope({ sequence: 0, data, id: taken });
}
