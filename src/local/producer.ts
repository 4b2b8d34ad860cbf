import { setTimeout as delay } from 'node:timers/promises';
import { explicitHashKey, partitionKey } from '../core/partition.ts';
import { compareSequences } from '../core/position.ts';
import type { Outlet } from '../ports/outlet.ts';
import type { FeedEvent } from './feed/events.ts';

/** An event that the stream took. */
export interface TakenEvent {
  readonly event: FeedEvent;
  readonly shard: string;
  readonly sequence: string;
}

/** What is sent where and how fast. */
export interface ProduceOptions {
  readonly outlet: Outlet;
  readonly partitions: number | 'shard';
  /** Events a second; 0 is as fast as the stream takes them. */
  readonly rate: number;
  readonly signal: AbortSignal;
  /** Called with what was taken, in the order of each shard. */
  readonly onTaken: (events: readonly TakenEvent[]) => void;
  /** Called after each request. */
  readonly onSent?: (sent: SentRequest) => void;
}

/** What came of one request. */
export interface SentRequest {
  readonly records: number;
  readonly bytes: number;
  readonly refused: number;
}

/** Events that are made at once when there is no rate: the largest request. */
const EVENTS_AT_ONCE = 500;

/** Longest wait for the answers to what is sent at once, milliseconds. */
const SEND_MS_MAX = 60_000;

/** First and longest pause after a refusal, milliseconds. */
const PAUSE_MS = { first: 100, max: 5_000 } as const;

/**
 * Sends events in their order: what comes after is sent when everything before was taken, so that a
 * partition's records never overtake each other. Refused ones are sent again until they are taken.
 */
export async function produce(events: Iterable<FeedEvent>, options: ProduceOptions): Promise<void> {
  const startMs = performance.now();
  const atOnce =
    options.rate === 0 ? EVENTS_AT_ONCE : Math.min(EVENTS_AT_ONCE, Math.ceil(options.rate / 10));
  let sent = 0;
  for (const some of inRuns(events, atOnce)) {
    await sendAll(some, options);
    sent += some.length;
    if (options.rate === 0) continue;
    const dueMs = startMs + (sent * 1000) / options.rate;
    await delay(Math.max(0, dueMs - performance.now()), undefined, { signal: options.signal });
  }
}

function* inRuns(events: Iterable<FeedEvent>, count: number): Generator<FeedEvent[]> {
  let some: FeedEvent[] = [];
  for (const event of events) {
    some.push(event);
    if (some.length < count) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

async function sendAll(events: readonly FeedEvent[], options: ProduceOptions): Promise<void> {
  let left = events;
  let pauseMs: number = PAUSE_MS.first;
  while (left.length > 0) {
    const { taken, refused } = await send(left, options);
    options.onTaken(taken);
    const bytes = taken.reduce((sum, { event }) => sum + event.bytes.length, 0);
    options.onSent?.({ records: taken.length, bytes, refused: refused.length });
    left = refused;
    if (left.length === 0) return;
    await delay(pauseMs, undefined, { signal: options.signal });
    pauseMs = Math.min(PAUSE_MS.max, pauseMs * 2);
  }
}

async function send(
  events: readonly FeedEvent[],
  { outlet, partitions, signal }: ProduceOptions,
): Promise<{ readonly taken: readonly TakenEvent[]; readonly refused: readonly FeedEvent[] }> {
  signal.throwIfAborted();
  const records = events.map((event) => ({ bytes: event.bytes, ...keysOf(event, partitions) }));
  const results = await outlet.send(records, { deadlineMs: Date.now() + SEND_MS_MAX });
  const taken: TakenEvent[] = [];
  const refused: FeedEvent[] = [];
  for (const [index, event] of events.entries()) {
    const result = results[index];
    if (result?.status !== 'taken') refused.push(event);
    else taken.push({ event, shard: result.shard, sequence: result.sequence });
  }
  // Within one request the stream may take records in another order.
  taken.sort((left, right) => compareSequences(left.sequence, right.sequence));
  return { taken, refused };
}

/** The keys that an event is sent with. */
export function keysOf({ key, partition }: FeedEvent, partitions: number | 'shard') {
  if (partitions === 'shard' || partition === undefined) return { partitionKey: key || 'none' };
  return {
    partitionKey: partitionKey(partition),
    explicitHashKey: explicitHashKey(partition, partitions),
  };
}
