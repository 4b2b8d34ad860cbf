import { setTimeout as delay } from 'node:timers/promises';
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { explicitHashKey, partitionKey } from '../core/partition.ts';
import { compareSequences } from '../core/position.ts';
import type { FeedEvent } from './feed/events.ts';

/** An event that the stream took. */
export interface TakenEvent {
  readonly event: FeedEvent;
  readonly shard: string;
  readonly sequence: string;
}

/** What is sent where and how fast. */
export interface ProduceOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
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

/** Limits of one PutRecords request; Kinesis allows 10 MB, half of it keeps answers quick. */
const RECORDS_MAX = 500;
const BYTES_MAX = 5_000_000;

/** First and longest pause after a refusal, milliseconds. */
const PAUSE_MS = { first: 100, max: 5_000 } as const;

/**
 * Sends events in their order: a request is sent when the one before was taken whole, so that a
 * partition's records never overtake each other. Refused ones are sent again until they are taken.
 */
export async function produce(events: Iterable<FeedEvent>, options: ProduceOptions): Promise<void> {
  const startMs = performance.now();
  const atOnce =
    options.rate === 0 ? RECORDS_MAX : Math.min(RECORDS_MAX, Math.ceil(options.rate / 10));
  let sent = 0;
  for (const some of inRequests(events, atOnce)) {
    await sendAll(some, options);
    sent += some.length;
    if (options.rate === 0) continue;
    const dueMs = startMs + (sent * 1000) / options.rate;
    await delay(Math.max(0, dueMs - performance.now()), undefined, { signal: options.signal });
  }
}

function* inRequests(events: Iterable<FeedEvent>, count: number): Generator<FeedEvent[]> {
  let some: FeedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (some.length === count || bytes + event.bytes.length > BYTES_MAX) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(event);
    bytes += event.bytes.length;
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
  { client, streamName, partitions, signal }: ProduceOptions,
): Promise<{ readonly taken: readonly TakenEvent[]; readonly refused: readonly FeedEvent[] }> {
  const Records = events.map((event) => ({ Data: event.bytes, ...keysOf(event, partitions) }));
  const command = new PutRecordsCommand({ StreamName: streamName, Records });
  const answer = await client.send(command, { abortSignal: signal });
  const taken: TakenEvent[] = [];
  const refused: FeedEvent[] = [];
  for (const [index, event] of events.entries()) {
    const { ShardId: shard, SequenceNumber: sequence } = answer.Records?.[index] ?? {};
    if (shard === undefined || sequence === undefined) refused.push(event);
    else taken.push({ event, shard, sequence });
  }
  // Within one request the stream may take records in another order.
  taken.sort((left, right) => compareSequences(left.sequence, right.sequence));
  return { taken, refused };
}

/** The keys that an event is sent with. */
export function keysOf({ key, partition }: FeedEvent, partitions: number | 'shard') {
  if (partitions === 'shard' || partition === undefined) return { PartitionKey: key || 'none' };
  return {
    PartitionKey: partitionKey(partition),
    ExplicitHashKey: explicitHashKey(partition, partitions),
  };
}
