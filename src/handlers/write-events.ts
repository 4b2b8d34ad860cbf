import { zstdCompressSync } from 'node:zlib';
import {
  CHUNK_FORMAT,
  type ChunkEvent,
  type ChunkedRange,
  chunkKey,
  chunkPartition,
  chunksOf,
  encodeChunk,
  encodeIdIndex,
  idIndexKey,
  idIndexPartition,
} from '../core/event-chunk.ts';
import type { FoldedId } from '../core/id-table.ts';
import type { KeptEvent } from '../core/plan.ts';
import { packPosition } from '../core/position.ts';
import type { Item } from '../ports/table.ts';
import { seconds } from './lifetimes.ts';
import { retryFailed } from './retry.ts';
import {
  firstError,
  type SourceRecord,
  type Unwritten,
  type WriteContext,
} from './write-context.ts';

/** Format version of event items. */
export const EVENT_FORMAT = 2;

/** Sort key of every event item: there is one a name. */
export const EVENT_KEY = 'event';

/** An accepted record whose event is kept. */
export interface KeptRecord {
  readonly ordinal: number;
  readonly record: SourceRecord;
  readonly kept: KeptEvent;
  /** Undefined where the event has no id. */
  readonly id: FoldedId | undefined;
}

/** An item and the records that it makes durable. */
interface EventWrite {
  readonly item: Item;
  readonly records: readonly KeptRecord[];
}

/**
 * Puts what is kept of the events, one by one or packed, with its indexes. Idempotent: an item follows
 * from its records alone. A try with other boundaries packs them otherwise; readers drop the copies.
 *
 * @returns the records of which something may not be there
 */
export async function writeEvents(
  context: WriteContext,
  records: readonly KeptRecord[],
): Promise<Unwritten<KeptRecord>> {
  const { retention, events } = context.program.settings;
  if (retention.eventsMs === null || records.length === 0) return { records: [], error: undefined };
  // An id that came again beyond the horizon within one batch: the later event stays.
  const latest = new Map(records.map((one) => [one.kept.name, one]));
  const distinct = records.filter((one) => latest.get(one.kept.name) === one);
  const writes =
    events.layout === 'each'
      ? [...distinct.map((one) => eventWrite(context.writer, one, retention.eventsMs ?? 0))]
      : [];
  if (events.layout === 'packed' || events.index) writes.push(...chunkWrites(context, distinct));
  const results = await retryFailed(context, writes, (open) =>
    context.ports.events.putAll(
      open.map(({ item }) => item),
      context,
    ),
  );
  const missing = new Set(
    writes
      .filter((_, index) => results[index]?.status !== 'written')
      .flatMap((write) => write.records.map(({ kept }) => kept.name)),
  );
  return {
    records: records.filter(({ kept }) => missing.has(kept.name)),
    error: firstError(results),
  };
}

/**
 * Attributes: k key, e event time, a arrival, w writer, p position, d the rows as JSON; the TTL counts
 * from the later of event time and arrival.
 */
function eventWrite(writer: string, one: KeptRecord, retentionMs: number): EventWrite {
  const { record, kept } = one;
  const item = {
    pk: kept.name,
    sk: EVENT_KEY,
    v: EVENT_FORMAT,
    k: kept.key,
    e: kept.timeMs,
    a: record.arrivalMs,
    w: writer,
    p: packPosition(record.position),
    d: kept.rows,
    ttl: ttlOf([one], retentionMs),
  };
  return { item, records: [one] };
}

type Entry = ChunkEvent & { readonly source: KeptRecord };

/** Chunks by event time; where they hold the events themselves, an index of ids too. */
function chunkWrites(context: WriteContext, records: readonly KeptRecord[]): EventWrite[] {
  const { retention, events } = context.program.settings;
  const packed = events.layout === 'packed';
  const retentionMs = retention.eventsMs ?? 0;
  const range = rangeOf(records);
  if (range === undefined) return [];
  const chunks = chunksOf(records.map((one) => entryOf(one, packed))).map((chunk, number) => ({
    sk: chunkKey(chunk, range, number),
    chunk,
  }));
  const writes = chunks.map(({ sk, chunk }): EventWrite => {
    const sources = chunk.map(({ source }) => source);
    const item = {
      pk: chunkPartition(context.writer),
      sk,
      v: CHUNK_FORMAT,
      d: new Uint8Array(zstdCompressSync(encodeChunk(chunk))),
      ttl: ttlOf(sources, retentionMs),
    };
    return { item, records: sources };
  });
  if (!packed || !events.index) return writes;
  const indexed = chunks.map(({ sk, chunk }) => ({
    sk,
    ids: chunk.flatMap(({ source }) => source.id ?? []),
  }));
  const item = {
    pk: idIndexPartition(context.writer),
    sk: idIndexKey(records[0]?.record.arrivalMs ?? 0, range),
    v: CHUNK_FORMAT,
    d: encodeIdIndex(indexed),
    ttl: ttlOf(records, retentionMs),
  };
  return [...writes, { item, records }];
}

/** Records come in the order of position. */
function rangeOf(records: readonly KeptRecord[]): ChunkedRange | undefined {
  const first = records[0]?.record.position;
  const last = records.at(-1)?.record.position;
  return first === undefined || last === undefined ? undefined : { first, last };
}

function entryOf(source: KeptRecord, packed: boolean): Entry {
  const { kept, record } = source;
  const { name, key, timeMs, rows } = kept;
  const { arrivalMs, position } = record;
  return { name, key, timeMs, arrivalMs, position, rows: packed ? rows : undefined, source };
}

function ttlOf(records: readonly KeptRecord[], retentionMs: number): number {
  const latestMs = records.reduce(
    (latest, { kept, record }) => Math.max(latest, kept.timeMs, record.arrivalMs),
    0,
  );
  return seconds(latestMs + retentionMs);
}
