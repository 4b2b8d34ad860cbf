import { InvariantError } from '../core/errors.ts';
import { hashKeyOf, sipHash } from '../core/hash.ts';
import { compareSequences } from '../core/position.ts';
import type { Batch, MappingRecord } from './batch.ts';
import { type Discard, Lane, type Outcome } from './lane.ts';
import type { MappingSettings } from './settings.ts';

/** A shard as the stream lists it. */
export interface MappingShard {
  /** Such as `shardId-000000000000`. */
  readonly id: string;
  /** Ids of the shards that it came from, at most two; those that the stream forgot don't matter. */
  readonly parents: readonly string[];
}

/** An invocation that the driver has to make; it answers with `finish(id, outcome)`. */
export interface MappingInvocation<Payload> {
  readonly id: number;
  readonly shard: string;
  readonly batch: Batch<Payload>;
}

/** Records given up, which the driver sends to the failure destination. */
export interface MappingDiscard<Payload> extends Discard<Payload> {
  readonly shard: string;
}

/** What the driver has to do now. */
export interface MappingStep<Payload> {
  readonly invocations: readonly MappingInvocation<Payload>[];
  readonly discards: readonly MappingDiscard<Payload>[];
  /** When to step again if nothing else happens before; undefined: only on new records or outcomes. */
  readonly wakeMs: number | undefined;
}

interface Shard<Payload> extends MappingShard {
  readonly lanes: readonly Lane<Payload>[];
  /** Sequence number of the last record that was added. */
  read: string | undefined;
  /** True when the shard was read to its end, after a split or a merge. */
  ended: boolean;
}

interface Running<Payload> {
  readonly shard: Shard<Payload>;
  readonly lane: Lane<Payload>;
}

/** Lambda's way of spreading partition keys over lanes is not documented; any fixed hash keeps the order. */
const LANE_KEY = hashKeyOf(new TextEncoder().encode('millrace lanes 1'));
const utf8 = new TextEncoder();

