import { createHash } from 'node:crypto';
import { TransientError } from '../core/errors.ts';
import type { MinuteLoad } from '../core/scaling.ts';
import type { Random } from '../ports/random.ts';
import type { Stream } from '../ports/stream.ts';
import { Minutes } from './minutes.ts';
import type { SimPolicies } from './policies.ts';
import { below } from './randoms.ts';

/** An event that a producer sends. */
export interface SimEvent {
  readonly atMs: number;
  readonly partitionKey: string;
  /** Decimal; without one the partition key is hashed. */
  readonly explicitHashKey?: string;
  readonly bytes: Uint8Array;
  /** What the producer packed into the bytes, where they are an aggregate. */
  readonly inner?: readonly InnerEvent[];
}

/** An event in an aggregate. */
export interface InnerEvent {
  readonly partitionKey: string;
  readonly bytes: Uint8Array;
}

/** What counts as one event: a record, or one of those packed into it. */
export interface SimUnit extends InnerEvent {
  readonly record: SimRecord;
  /** Place in the aggregate, 0 where there is none. */
  readonly index: number;
}

/** A record of the simulated stream. */
export interface SimRecord {
  /** Which of the streams of this name: 0, and one more each time it is made again. */
  readonly incarnation: number;
  readonly shard: number;
  /** Decimal digits, growing along the shard. */
  readonly sequence: string;
  readonly partitionKey: string;
  /** Approximate: may be a little before that of the record before. */
  readonly arrivalMs: number;
  /** When it truly came; retention counts from here. */
  readonly putMs: number;
  readonly bytes: Uint8Array;
  readonly units: readonly SimUnit[];
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

/** What a stream is made with. */
export interface SimStreamOptions {
  readonly arn: string;
  readonly shards: number;
  readonly createdMs: number;
  readonly random: Random;
  readonly policies: Pick<SimPolicies, 'sequenceDigits' | 'arrivalSkewMs'>;
  /** Records that a shard takes in a second; default as Kinesis does. */
  readonly shardRecords?: number;
}

const SPACE = 2n ** 128n;

/** What a shard takes in a second: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */
const SHARD_LIMITS = { records: 1_000, bytes: 1_048_576 } as const;

/** The hash key of a partition key: its MD5 as a number. https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`);
}

/** What a shard took in the present second. */
interface Taken {
  secondMs: number;
  records: number;
  bytes: number;
}

/**
 * A Kinesis stream: shards over the hash space, splits, merges, growing sequence numbers, limits of what
 * a shard takes, and a life that ends when it is deleted.
 * https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html
 *
 * Invariants
 * 1. The open shards cover the hash space without overlap.
 * 2. Sequence numbers of a shard grow; those of two shards are not comparable.
 */
export class SimStream {
  readonly #options: SimStreamOptions;
  readonly #hashKeys = new Map<string, bigint>();
  readonly #taken = new Map<number, Taken>();
  readonly #last = new Map<number, bigint>();
  readonly #minutes = new Minutes();
  /** Shards of the incarnations before. */
  readonly #past: (readonly SimShard[])[] = [];
  #createdMs: number;
  #shards: SimShard[] = [];
  #incarnation = 0;
  #exists = true;
  #slowUntilMs = 0;
  #slowShard = 0;

  constructor(options: SimStreamOptions) {
    this.#options = options;
    this.#createdMs = options.createdMs;
    this.#makeShards();
  }

