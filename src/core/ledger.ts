import { decodeIds, encodeIds } from './folded-ids.ts';
import type { FoldedId } from './id-table.ts';
import { bytesIn, checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { decodePosition, encodePosition, type Position } from './position.ts';

/**
 * The stored form of the ledger: for each writer a dense chain of entries. Entry n+1 exists only when
 * everything up to its position is durable.
 */

/** Format version of ledger items. */
export const LEDGER_FORMAT = 1;

/** The one generation that exists so far; keys carry it so that a rebuilt one can stand beside it. */
export const GENERATION = '1';

/** One link of a writer's chain. */
export interface LedgerEntry {
  readonly writer: string;
  /** 1, 2, 3 and so on, without a gap. */
  readonly n: number;
  /** Everything at or before it is done; undefined in a marker before the first record. */
  readonly position: Position | undefined;
  /** Highest event time accepted, milliseconds since 1970 UTC; undefined before the first. */
  readonly watermarkMs: number | undefined;
  /** Latest arrival of any record of the writer up to here; never falls along the chain. */
  readonly highArrivalMs: number;
  /** The ids that this entry's records folded. */
  readonly ids: readonly FoldedId[];
  /** Windows up to here were closed without waiting for this writer; reserved for closing. */
  readonly closedThroughMs: number | undefined;
  /** Fingerprint of the pipeline that decided, or of the one that a switch marker names; '' where none has. */
  readonly fingerprint: string;
  /** When it was written, milliseconds since 1970 UTC: the keeper's measure of age. */
  readonly writtenMs: number;
  /** When DynamoDB may delete it, seconds since 1970 UTC. */
  readonly ttlSeconds: number;
}

const ENTRY_PREFIX = 'e#';

/** Partition key of a writer's ledger items. */
export function ledgerKey(writer: string): string {
  return `${GENERATION}|${writer}`;
}

/** Sort key of entry n; the byte order of the keys is the order of the numbers. */
export function entryKey(n: number): string {
  return `${ENTRY_PREFIX}${String(n).padStart(12, '0')}`;
}

/** Sort key before every entry. */
export const BEFORE_ENTRIES = ENTRY_PREFIX;

/** Prefix of every entry's sort key. */
export const ENTRIES = ENTRY_PREFIX;

/** The item of an entry. Attributes: p position, w watermark, a high arrival, i ids, c closed through, f fingerprint, t written. */
export function encodeEntry(entry: LedgerEntry): StoredItem {
  return {
    pk: ledgerKey(entry.writer),
    sk: entryKey(entry.n),
    v: LEDGER_FORMAT,
    a: entry.highArrivalMs,
    f: entry.fingerprint,
    t: entry.writtenMs,
    ttl: entry.ttlSeconds,
    ...(entry.position === undefined ? {} : { p: encodePosition(entry.position) }),
    ...(entry.watermarkMs === undefined ? {} : { w: entry.watermarkMs }),
    ...(entry.closedThroughMs === undefined ? {} : { c: entry.closedThroughMs }),
    ...(entry.ids.length === 0 ? {} : { i: encodeIds(entry.ids, entry.highArrivalMs) }),
  };
}

/** @throws InvariantError when the item is not one that `encodeEntry` made */
export function decodeEntry(item: StoredItem): LedgerEntry {
  checkVersion(item, LEDGER_FORMAT);
  const highArrivalMs = numberIn(item, 'a');
  return {
    writer: item.pk.slice(GENERATION.length + 1),
    n: Number(item.sk.slice(ENTRY_PREFIX.length)),
    position: item.p === undefined ? undefined : decodePosition(textIn(item, 'p')),
    watermarkMs: item.w === undefined ? undefined : numberIn(item, 'w'),
    highArrivalMs,
    ids: item.i === undefined ? [] : decodeIds(bytesIn(item, 'i'), highArrivalMs),
    closedThroughMs: item.c === undefined ? undefined : numberIn(item, 'c'),
    fingerprint: textIn(item, 'f'),
    writtenMs: numberIn(item, 't'),
    ttlSeconds: numberIn(item, 'ttl'),
  };
}