/**
 * Lambda's event source mapping for Kinesis as a state machine: no I/O, clock or randomness. A driver
 * reads shards and invokes the function as it says; the same engine runs in a local run's real time and
 * in the simulation's.
 *
 * Not modelled: filters, tumbling windows of Lambda's own, enhanced fan-out.
 *
 * Invariants
 * 1. A record leaves the engine only acknowledged or given up.
 * 2. The checkpoint of a shard is before its lowest unfinished record.
 * 3. A shard is read only when its parents are read to their end and finished.
 * 4. A shard holds at most `BACKLOG_BATCHES` batches a lane: reading stops, memory is bounded.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
export class MappingEngine<Payload = unknown> {
  readonly #settings: MappingSettings;
  readonly #shards = new Map<string, Shard<Payload>>();
  readonly #running = new Map<number, Running<Payload>>();
  #discards: MappingDiscard<Payload>[] = [];
  #invocations = 0;

  constructor(settings: MappingSettings) {
    this.#settings = settings;
  }

  /** Takes a shard in; one that is known already is left as it is. */
  addShard({ id, parents }: MappingShard, nowMs: number): void {
    if (this.#shards.has(id)) return;
    const lanes = Array.from(
      { length: this.#settings.parallelization },
      () => new Lane<Payload>(this.#settings, nowMs),
    );
    this.#shards.set(id, { id, parents, lanes, read: undefined, ended: false });
  }

  /** True when the shard's next records are wanted. */
  wantsRecords(id: string): boolean {
    const shard = this.#shard(id);
    const max = BACKLOG_BATCHES * this.#settings.batchSize * shard.lanes.length;
    return !shard.ended && sizeOf(shard) < max && this.#parentsDone(shard);
  }

  /** Takes records that were read, in the order of their sequence numbers. */
  addRecords(id: string, records: readonly MappingRecord<Payload>[]): void {
    const shard = this.#shard(id);
    for (const record of records) {
      if (shard.read !== undefined && compareSequences(record.sequence, shard.read) <= 0) {
        throw new InvariantError(`${id}: got record ${record.sequence} after ${shard.read}`);
      }
      shard.read = record.sequence;
      laneOf(shard, record.partitionKey).add(record);
    }
  }

  /** Notes that the shard was read to its end. */
  endShard(id: string): void {
    this.#shard(id).ended = true;
  }

  /** What is to be done at this time. Each invocation is told once. */
  step(nowMs: number): MappingStep<Payload> {
    const invocations: MappingInvocation<Payload>[] = [];
    for (const shard of this.#shards.values()) {
      for (const lane of shard.lanes) {
        this.#give(shard, lane.expire(nowMs));
        const batch = lane.take(nowMs);
        if (batch === undefined) continue;
        this.#invocations += 1;
        this.#running.set(this.#invocations, { shard, lane });
        invocations.push({ id: this.#invocations, shard: shard.id, batch });
      }
    }
    const discards = this.#discards;
    this.#discards = [];
    return { invocations, discards, wakeMs: this.#wakeMs() };
  }

  /** Takes the outcome of an invocation. */
  finish(invocation: number, outcome: Outcome, nowMs: number): void {
    const running = this.#running.get(invocation);
    if (running === undefined) {
      throw new InvariantError(
        `mapping: got an outcome of invocation ${invocation}, which is not running`,
      );
    }
    this.#running.delete(invocation);
    this.#give(running.shard, running.lane.finish(outcome, nowMs));
  }

  /** True when the record was read, and it and all before it in its shard are finished. */
  isFinishedUpTo(id: string, sequence: string): boolean {
    const shard = this.#shard(id);
    if (shard.read === undefined || compareSequences(shard.read, sequence) < 0) return false;
    return shard.lanes.every(
      ({ first }) => first === undefined || compareSequences(first.sequence, sequence) > 0,
    );
  }

  /** Records that were read and are not finished. */
  get backlog(): number {
    return [...this.#shards.values()].reduce((sum, shard) => sum + sizeOf(shard), 0);
  }

  /** Arrival of the oldest record that is not finished, milliseconds since 1970 UTC. */
  get oldestArrivalMs(): number | undefined {
    const firsts = [...this.#shards.values()].flatMap(({ lanes }) =>
      lanes.flatMap(({ first }) => first?.arrivalMs ?? []),
    );
    return firsts.length === 0 ? undefined : Math.min(...firsts);
  }

  #give(shard: Shard<Payload>, discard: Discard<Payload> | undefined): void {
    if (discard !== undefined) this.#discards.push({ ...discard, shard: shard.id });
  }

  #wakeMs(): number | undefined {
    const times = [...this.#shards.values()].flatMap(({ lanes }) =>
      lanes.flatMap((lane) => lane.wakeMs() ?? []),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #parentsDone({ parents }: Shard<Payload>): boolean {
    return parents.every((id) => {
      const parent = this.#shards.get(id);
      if (parent === undefined) return true;
      // A parent may have ended without a record while its own parents still have some.
      return parent.ended && sizeOf(parent) === 0 && this.#parentsDone(parent);
    });
  }

  #shard(id: string): Shard<Payload> {
    const shard = this.#shards.get(id);
    if (shard === undefined)
      throw new InvariantError(`mapping: got shard ${id}, which was not added`);
    return shard;
  }
}

/** Batches that a lane holds beyond which its shard is not read. */
const BACKLOG_BATCHES = 4;

function sizeOf(shard: Shard<unknown>): number {
  return shard.lanes.reduce((sum, lane) => sum + lane.length, 0);
}

function laneOf<Payload>(shard: Shard<Payload>, partitionKey: string): Lane<Payload> {
  const index = sipHash(LANE_KEY, utf8.encode(partitionKey)).low % shard.lanes.length;
  const lane = shard.lanes[index];
  if (lane === undefined) throw new InvariantError(`${shard.id}: got no lane ${index}`);
  return lane;
}
