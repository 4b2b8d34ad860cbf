import { createHash } from 'node:crypto';

/** A record to be compared, with its place. */
export interface PlacedRecord {
  /** Such as `shardId-000000000000`. */
  readonly shard: string;
  readonly sequence: string;
  readonly partitionKey: string;
  readonly bytes: Uint8Array;
}

/** Consecutive records of a shard. */
export interface RecordBlock {
  readonly first: string;
  readonly last: string;
  readonly count: number;
  readonly digest: string;
}

/** Where two lists of a shard's records begin to differ; undefined where one has ended. */
export interface RecordDifference {
  readonly shard: string;
  /** Records before it, which are equal. */
  readonly equal: number;
  readonly sent: RecordBlock | undefined;
  readonly archived: RecordBlock | undefined;
}

/** Records of a block: a difference is found to so many, and memory stays small. */
const BLOCK_RECORDS = 1_000;

interface Open {
  readonly hash: ReturnType<typeof createHash>;
  readonly first: string;
  last: string;
  count: number;
}

/** The records of each shard in their order, as digests of sequence number, partition key and bytes. */
export class RecordDigests {
  readonly #blocks = new Map<string, RecordBlock[]>();
  readonly #open = new Map<string, Open>();
  #count = 0;

  /** How many were added. */
  get count(): number {
    return this.#count;
  }

  /** The shards that have a record. */
  get shards(): readonly string[] {
    return [...this.#blocks.keys()];
  }

  /** Adds a shard's next record. */
  add({ shard, sequence, partitionKey, bytes }: PlacedRecord): void {
    const open = this.#open.get(shard) ?? {
      hash: createHash('sha256'),
      first: sequence,
      last: sequence,
      count: 0,
    };
    // Lengths stand before what they measure: no two different records give the same input.
    open.hash.update(JSON.stringify([sequence, partitionKey, bytes.length]));
    open.hash.update(bytes);
    open.last = sequence;
    open.count += 1;
    this.#count += 1;
    this.#open.set(shard, open);
    if (!this.#blocks.has(shard)) this.#blocks.set(shard, []);
    if (open.count === BLOCK_RECORDS) this.#close(shard);
  }

  /** The blocks of a shard; the last one may be shorter, and what is added afterwards begins another. */
  blocks(shard: string): readonly RecordBlock[] {
    this.#close(shard);
    return this.#blocks.get(shard) ?? [];
  }

  #close(shard: string): void {
    const open = this.#open.get(shard);
    if (open === undefined) return;
    this.#open.delete(shard);
    const { first, last, count, hash } = open;
    this.#blocks.get(shard)?.push({ first, last, count, digest: hash.digest('hex') });
  }
}

/** Where each shard begins to differ; empty when all is equal. */
export function compareDigests(
  sent: RecordDigests,
  archived: RecordDigests,
): readonly RecordDifference[] {
  const shards = [...new Set([...sent.shards, ...archived.shards])].sort();
  return shards.flatMap((shard) => {
    const [left, right] = [sent.blocks(shard), archived.blocks(shard)];
    let equal = 0;
    for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
      const [one, other] = [left[index], right[index]];
      if (one?.digest !== other?.digest) return [{ shard, equal, sent: one, archived: other }];
      equal += one?.count ?? 0;
    }
    return [];
  });
}
