import type { ArchivedRecord } from './archive-object.ts';
import { checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { lookbackMs } from './origin.ts';
import type { Aggregate, ProgramSettings } from './program.ts';

/**
 * How far a replay is. Its ledger says what counts, record by record; cursors only spare the next call
 * what is known to be finished, so that they may be lost, or go back.
 */

/** Format version of cursors. */
const CURSOR_FORMAT = 1;

/** The last record of a shard that is finished. */
export type Cursor = Pick<ArchivedRecord, 'sequence' | 'arrivalMs'>;

/** A shard of a stream. */
export interface ShardName {
  readonly epoch: string;
  readonly shard: number;
}

/** Partition key of the cursors of a replay. @param job names the range, as cursors of another one mean something else */
export function cursorPartition(job: string): string {
  return `replay|${job}`;
}

/** Sort key of a shard's cursor. */
export function cursorKey({ epoch, shard }: ShardName): string {
  return `${epoch}|${String(shard).padStart(12, '0')}`;
}

/** The item of a cursor. Attributes: s sequence number, a arrival. */
export function encodeCursor(
  job: string,
  name: ShardName,
  cursor: Cursor & { readonly ttlSeconds: number },
): StoredItem {
  return {
    pk: cursorPartition(job),
    sk: cursorKey(name),
    v: CURSOR_FORMAT,
    s: cursor.sequence,
    a: cursor.arrivalMs,
    ttl: cursor.ttlSeconds,
  };
}

/** @throws InvariantError when the item is not one that `encodeCursor` made */
export function decodeCursor(item: StoredItem): Cursor {
  checkVersion(item, CURSOR_FORMAT);
  return { sequence: textIn(item, 's'), arrivalMs: numberIn(item, 'a') };
}

/**
 * Windows that start at or after this time are whole in a generation that was rebuilt from records that
 * arrived at or after `fromMs`; milliseconds since 1970 UTC.
 *
 * An event of such a window arrived at most `futureMs` before its time, so it is in the range; so is every
 * copy of it that counts, one deduplication horizon earlier; and so is every event before it that could
 * have joined its session.
 */
export function wholeFromMs(
  settings: ProgramSettings,
  aggregate: Aggregate,
  fromMs: number,
): number {
  const gapMs = aggregate.type === 'session' ? aggregate.gapMs : 0;
  return fromMs + settings.futureMs + lookbackMs(settings) + gapMs;
}
