import { zstdDecompressSync } from 'node:zlib';
import {
  CHUNK_SPANS_MS,
  type ChunkEvent,
  chunkPartition,
  chunkTimeKey,
  decodeChunk,
  findInIdIndex,
  idIndexPartition,
} from '../core/event-chunk.ts';
import { type HashKey, sipHash } from '../core/hash.ts';
import { bytesIn, isExpired, numberIn, textIn } from '../core/item.ts';
import { unpackPosition } from '../core/position.ts';
import type { ProgramSettings } from '../core/program.ts';
import type { Item, Page, Table } from '../ports/table.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';
import { EVENT_KEY } from './write-events.ts';

/** An event that was kept. */
export type StoredEvent = ChunkEvent & { readonly rows: string };

/** Where kept events are looked up. */
export interface EventSource {
  readonly events: Table;
  readonly settings: ProgramSettings;
  /** The writers that may have it, as the registry lists them; of a known key, its partition's. */
  readonly writers: readonly string[];
}

/** Largest chunk, decompressed: its rows and the rest of its columns. */
const CHUNK_BYTES_MAX = 4 * 1024 * 1024;

/**
 * The events of a key with an event time in [fromMs, toMs), in the order of time; expired ones left out.
 *
 * Reads the chunks that can hold them: all of the writer's events of that time, and of an hour before.
 *
 * @throws TransientError
 */
export async function eventsOfKey(
  source: EventSource,
  wanted: { readonly key: string; readonly fromMs: number; readonly toMs: number },
  context: RetryContext,
): Promise<readonly StoredEvent[]> {
  const found = new Map<string, ChunkEvent>();
  for (const writer of source.writers) {
    const chunks = await chunksBetween(source.events, writer, wanted, context);
    const live = chunks.filter((item) => !isExpired(item, context.clock.now()));
    for (const event of live.flatMap((item) => decodeChunk(decompressed(item)))) {
      const within = event.timeMs >= wanted.fromMs && event.timeMs < wanted.toMs;
      if (within && event.key === wanted.key) found.set(event.name, event);
    }
  }
  const events = [...found.values()].sort((left, right) => left.timeMs - right.timeMs);
  return withRows(source, events, context);
}

/**
 * One event by its id, or undefined where it isn't kept (any more).
 *
 * Events kept one by one are found by one read. Of packed ones the indexes of ids are read: 6 bytes an
 * event of the given arrivals, so say when it arrived where that is known.
 *
 * @throws TransientError
 */
export async function eventById(
  source: EventSource,
  wanted: {
    readonly source: string;
    readonly id: string;
    readonly idKey: HashKey;
    readonly arrivedFromMs?: number;
    readonly arrivedToMs?: number;
  },
  context: RetryContext,
): Promise<StoredEvent | undefined> {
  const name = `${wanted.source} ${wanted.id}`;
  if (source.settings.events.layout === 'each') {
    const [event] = await readEach(source.events, [name], context);
    return event;
  }
  const hash = sipHash(wanted.idKey, new TextEncoder().encode(name));
  const range = {
    after: wanted.arrivedFromMs === undefined ? '' : new Date(wanted.arrivedFromMs).toISOString(),
    before: wanted.arrivedToMs === undefined ? '~' : new Date(wanted.arrivedToMs).toISOString(),
  };
  for (const writer of source.writers) {
    const indexes = { pk: idIndexPartition(writer), ...range };
    for (const index of await itemsBetween(source.events, indexes, context)) {
      const keys = findInIdIndex(bytesIn(index, 'd'), hash);
      const event = await eventInChunks(source.events, { writer, keys, name }, context);
      if (event !== undefined) return event;
    }
  }
  return undefined;
}

async function eventInChunks(
  table: Table,
  wanted: { readonly writer: string; readonly keys: readonly string[]; readonly name: string },
  context: RetryContext,
): Promise<StoredEvent | undefined> {
  const pk = chunkPartition(wanted.writer);
  const keys = wanted.keys.map((sk) => ({ pk, sk }));
  for (const chunk of await readItems(table, keys, context)) {
    if (isExpired(chunk, context.clock.now())) continue;
    const event = decodeChunk(decompressed(chunk)).find(({ name }) => name === wanted.name);
    if (event?.rows !== undefined) return { ...event, rows: event.rows };
  }
  return undefined;
}

async function chunksBetween(
  table: Table,
  writer: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  context: RetryContext,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (const [chunk, spanMs] of CHUNK_SPANS_MS.entries()) {
    const range = {
      pk: chunkPartition(writer),
      after: Number.isFinite(spanMs) ? chunkTimeKey(chunk, fromMs - spanMs) : `${chunk}|`,
      before: chunkTimeKey(chunk, toMs),
    };
    items.push(...(await itemsBetween(table, range, context)));
  }
  return items;
}

/** Items of a partition key whose sort keys are after one and before another. */
async function itemsBetween(
  table: Table,
  { pk, after, before }: { readonly pk: string; readonly after: string; readonly before: string },
  context: RetryContext,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let next: string | undefined = after;
  while (next !== undefined) {
    const from: string = next;
    const query = from === '' ? { pk } : { pk, after: from };
    const page: Page = await retryCall(context, () => table.query(query, context));
    const own = page.items.filter(({ sk }) => sk < before);
    items.push(...own);
    next = own.length === page.items.length ? page.next : undefined;
  }
  return items;
}

/** Events kept one by one have their rows in items of their own. */
async function withRows(
  source: EventSource,
  events: readonly ChunkEvent[],
  context: RetryContext,
): Promise<readonly StoredEvent[]> {
  if (source.settings.events.layout === 'each') {
    return readEach(
      source.events,
      events.map(({ name }) => name),
      context,
    );
  }
  return events.flatMap((event) =>
    event.rows === undefined ? [] : { ...event, rows: event.rows },
  );
}

async function readEach(
  table: Table,
  names: readonly string[],
  context: RetryContext,
): Promise<readonly StoredEvent[]> {
  const keys = names.map((pk) => ({ pk, sk: EVENT_KEY }));
  const items = await readItems(table, keys, context);
  return items.filter((item) => !isExpired(item, context.clock.now())).map(storedEvent);
}

async function readItems(
  table: Table,
  keys: readonly { readonly pk: string; readonly sk: string }[],
  context: RetryContext,
): Promise<readonly Item[]> {
  const results = await retryFailed(context, keys, (open) => table.get(open, context));
  return results.flatMap((result) => {
    if (result.status === 'failed') throw result.error;
    return result.item ?? [];
  });
}

function storedEvent(item: Item): StoredEvent {
  return {
    name: item.pk,
    key: textIn(item, 'k'),
    timeMs: numberIn(item, 'e'),
    arrivalMs: numberIn(item, 'a'),
    position: unpackPosition(textIn(item, 'p')),
    rows: textIn(item, 'd'),
  };
}

function decompressed(item: Item): Uint8Array {
  return zstdDecompressSync(bytesIn(item, 'd'), { maxOutputLength: CHUNK_BYTES_MAX });
}
