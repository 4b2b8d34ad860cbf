import type { Batch, MappingRecord } from '../mapping/batch.ts';
import { type MappingDiscard, MappingEngine, type MappingInvocation } from '../mapping/engine.ts';
import { type EventRecord, eventRecord } from '../mapping/kinesis-event.ts';
import type { Outcome } from '../mapping/lane.ts';
import type { MappingPolicies } from '../mapping/policies.ts';
import { type MappingSettings, mappingSettings } from '../mapping/settings.ts';
import { readFrom } from '../mapping/starting-position.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { SimRecord, SimShard, SimStream } from './stream.ts';
import type { Trace } from './trace.ts';
import type { Weather } from './weather.ts';
import { STREAM_ARN } from './world.ts';

/** What goes through the mapping with each record. */
export interface SimPayload {
  readonly event: EventRecord;
  readonly record: SimRecord;
}

/** As much of the mapping engine as the simulation uses. */
export type SimEngine = Pick<
  MappingEngine<SimPayload>,
  | 'addShard'
  | 'wantsRecords'
  | 'addRecords'
  | 'endShard'
  | 'step'
  | 'finish'
  | 'isFinishedUpTo'
  | 'backlog'
>;

/** What the mapping reads, runs and tells. */
export interface EventSourceOptions {
  readonly settings: Partial<MappingSettings>;
  readonly policies: MappingPolicies;
  readonly makeEngine:
    | ((settings: MappingSettings, policies: MappingPolicies) => SimEngine)
    | undefined;
  readonly stream: SimStream;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly weather: Weather;
  /** How long the stream keeps a record, milliseconds. */
  readonly retentionMs: number;
  readonly invoke: (batch: Batch<SimPayload>, shard: string) => Promise<Outcome>;
  readonly onGivenUp: (discard: MappingDiscard<SimPayload>) => void;
  readonly onViolation: (text: string) => void;
}

/** Lambda polls a shard once a second, and goes on at once while there is more. */
const POLL_MS = 1_000;
const READ_MS = 5;
const RECORDS_PER_READ = 10_000;

/** How far a shard was read. */
interface Cursor {
  next: number;
  notBeforeMs: number;
}

