import { InvariantError } from '../core/errors.ts';
import { murmur3 } from '../core/hash.ts';
import { compareSequences } from '../core/position.ts';
import type { MappingRecord } from './batch.ts';
import { Lane, type LaneOptions } from './lane.ts';

/** A shard as the stream lists it. */
export interface MappingShard {
  /** Such as `shardId-000000000000`. */
  readonly id: string;
  /** Ids of the shards that it came from, at most two; those that the stream forgot don't matter. */
  readonly parents: readonly string[];
  /** Where an earlier poller stopped: all up to this sequence number are finished. */
  readonly checkpoint?: string | undefined;
}

const utf8 = new TextEncoder();

/**
 * What the mapping holds of one shard: its lanes, and how far it was read.
 *
 * Invariants
 * 1. Records come in the order of their sequence numbers, once.
 * 2. The checkpoint is the sequence number before the lowest unfinished record, dropped ones included: how it
 *    moves with several lanes is not documented, and no other place loses nothing.
 */
export class Shard<Payload> {
  readonly id: string;
  readonly parents: readonly string[];
  readonly lanes: readonly Lane<Payload>[];
  readonly #laneHash: number;
  /** Sequence number of the last record that was read, and with no unfinished one the checkpoint. */
  #read: string | undefined;
  /** Of records that were unfinished: the sequence number before. Oldest first. */
  readonly #before = new Map<string, string | undefined>();
  /** True when the shard was read to its end, after a split or a merge. */
  ended = false;
  /** The stream has trimmed what arrived before; milliseconds since 1970 UTC. */
  trimmedBeforeMs = Number.NEGATIVE_INFINITY;

  constructor({ id, parents, checkpoint }: MappingShard, options: LaneOptions) {
    this.id = id;
    this.parents = parents;
    this.#read = checkpoint;
    this.#laneHash = options.policies.laneHash;
    this.lanes = Array.from(
      { length: options.settings.parallelization },
      () => new Lane<Payload>(options),
    );
  }

  /** Records that are not finished. */
  get length(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.length, 0);
  }

  /** Sequence number up to which everything is finished; undefined where nothing is. */
  get checkpoint(): string | undefined {
    this.#forgetFinished();
    const lowest = this.#lowest();
    return lowest === undefined ? this.#read : this.#before.get(lowest);
  }

  /** Takes the next record; one that is dropped by a filter only moves the checkpoint. */
  add(record: MappingRecord<Payload>, isDropped: boolean): void {
    const { sequence, partitionKey } = record;
    if (this.#read !== undefined && compareSequences(sequence, this.#read) <= 0) {
      throw new InvariantError(`${this.id}: got record ${sequence} after ${this.#read}`);
    }
    if (!isDropped) {
      this.#forgetFinished();
      this.#before.set(sequence, this.#read);
      this.#laneOf(partitionKey).add(record);
    }
    this.#read = sequence;
  }

  /** True when the record was read, and it and all before it are finished. */
  isFinishedUpTo(sequence: string): boolean {
    if (this.#read === undefined || compareSequences(this.#read, sequence) < 0) return false;
    const lowest = this.#lowest();
    return lowest === undefined || compareSequences(lowest, sequence) > 0;
  }

  #lowest(): string | undefined {
    const firsts = this.lanes.flatMap(({ first }) => first?.sequence ?? []);
    return firsts.sort(compareSequences)[0];
  }

  #forgetFinished(): void {
    const lowest = this.#lowest();
    for (const sequence of this.#before.keys()) {
      if (lowest !== undefined && compareSequences(sequence, lowest) >= 0) return;
      this.#before.delete(sequence);
    }
  }

  #laneOf(partitionKey: string): Lane<Payload> {
    const { length } = this.lanes;
    const index = length === 1 ? 0 : murmur3(utf8.encode(partitionKey), this.#laneHash) % length;
    const lane = this.lanes[index];
    if (lane === undefined) throw new InvariantError(`${this.id}: got no lane ${index}`);
    return lane;
  }
}
