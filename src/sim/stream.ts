import { murmur3 } from '../core/hash.ts';
import type { SimRecord } from './world.ts';

/** An event that a producer sends. */
export interface SimEvent {
  readonly atMs: number;
  readonly partitionKey: string;
  /** Decimal; without one the partition key is hashed. */
  readonly explicitHashKey?: string;
  readonly bytes: Uint8Array;
}

/** A shard: a range of hash keys, both ends in it, and its records in their order. */
export interface SimShard {
  readonly number: number;
  readonly parents: readonly number[];
  readonly low: bigint;
  readonly high: bigint;
  readonly records: SimRecord[];
  /** False after a split or a merge: nothing more comes. */
  open: boolean;
}

const SPACE = 2n ** 128n;
const utf8 = new TextEncoder();

/**
 * A Kinesis stream: shards over the hash space, splits, merges, growing sequence numbers. Where Kinesis
 * takes the MD5 of a partition key, this spreads a 32-bit hash: only where a key goes differs.
 * https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html
 */
export class SimStream {
  readonly shards: SimShard[] = [];
  #sequence = 1_000n;

  constructor(count: number) {
    for (let index = 0; index < count; index += 1) {
      const low = (SPACE * BigInt(index)) / BigInt(count);
      const high = (SPACE * BigInt(index + 1)) / BigInt(count) - 1n;
      this.#add([], low, high);
    }
  }

  /** Appends an event to the open shard that holds its hash key. */
  put(event: SimEvent, nowMs: number): SimRecord {
    const hash =
      event.explicitHashKey === undefined
        ? (BigInt(murmur3(utf8.encode(event.partitionKey))) * SPACE) / 2n ** 32n
        : BigInt(event.explicitHashKey);
    const shard = this.open.find(({ low, high }) => low <= hash && hash <= high);
    if (shard === undefined) throw new RangeError(`hash key ${hash}: got no open shard`);
    this.#sequence += 1n;
    const { partitionKey, bytes } = event;
    const sequence = String(this.#sequence);
    const record = { shard: shard.number, sequence, partitionKey, arrivalMs: nowMs, bytes };
    shard.records.push(record);
    return record;
  }

  /** Shards that take records. */
  get open(): readonly SimShard[] {
    return this.shards.filter((shard) => shard.open);
  }

  /** Every record, in the order of shards and sequence numbers. */
  get records(): readonly SimRecord[] {
    return this.shards.flatMap(({ records }) => records);
  }

  /** Splits a shard in the middle; its children. */
  split(shard: SimShard): readonly SimShard[] {
    const middle = (shard.low + shard.high) / 2n;
    if (middle === shard.high) return [];
    shard.open = false;
    return [
      this.#add([shard.number], shard.low, middle),
      this.#add([shard.number], middle + 1n, shard.high),
    ];
  }

  /** Merges a shard with its neighbour above; their child, or none where there is no such open one. */
  merge(shard: SimShard): readonly SimShard[] {
    const neighbour = this.open.find(({ low }) => low === shard.high + 1n);
    if (neighbour === undefined) return [];
    shard.open = false;
    neighbour.open = false;
    return [this.#add([shard.number, neighbour.number], shard.low, neighbour.high)];
  }

  #add(parents: readonly number[], low: bigint, high: bigint): SimShard {
    const shard = { number: this.shards.length, parents, low, high, records: [], open: true };
    this.shards.push(shard);
    return shard;
  }
}
