import { checkVersion, numberIn, type StoredItem, textIn } from './item.ts';

/** Format version of tail items. */
export const TAIL_FORMAT = 1;

/** The attribute that a write of a tail is conditional on. */
export const TAIL_POSITION = 'p';

/** How far a shard is archived: everything from `first` to `last` is in objects that are durable. */
export interface ArchiveTail {
  readonly epoch: string;
  readonly shard: number;
  /** Sequence number of the first record that the archiver was given. */
  readonly first: string;
  readonly firstArrivalMs: number;
  readonly last: string;
  readonly lastArrivalMs: number;
  /** Every record that arrived before this time stands at or before `last`; milliseconds since 1970 UTC. */
  readonly knownMs: number;
}

/** Start of the partition keys of tails, in the ledger table. */
export const TAIL_PREFIX = 'archive|';

/** Partition key of the tails of an epoch's shards. */
export function tailPartition(epoch: string): string {
  return `${TAIL_PREFIX}${epoch}`;
}

/** Sort key of a shard's tail. */
export function tailKey(shard: number): string {
  return String(shard).padStart(12, '0');
}

/**
 * The item of a tail. It never expires: without it, what comes next could not name what it follows.
 * Attributes: f first, b its arrival, p last, a its arrival, k known.
 */
export function encodeTail(tail: ArchiveTail): StoredItem {
  return {
    pk: tailPartition(tail.epoch),
    sk: tailKey(tail.shard),
    v: TAIL_FORMAT,
    f: tail.first,
    b: tail.firstArrivalMs,
    p: tail.last,
    a: tail.lastArrivalMs,
    k: tail.knownMs,
  };
}

/** @throws InvariantError when the item is not one that `encodeTail` made */
export function decodeTail(item: StoredItem): ArchiveTail {
  checkVersion(item, TAIL_FORMAT);
  return {
    epoch: item.pk.slice(TAIL_PREFIX.length),
    shard: Number(item.sk),
    first: textIn(item, 'f'),
    firstArrivalMs: numberIn(item, 'b'),
    last: textIn(item, TAIL_POSITION),
    lastArrivalMs: numberIn(item, 'a'),
    knownMs: numberIn(item, 'k'),
  };
}
