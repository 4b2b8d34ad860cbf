import { InvariantError } from '../core/errors.ts';
import { type Batch, exceedsPayload, type MappingRecord, type Outcome } from './batch.ts';
import { compileFilters, type RecordFilter } from './filter.ts';
import type { Discard, Lane } from './lane.ts';
import { DEFAULT_POLICIES, type MappingPolicies } from './policies.ts';
import type { MappingSettings } from './settings.ts';
import { type MappingShard, Shard } from './shard.ts';

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

/** Records that the stream trimmed before they were finished: they are gone, and nothing tells of them. */
export interface MappingTrim<Payload> {
  readonly shard: string;
  readonly records: readonly MappingRecord<Payload>[];
}

/** What the driver has to do now. */
export interface MappingStep<Payload> {
  readonly invocations: readonly MappingInvocation<Payload>[];
  readonly discards: readonly MappingDiscard<Payload>[];
  /** Invocations that Lambda refused for their size; nothing is to be done. */
  readonly rejected: readonly MappingInvocation<Payload>[];
  readonly trimmed: readonly MappingTrim<Payload>[];
  /** When to step again if nothing else happens before; undefined: only on new records or outcomes. */
  readonly wakeMs: number | undefined;
}

interface Running<Payload> {
  readonly shard: Shard<Payload>;
  readonly lane: Lane<Payload>;
}