/**
 * The event source mapping with its pollers, around the mapping engine.
 *
 * Invariants
 * 1. A shard is read in its order, from the checkpoint on, as far as the engine wants.
 * 2. What an abandoned engine still has in flight goes on, and its outcomes are ignored: a second
 *    poller of the same shard looks like that.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
export class EventSource {
  readonly #options: EventSourceOptions;
  readonly #settings: MappingSettings;
  readonly #mapped = new Map<SimRecord, MappingRecord<SimPayload>>();
  readonly #cursors = new Map<number, Cursor>();
  readonly #inFlight = new Map<string, number>();
  #engine: SimEngine;
  #reading = true;
  /** Something happened since the last step; else it has nothing to do before `#wakeMs`. */
  #changed = true;
  #wakeMs: number | undefined;
  /** When the mapping was made, for the stream that there is. */
  #createdMs: number;
  /** Records that were gone before they were read. */
  readonly trimmed: SimRecord[] = [];
  /** Records that the mapping is not made for: before its starting position, or filtered out. */
  readonly unwanted: SimRecord[] = [];

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#settings = mappingSettings({ reportsFailures: true, ...options.settings });
    this.#createdMs = options.clock.now();
    this.#engine = this.#newEngine();
  }

  /** Records that were read and are not finished. */
  get backlog(): number {
    return this.#engine.backlog;
  }

  /** True when everything in the stream was read and is finished. */
  get isDone(): boolean {
    const { stream } = this.#options;
    const isRead = stream.shards.every(
      ({ number, records }) => this.#cursor(number).next === records.length,
    );
    return this.#reading && isRead && this.backlog === 0;
  }

  /** Something came into the stream. */
  notice(): void {
    this.#changed = true;
  }

  /** Does what can be done now; when to come again, if only time has to pass. */
  pump(): number | undefined {
    if (!this.#changed && this.#options.clock.now() < (this.#wakeMs ?? Number.POSITIVE_INFINITY)) {
      return this.#wakeMs;
    }
    // What is given up may finish a parent, whose children then are wanted.
    for (this.#changed = true; this.#changed; ) {
      this.#changed = false;
      this.#wakeMs = this.#step();
    }
    return this.#wakeMs;
  }

  #step(): number | undefined {
    const wakes = this.#options.stream.shards.map((shard) => this.#read(shard));
    const { invocations, discards, wakeMs } = this.#engine.step(this.#options.clock.now());
    for (const discard of discards) this.#options.onGivenUp(discard);
    this.#changed = discards.length > 0;
    const engine = this.#engine;
    for (const invocation of invocations) this.#invoke(engine, invocation);
    const times = [...wakes, wakeMs].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Takes in a shard that a split or merge made. */
  addShard(shard: SimShard): void {
    this.#changed = true;
    this.#add(this.#engine, shard);
  }

  /** Stops reading; what was read is still worked on, unless it is dropped. */
  disable(drops: boolean): void {
    this.#reading = false;
    if (!drops) return;
    const before = this.#engine;
    this.#engine = this.#newEngine();
    for (const shard of this.#options.stream.shards) {
      this.#cursors.set(shard.number, { next: firstOpen(shard, before), notBeforeMs: 0 });
    }
  }

  /** Goes on where it was. */
  enable(): void {
    this.#reading = true;
    this.#changed = true;
  }

  /** Begins anew at the oldest record, as a mapping of a stream that was made again. */
  restart(): void {
    this.#createdMs = this.#options.clock.now();
    this.#cursors.clear();
    this.#engine = this.#newEngine();
  }

  /** Adds what the shard has, where it is wanted and due; when to look again. */
  #read(shard: SimShard): number | undefined {
    const { clock, dice, weather } = this.#options;
    const cursor = this.#cursor(shard.number);
    const id = shardId(shard.number);
    const nowMs = clock.now();
    if (!this.#reading) return undefined;
    this.#skip(shard, cursor);
    this.#trim(shard, cursor);
    const unread = Math.min(RECORDS_PER_READ, shard.records.length - cursor.next);
    if (unread === 0) {
      if (!shard.open) this.#engine.endShard(id);
      return undefined;
    }
    const dueMs = dueOf(cursor, shard.records[cursor.next]?.putMs ?? 0);
    if (nowMs < dueMs) return dueMs;
    if (!this.#engine.wantsRecords(id)) return undefined;
    if (weather.refuses(nowMs, true) !== undefined) {
      cursor.notBeforeMs = nowMs + POLL_MS;
      return cursor.notBeforeMs;
    }
    const count = dice.strikes('shortRead') ? dice.upTo(unread) : unread;
    const records = shard.records.slice(cursor.next, cursor.next + count);
    for (const record of records) {
      const dropped = this.#engine.addRecords(id, [this.#mappingRecord(record)]);
      if (dropped > 0) this.unwanted.push(record);
    }
    cursor.next += count;
    cursor.notBeforeMs = nowMs + (count === 0 || count === unread ? POLL_MS : READ_MS);
    return count === unread ? undefined : cursor.notBeforeMs;
  }

  /** Records beyond the retention are not there any more; nobody is told. */
  #trim({ records }: SimShard, cursor: Cursor): void {
    const { clock, retentionMs } = this.#options;
    for (;;) {
      const record = records[cursor.next];
      if (record === undefined || record.putMs + retentionMs > clock.now()) return;
      this.trimmed.push(record);
      cursor.next += 1;
    }
  }

  /** One invocation from start to outcome; runs beside the loop. */
  async #invoke(
    engine: SimEngine,
    { id, batch, shard }: MappingInvocation<SimPayload>,
  ): Promise<void> {
    const { clock, dice, invoke } = this.#options;
    this.#checkConcurrency(shard);
    const outcome = await invoke(batch, shard);
    if (engine !== this.#engine) return;
    this.#inFlight.set(shard, (this.#inFlight.get(shard) ?? 0) - 1);
    this.#changed = true;
    engine.finish(id, outcome, clock.now());
    if (!this.#reading || !dice.strikes('loseCheckpoint')) return;
    // What was given up is in the failure destination before the checkpoint moves.
    this.pump();
    this.#goBack();
  }

  #checkConcurrency(shard: string): void {
    const running = (this.#inFlight.get(shard) ?? 0) + 1;
    this.#inFlight.set(shard, running);
    if (running <= this.#settings.parallelization) return;
    this.#options.onViolation(`${shard}: ${running} batches are in flight at the same time`);
  }

  /** The checkpoint was lost: a new poller starts somewhere before the first unfinished record. */
  #goBack(): void {
    const { stream, dice, trace, clock } = this.#options;
    const before = this.#engine;
    this.#engine = this.#newEngine();
    for (const shard of stream.shards) {
      const { number, records } = shard;
      const next = dice.upTo(firstOpen(shard, before) + 1);
      this.#cursors.set(number, { next, notBeforeMs: 0 });
      const text = `checkpoint of shard ${number} lost: again from ${records[next]?.sequence ?? 'its end'}`;
      trace.add(clock.now(), 'mapping', text, () => ({ shards: [shardId(number)] }));
    }
  }

  #newEngine(): SimEngine {
    this.#changed = true;
    this.#inFlight.clear();
    const { makeEngine, policies } = this.#options;
    const engine =
      makeEngine?.(this.#settings, policies) ??
      new MappingEngine<SimPayload>(this.#settings, policies);
    for (const shard of this.#options.stream.shards) this.#add(engine, shard);
    return engine;
  }

  #add(engine: SimEngine, { number, parents }: SimShard): void {
    const { clock } = this.#options;
    engine.addShard({ id: shardId(number), parents: parents.map(shardId) }, clock.now());
  }

  #cursor(shard: number): Cursor {
    const known = this.#cursors.get(shard) ?? { next: 0, notBeforeMs: 0 };
    this.#cursors.set(shard, known);
    return known;
  }

  /** Passes over what arrived before the starting position. */
  #skip({ records }: SimShard, cursor: Cursor): void {
    const { startingPosition: start } = this.#settings;
    if (start.type === 'TRIM_HORIZON') return;
    const { policies } = this.#options;
    const from = readFrom({ start, createdMs: this.#createdMs, checkpoint: undefined, policies });
    const sinceMs = from.type === 'since' ? from.timeMs : 0;
    for (;;) {
      const record = records[cursor.next];
      if (record === undefined || record.arrivalMs >= sinceMs) return;
      this.unwanted.push(record);
      cursor.next += 1;
    }
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

/** Bytes of a record in an invocation's event besides its data and partition key, about. */
const ENVELOPE_BYTES = 480;

/** Index of the first record that is not finished, or the number of records. */
function firstOpen({ number, records }: SimShard, engine: SimEngine): number {
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
