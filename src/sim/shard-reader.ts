import type { MappingRecord } from '../mapping/batch.ts';
import type { MappingEngine } from '../mapping/engine.ts';
import { type EventRecord, eventRecord } from '../mapping/kinesis-event.ts';
import type { MappingPolicies } from '../mapping/policies.ts';
import { type ReadFrom, readFrom, type StartingPosition } from '../mapping/starting-position.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { SimRecord, SimShard } from './stream.ts';
import type { Weather } from './weather.ts';
import { STREAM_ARN } from './world.ts';

/** What goes through the mapping with each record. */
export interface SimPayload {
  readonly event: EventRecord;
  readonly record: SimRecord;
}

/** As much of the mapping engine as is read into. */
export type ReadInto = Pick<
  MappingEngine<SimPayload>,
  'wantsRecords' | 'addRecords' | 'endShard' | 'isFinishedUpTo'
>;

/** What a reader works with. */
export interface ShardReaderOptions {
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly weather: Weather;
  /** How long the stream keeps a record, milliseconds. */
  readonly retentionMs: number;
  readonly start: StartingPosition;
  readonly policies: MappingPolicies;
}

/** Lambda polls a shard once a second, and goes on at once while there is more. */
const POLL_MS = 1_000;
const READ_MS = 5;
const RECORDS_PER_READ = 10_000;

/** Bytes of a record in an invocation's event besides its data and partition key, about. */
const ENVELOPE_BYTES = 480;

/** How far a shard was read. */
interface Cursor {
  next: number;
  notBeforeMs: number;
}

/**
 * Lambda's pollers: they read each shard from the mapping's starting position on, in its order.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
export class ShardReader {
  readonly #options: ShardReaderOptions;
  readonly #mapped = new Map<SimRecord, MappingRecord<SimPayload>>();
  readonly #cursors = new Map<number, Cursor>();
  /** Where a shard without a checkpoint is read from. */
  #from: ReadFrom;
  /** Records that were gone before they were read. */
  readonly trimmed: SimRecord[] = [];
  /** Records that the mapping is not made for: before its starting position, or filtered out. */
  readonly unwanted: SimRecord[] = [];

  constructor(options: ShardReaderOptions) {
    this.#options = options;
    this.#from = this.#start();
  }

  /** True when there is nothing more in the shard. */
  isRead({ number, records }: SimShard): boolean {
    return this.#cursor(number).next === records.length;
  }

  /** Begins anew, as a mapping that was made just now. */
  restart(): void {
    this.#cursors.clear();
    this.#from = this.#start();
  }

  /** Goes on at a record, given by its place in the shard. */
  moveTo({ number }: SimShard, next: number): void {
    this.#cursors.set(number, { next, notBeforeMs: 0 });
  }

  /** Adds what the shard has, where it is wanted and due; when to look again. */
  read(engine: ReadInto, shard: SimShard): number | undefined {
    const { clock, weather } = this.#options;
    const cursor = this.#cursor(shard.number);
    const id = shardId(shard.number);
    const nowMs = clock.now();
    this.#pass(shard, cursor);
    const unread = Math.min(RECORDS_PER_READ, shard.records.length - cursor.next);
    if (unread === 0) {
      if (!shard.open) engine.endShard(id);
      return undefined;
    }
    const dueMs = dueOf(cursor, shard.records[cursor.next]?.putMs ?? 0);
    if (nowMs < dueMs) return dueMs;
    if (!engine.wantsRecords(id)) return undefined;
    if (weather.refuses(nowMs, 'stream', true) !== undefined) {
      cursor.notBeforeMs = nowMs + POLL_MS;
      return cursor.notBeforeMs;
    }
    return this.#give(engine, shard, unread);
  }

  /** One GetRecords: all of it, some or nothing. */
  #give(engine: ReadInto, { number, records }: SimShard, unread: number): number | undefined {
    const { clock, dice } = this.#options;
    const cursor = this.#cursor(number);
    const count = dice.strikes('shortRead') ? dice.upTo(unread) : unread;
    for (const record of records.slice(cursor.next, cursor.next + count)) {
      const dropped = engine.addRecords(shardId(number), [this.#mappingRecord(record)]);
      if (dropped > 0) this.unwanted.push(record);
    }
    cursor.next += count;
    cursor.notBeforeMs = clock.now() + (count === 0 || count === unread ? POLL_MS : READ_MS);
    return count === unread ? undefined : cursor.notBeforeMs;
  }

  /** Passes over what is before the starting position, and what the stream has trimmed: nobody is told. */
  #pass({ records }: SimShard, cursor: Cursor): void {
    const { clock, retentionMs } = this.#options;
    const sinceMs = this.#from.type === 'since' ? this.#from.timeMs : Number.NEGATIVE_INFINITY;
    for (;;) {
      const record = records[cursor.next];
      if (record === undefined) return;
      if (record.putMs + retentionMs <= clock.now()) this.trimmed.push(record);
      else if (record.arrivalMs < sinceMs) this.unwanted.push(record);
      else return;
      cursor.next += 1;
    }
  }

  #start(): ReadFrom {
    const { start, policies, clock } = this.#options;
    return readFrom({ start, createdMs: clock.now(), checkpoint: undefined, policies });
  }

  #cursor(shard: number): Cursor {
    const known = this.#cursors.get(shard) ?? { next: 0, notBeforeMs: 0 };
    this.#cursors.set(shard, known);
    return known;
  }

  #mappingRecord(record: SimRecord): MappingRecord<SimPayload> {
    const known = this.#mapped.get(record);
    if (known !== undefined) return known;
    const { sequence, partitionKey, arrivalMs, bytes } = record;
    const event = eventRecord(
      { sequence, partitionKey, arrivalMs, data: bytes },
      { streamArn: STREAM_ARN, region: 'eu-west-1', shard: shardId(record.shard) },
    );
    const sizeBytes = event.kinesis.data.length + ENVELOPE_BYTES + partitionKey.length;
    const payload = { event, record };
    const mapped = { sequence, partitionKey, arrivalMs, payload, sizeBytes, data: bytes };
    this.#mapped.set(record, mapped);
    return mapped;
  }
}

/** Place of the first record that is not finished, or the number of records. */
export function firstOpen({ number, records }: SimShard, engine: ReadInto): number {
  const id = shardId(number);
  const open = records.findIndex(({ sequence }) => !engine.isFinishedUpTo(id, sequence));
  return open < 0 ? records.length : open;
}

/** The first poll at or after the record's arrival. */
function dueOf({ notBeforeMs }: Cursor, putMs: number): number {
  if (putMs <= notBeforeMs) return notBeforeMs;
  return notBeforeMs + Math.ceil((putMs - notBeforeMs) / POLL_MS) * POLL_MS;
}

const IDS: string[] = [];

/** Such as `shardId-000000000006`. */
export function shardId(shard: number): string {
  const id = IDS[shard] ?? `shardId-${String(shard).padStart(12, '0')}`;
  IDS[shard] = id;
  return id;
}