  /** The stream as the handlers ask for it. */
  readonly port: Stream = {
    identify: async () => {
      this.#checkExists();
      return { arn: this.#options.arn, createdMs: this.#createdMs };
    },
    parents: async (shard) => {
      this.#checkExists();
      return this.#shards[shard]?.parents ?? [];
    },
  };

  /** Of the stream that there is now. */
  get shards(): readonly SimShard[] {
    return this.#shards;
  }

  get exists(): boolean {
    return this.#exists;
  }

  get createdMs(): number {
    return this.#createdMs;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  /** Every record of all incarnations, in the order of shards and sequence numbers. */
  get records(): readonly SimRecord[] {
    return [...this.#past, this.#shards].flat().flatMap(({ records }) => records);
  }

  /** The shards of an incarnation, with those that were split or merged. */
  shardsOf(incarnation: number): readonly SimShard[] {
    return incarnation === this.#incarnation && this.#exists
      ? this.#shards
      : (this.#past[incarnation] ?? []);
  }

  /** Shards that take records. */
  get open(): readonly SimShard[] {
    return this.#shards.filter((shard) => shard.open);
  }

  /** Appends an event to the open shard that holds its hash key; undefined where that has taken all it can. */
  put(event: SimEvent, nowMs: number): SimRecord | undefined {
    if (!this.#exists) return undefined;
    const shard = this.#shardOf(event);
    const takes = this.#takes(shard, event, nowMs);
    this.#minutes.note(event.bytes.length, takes, nowMs);
    if (!takes) return undefined;
    const { random, policies } = this.#options;
    const last = (this.#last.get(shard.number) ?? 0n) + 1n + BigInt(below(random, 50));
    this.#last.set(shard.number, last);
    const skewMs = below(random, policies.arrivalSkewMs + 1);
    const units: SimUnit[] = [];
    const record: SimRecord = {
      incarnation: this.#incarnation,
      shard: shard.number,
      sequence: String(last),
      partitionKey: event.partitionKey,
      // The handlers know no arrival before 1970.
      arrivalMs: Math.max(1, nowMs - skewMs),
      putMs: nowMs,
      bytes: event.bytes,
      units,
    };
    const inner = event.inner ?? [{ partitionKey: event.partitionKey, bytes: event.bytes }];
    for (const [index, one] of inner.entries()) units.push({ ...one, record, index });
    shard.records.push(record);
    return record;
  }

  /** What came in each minute, as CloudWatch tells. */
  get minutes(): readonly MinuteLoad[] {
    return this.#minutes.all;
  }

  /** Doubles or halves the open shards, each split or merged once. Those that are new. */
  resize(shards: number): readonly SimShard[] {
    const { open } = this;
    if (shards === open.length * 2) return open.flatMap((shard) => this.split(shard));
    if (shards * 2 !== open.length) {
      throw new RangeError(`shards: got ${shards}, expected twice or half of ${open.length}`);
    }
    const sorted = [...open].sort((left, right) => (left.low < right.low ? -1 : 1));
    return sorted.flatMap((shard, index) => (index % 2 === 0 ? this.merge(shard) : []));
  }

  /** One open shard takes little until then, as if others wrote to it too. */
  slowDown(nowMs: number, ms: number): void {
    this.#slowShard = this.open[below(this.#options.random, this.open.length)]?.number ?? 0;
    this.#slowUntilMs = nowMs + ms;
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

  /** Deletes it with everything in it. */
  delete(): void {
    this.#exists = false;
    this.#past.push(this.#shards);
    this.#shards = [];
  }

  /** Makes it again: an empty stream of the same name, whose shards count from 0. */
  recreate(nowMs: number): void {
    this.#exists = true;
    this.#createdMs = nowMs;
    this.#incarnation += 1;
    this.#taken.clear();
    this.#last.clear();
    this.#makeShards();
  }

  #makeShards(): void {
    const count = BigInt(this.#options.shards);
    for (let index = 0n; index < count; index += 1n) {
      this.#add([], (SPACE * index) / count, (SPACE * (index + 1n)) / count - 1n);
    }
  }

  #add(parents: readonly number[], low: bigint, high: bigint): SimShard {
    const shard = { number: this.#shards.length, parents, low, high, records: [], open: true };
    const { random, policies } = this.#options;
    // Short enough that lengths of numbers change within a shard.
    const start = below(random, 10 ** (1 + below(random, policies.sequenceDigits)));
    this.#last.set(shard.number, BigInt(start));
    this.#shards.push(shard);
    return shard;
  }

  #shardOf(event: SimEvent): SimShard {
    const hash =
      event.explicitHashKey === undefined
        ? this.#hashKeyOf(event.partitionKey)
        : BigInt(event.explicitHashKey);
    const shard = this.#shards.find(({ low, high, open }) => open && low <= hash && hash <= high);
    if (shard !== undefined) return shard;
    throw new RangeError(`hash key ${hash}: got no open shard, expected it from 0 to 2^128 - 1`);
  }

  #hashKeyOf(partitionKey: string): bigint {
    const known = this.#hashKeys.get(partitionKey) ?? hashKeyOf(partitionKey);
    this.#hashKeys.set(partitionKey, known);
    return known;
  }

  #takes({ number }: SimShard, { partitionKey, bytes }: SimEvent, nowMs: number): boolean {
    const secondMs = Math.floor(nowMs / 1_000);
    let taken = this.#taken.get(number);
    if (taken?.secondMs !== secondMs) taken = { secondMs, records: 0, bytes: 0 };
    this.#taken.set(number, taken);
    const size = bytes.length + Buffer.byteLength(partitionKey);
    const slow = number === this.#slowShard && nowMs < this.#slowUntilMs;
    const share = slow ? 0.001 : 1;
    const full =
      taken.records + 1 > (this.#options.shardRecords ?? SHARD_LIMITS.records) * share ||
      (!slow && taken.bytes + size > SHARD_LIMITS.bytes);
    if (full) return false;
    taken.records += 1;
    taken.bytes += size;
    return true;
  }

  #checkExists(): void {
    if (!this.#exists) throw new TransientError('stream: simulated, there is none now');
  }
}