/**
 * Lambda's event source mapping for Kinesis as a state machine: no I/O, clock or randomness. A driver
 * reads shards and invokes the function as it says; the same engine runs in a local run's real time and
 * in the simulation's. What AWS leaves open is told by the policies.
 *
 * Not modelled: tumbling windows of Lambda's own, enhanced fan-out, mappings for DynamoDB streams, provisioned
 * pollers, and changes of a mapping while it runs (make a new engine with the checkpoints of the old one).
 *
 * Invariants
 * 1. A record leaves the engine only acknowledged, given up, dropped by a filter, or trimmed by the stream.
 * 2. The checkpoint of a shard is before its lowest unfinished record.
 * 3. A shard is read only when its parents are read to their end and finished:
 *    https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
 * 4. A shard holds at most `readAheadBatches` batches a lane: reading stops, memory is bounded.
 * 5. A batch is of one shard: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
export class MappingEngine<Payload = unknown> {
  readonly #settings: MappingSettings;
  readonly #policies: MappingPolicies;
  readonly #filter: RecordFilter | undefined;
  readonly #shards = new Map<string, Shard<Payload>>();
  readonly #running = new Map<number, Running<Payload>>();
  #discards: MappingDiscard<Payload>[] = [];
  #invocations = 0;

  /** @throws MappingSettingsError when a filter's pattern is none */
  constructor(settings: MappingSettings, policies: MappingPolicies = DEFAULT_POLICIES) {
    this.#settings = settings;
    this.#policies = policies;
    this.#filter = compileFilters(settings.filters);
  }

  /** Takes a shard in; one that is known already is left as it is. */
  addShard(shard: MappingShard, nowMs: number): void {
    if (this.#shards.has(shard.id)) return;
    const options = { settings: this.#settings, policies: this.#policies, nowMs };
    this.#shards.set(shard.id, new Shard<Payload>(shard, options));
  }

  /** True when the shard's next records are wanted. */
  wantsRecords(id: string): boolean {
    const shard = this.#shard(id);
    const max = this.#policies.readAheadBatches * this.#settings.batchSize * shard.lanes.length;
    return !shard.ended && shard.length < max && this.#parentsDone(shard);
  }

  /**
   * Takes records that were read, in the order of their sequence numbers; none is a read without records. Those
   * that fit no filter are dropped before they can take a place in a batch.
   * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
   *
   * @returns how many were dropped
   */
  addRecords(id: string, records: readonly MappingRecord<Payload>[]): number {
    const shard = this.#shard(id);
    let dropped = 0;
    for (const record of records) {
      const isDropped = this.#filter !== undefined && !this.#filter(filterable(id, record));
      shard.add(record, isDropped);
      dropped += isDropped ? 1 : 0;
    }
    return dropped;
  }

  /** Notes that the shard was read to its end. */
  endShard(id: string): void {
    this.#shard(id).ended = true;
  }

  /**
   * Notes that the stream has trimmed what arrived before: as Lambda's pollers do, the engine goes on behind it
   * without a word to the failure destination.
   * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
   */
  trim(id: string, beforeMs: number): void {
    const shard = this.#shard(id);
    shard.trimmedBeforeMs = Math.max(shard.trimmedBeforeMs, beforeMs);
  }

  /** What is to be done at this time. Each invocation is told once. */
  step(nowMs: number): MappingStep<Payload> {
    const invocations: MappingInvocation<Payload>[] = [];
    const rejected: MappingInvocation<Payload>[] = [];
    const trimmed: MappingTrim<Payload>[] = [];
    for (const shard of this.#shards.values()) {
      for (const lane of shard.lanes) {
        const records = lane.trim(shard.trimmedBeforeMs);
        if (records.length > 0) trimmed.push({ shard: shard.id, records });
        this.#give(shard, lane.expire(nowMs));
        const { sent, refused } = this.#send({ shard, lane }, nowMs);
        rejected.push(...refused);
        if (sent !== undefined) invocations.push(sent);
      }
    }
    const discards = this.#discards;
    this.#discards = [];
    return { invocations, discards, rejected, trimmed, wakeMs: this.#wakeMs() };
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
    this.#give(running.shard, running.lane.finish(invocation, outcome, nowMs));
  }

  /** True when the record was read, and it and all before it in its shard are finished. */
  isFinishedUpTo(id: string, sequence: string): boolean {
    return this.#shard(id).isFinishedUpTo(sequence);
  }

  /**
   * Sequence number up to which the shard is finished, where the next poller goes on behind; undefined where it
   * has to start as a new mapping does (`readFrom`).
   */
  checkpoint(id: string): string | undefined {
    return this.#shard(id).checkpoint;
  }

  /** Records that were read and are not finished. */
  get backlog(): number {
    return [...this.#shards.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Arrival of the oldest record that is not finished, milliseconds since 1970 UTC. */
  get oldestArrivalMs(): number | undefined {
    const firsts = [...this.#shards.values()].flatMap(({ lanes }) =>
      lanes.flatMap(({ first }) => first?.arrivalMs ?? []),
    );
    return firsts.length === 0 ? undefined : Math.min(...firsts);
  }

  /** The lane's next invocation; a record that is too large for any is refused before the function runs (observed). */
  #send(
    running: Running<Payload>,
    nowMs: number,
  ): { sent: MappingInvocation<Payload> | undefined; refused: MappingInvocation<Payload>[] } {
    const { shard, lane } = running;
    const refused: MappingInvocation<Payload>[] = [];
    for (let batch = lane.take(nowMs); batch !== undefined; batch = lane.take(nowMs)) {
      this.#invocations += 1;
      const invocation = { id: this.#invocations, shard: shard.id, batch };
      if (!exceedsPayload(batch)) {
        this.#running.set(invocation.id, running);
        return { sent: invocation, refused };
      }
      refused.push(invocation);
      this.#give(shard, lane.finish(invocation.id, { type: 'rejected' }, nowMs));
    }
    return { sent: undefined, refused };
  }

  #give(shard: Shard<Payload>, discards: readonly Discard<Payload>[]): void {
    this.#discards.push(...discards.map((discard) => ({ ...discard, shard: shard.id })));
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
      return parent.ended && parent.length === 0 && this.#parentsDone(parent);
    });
  }

  #shard(id: string): Shard<Payload> {
    const shard = this.#shards.get(id);
    if (shard === undefined)
      throw new InvariantError(`mapping: got shard ${id}, which was not added`);
    return shard;
  }
}

function filterable(shard: string, record: MappingRecord): Parameters<RecordFilter>[0] {
  const { sequence, partitionKey, arrivalMs, data } = record;
  if (data !== undefined) return { sequence, partitionKey, arrivalMs, data };
  throw new InvariantError(
    `${shard}: got record ${sequence} without data, expected it with a filter`,
  );
}
