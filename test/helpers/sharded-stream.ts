import { compareSequences } from '../../src/core/position.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Shards } from '../../src/ports/shards.ts';
import type { Stream } from '../../src/ports/stream.ts';

/** A record of the simulated stream. */
export interface StreamRecord {
  readonly shard: number;
  readonly partition: number;
  readonly sequence: number;
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

interface Shard {
  readonly number: number;
  readonly parents: readonly number[];
  readonly partitions: readonly number[];
  readonly records: StreamRecord[];
  closedMs: number | undefined;
}

/** What a sharded stream is made with. */
export interface ShardedStreamOptions {
  readonly identity: { readonly arn: string; readonly createdMs: number };
  readonly partitions: number;
  readonly retentionMs: number;
  readonly now: () => number;
  readonly random: Random;
}

/** A stream of partitions whose shards split and merge, and which forgets what is too old. */
export class ShardedStream {
  readonly #options: ShardedStreamOptions;
  readonly #shards: Shard[];
  #sequence = 0;

  constructor(options: ShardedStreamOptions) {
    this.#options = options;
    const partitions = Array.from({ length: options.partitions }, (_, index) => index);
    this.#shards = [{ number: 0, parents: [], partitions, records: [], closedMs: undefined }];
  }

  /** Every record that ever was, in the order of each partition. */
  get records(): readonly StreamRecord[] {
    return this.#shards.flatMap(({ records }) => records);
  }

  put(partition: number, bytes: Uint8Array): void {
    const shard = this.#shards.findLast((one) => one.partitions.includes(partition));
    this.#sequence += 1;
    const arrivalMs = Math.floor(this.#options.now());
    const place = { shard: shard?.number ?? 0, partition, sequence: this.#sequence };
    shard?.records.push({ ...place, arrivalMs, bytes });
  }

  /** Splits an open shard, or merges two. */
  reshard(): void {
    const open = this.#shards.filter(({ closedMs }) => closedMs === undefined);
    const { random } = this.#options;
    const wide = open.filter(({ partitions }) => partitions.length > 1);
    if (wide.length > 0 && (open.length === 1 || random.next() < 0.6)) {
      const shard = wide[Math.floor(random.next() * wide.length)];
      if (shard === undefined) return;
      const middle = Math.ceil(shard.partitions.length / 2);
      this.#open([shard], shard.partitions.slice(0, middle));
      this.#open([shard], shard.partitions.slice(middle));
    } else {
      const two = open.slice(0, 2);
      this.#open(
        two,
        two.flatMap(({ partitions }) => partitions),
      );
    }
  }

  #open(from: readonly Shard[], partitions: readonly number[]): void {
    for (const shard of from) shard.closedMs = this.#options.now();
    const parents = from.map(({ number }) => number);
    const shard = { number: this.#shards.length, parents, partitions, records: [] };
    this.#shards.push({ ...shard, closedMs: undefined });
  }

  /** The shards that the stream lists: open, or closed and not forgotten yet. */
  get listed(): readonly Shard[] {
    const fromMs = this.#options.now() - this.#options.retentionMs;
    return this.#shards.filter(({ closedMs }) => closedMs === undefined || closedMs >= fromMs);
  }

  /** What the stream still has of a shard's records. */
  kept({ records }: Shard): readonly StreamRecord[] {
    const fromMs = this.#options.now() - this.#options.retentionMs;
    return records.filter(({ arrivalMs }) => arrivalMs >= fromMs);
  }

  readonly port: Stream = {
    identify: async () => this.#options.identity,
    parents: async (number) => {
      const listed = new Set(this.listed.map((shard) => shard.number));
      return (this.#shards[number]?.parents ?? []).filter((parent) => listed.has(parent));
    },
  };

  readonly shards: Shards = {
    list: async () => this.listed.map(({ number }) => number),
    next: async (number, after) => {
      const shard = this.#shards[number];
      const found = (shard === undefined ? [] : this.kept(shard)).find(
        ({ sequence }) => after === undefined || compareSequences(String(sequence), after) > 0,
      );
      return found === undefined
        ? { type: 'none' }
        : { type: 'record', arrivalMs: found.arrivalMs };
    },
  };
}

/** Takes a batch of one shard; answers how many of its first records are finished. */
export type Deliver = (batch: readonly StreamRecord[]) => Promise<number>;

/**
 * An event source mapping from the stream's oldest record on: a shard's records in order, parents before
 * their children, at least once. Where it stands may be forgotten, so that it goes back.
 */
export class StreamMapping {
  readonly #stream: ShardedStream;
  readonly #deliver: Deliver;
  readonly #random: Random;
  /** How many of each shard's records are finished. */
  readonly #finished = new Map<number, number>();

  constructor(stream: ShardedStream, deliver: Deliver, random: Random) {
    this.#stream = stream;
    this.#deliver = deliver;
    this.#random = random;
  }

  /** True when everything that the stream has is finished. */
  get isDone(): boolean {
    return this.#stream.listed.every((shard) => this.#isRead(shard));
  }

  /** Delivers one batch of each shard that may be read. @param forgets how often it goes back, 0 to 1 */
  async poll(forgets: number, batchMax: number): Promise<void> {
    const { listed } = this.#stream;
    const byNumber = new Map(listed.map((shard) => [shard.number, shard]));
    const isThrough = (shard: Shard): boolean => this.#isRead(shard) && mayBeRead(shard);
    // A shard without records is through when its parents are.
    const mayBeRead = (shard: Shard): boolean =>
      shard.parents.every((number) => {
        const parent = byNumber.get(number);
        return parent === undefined || isThrough(parent);
      });
    for (const shard of listed) {
      if (!mayBeRead(shard)) continue;
      const from = this.#from(shard);
      const size = 1 + Math.floor(this.#random.next() * batchMax);
      const batch = shard.records.slice(from, from + size);
      if (batch.length === 0) continue;
      const done = await this.#deliver(batch);
      const goesBack = this.#random.next() < forgets;
      this.#finished.set(
        shard.number,
        goesBack ? Math.floor(this.#random.next() * from) : from + done,
      );
    }
  }

  #from(shard: Shard): number {
    const forgotten = shard.records.length - this.#stream.kept(shard).length;
    return Math.max(forgotten, this.#finished.get(shard.number) ?? 0);
  }

  #isRead(shard: Shard): boolean {
    return this.#from(shard) >= shard.records.length;
  }
}
