import { zstdDecompressSync } from 'node:zlib';
import { chunkPartition, decodeChunk } from '../core/event-chunk.ts';
import { blockStartOf, packParts } from '../core/layout.ts';
import { decodePage } from '../core/page.ts';
import { type Position, unpackPosition } from '../core/position.ts';
import type { Aggregate, CellResult, GroupValue, Program } from '../core/program.ts';
import { mergePages } from '../core/read.ts';
import { EVENT_KEY } from '../handlers/write-events.ts';
import type { Item, ItemKey } from '../ports/table.ts';

/**
 * All that the simulation knows of how cells and events are stored. Whoever stores them otherwise
 * changes this file, and no check.
 */

/** A cell, or what else of the aggregates table moves forward as one: a page. */
export interface StoredCell {
  readonly name: string;
  /** Up to where its writer is folded in. */
  readonly position: Position;
  /** When DynamoDB may delete it, milliseconds since 1970 UTC. */
  readonly ttlMs: number;
}

/** False for what the aggregates table has of closed windows. */
export function isPage({ pk }: Pick<ItemKey, 'pk'>): boolean {
  return pk.split('|').length === 4;
}

/** What stands in an item of the aggregates table. */
export function storedCells(item: Item): readonly StoredCell[] {
  if (!isPage(item)) return [];
  const position = unpackPosition(String(item.p));
  return [{ name: `${item.pk} ${item.sk}`, position, ttlMs: Number(item.ttl) * 1000 }];
}

/** The writer of an item or key of the aggregates table, such as `t4x9k2-1f3a9c0d.p0`. */
export function writerOfCells({ pk }: ItemKey): string {
  return packParts(pk).writer;
}

/** What an item or key is called in the picture: `origins 01-15T12:00 bucket 0 of p0`. */
export function cellNames(item: ItemKey): readonly string[] {
  if (!isPage(item)) return [];
  const { aggregate, writer, bucket } = packParts(item.pk);
  const lane = writer.slice(writer.lastIndexOf('.') + 1);
  const block = item.sk === '' ? '' : ` ${item.sk.slice(5, 16)}`;
  return [`${aggregate}${block} bucket ${bucket} of ${lane}`];
}

/** Cells by window, writer, start and group: one that stands in two pages would be read twice. */
export function cellPlaces(program: Program, items: readonly Item[]): readonly string[] {
  return program.aggregates.flatMap((aggregate) =>
    itemsOf(aggregate, items).flatMap((item) =>
      decodePage(aggregate, item).cells.map(
        ({ startMs, group }) => `${item.pk} ${startMs} ${group}`,
      ),
    ),
  );
}

/** Most cells that are read, and kept, together. */
export function largestPack(program: Program, items: readonly Item[]): number {
  const packs = new Map<string, number>();
  for (const aggregate of program.aggregates) {
    for (const item of itemsOf(aggregate, items)) {
      const pack = `${item.pk} ${blockStartOf(item.sk)}`;
      const { cells } = decodePage(aggregate, item);
      packs.set(pack, (packs.get(pack) ?? 0) + cells.length);
    }
  }
  return Math.max(0, ...packs.values());
}

/** One result of a window. */
export interface ResultRow extends CellResult {
  readonly aggregate: Aggregate;
  readonly group: readonly GroupValue[];
}

/** The results that items of the aggregates table add up to, by window, start and group. */
export function resultRows(program: Program, items: readonly Item[]): readonly ResultRow[] {
  return program.aggregates.flatMap((aggregate) =>
    mergePages(aggregate, itemsOf(aggregate, items)).map((row) => ({ ...row, aggregate })),
  );
}

function itemsOf(aggregate: Aggregate, items: readonly Item[]): readonly Item[] {
  return items.filter((item) => isPage(item) && packParts(item.pk).aggregate === aggregate.name);
}

/** Where an event can be kept: on its own, or in a chunk with others that were close in time. */
export type EventPlace = 'own' | 'chunk';

/** An event that is kept. */
export interface StoredEvent {
  readonly place: EventPlace;
  /** Source and id, or writer and position where the event has no id. */
  readonly name: string;
  readonly writer: string;
  readonly position: Position;
}

const CHUNKS = chunkPartition('');

/** The events in an item of the events table; none in an index of ids. */
export function storedEvents(item: Item): readonly StoredEvent[] {
  if (item.sk === EVENT_KEY) {
    const position = unpackPosition(String(item.p));
    return [{ place: 'own', name: item.pk, writer: String(item.w), position }];
  }
  if (!item.pk.endsWith(CHUNKS)) return [];
  const writer = item.pk.slice(0, -CHUNKS.length);
  const events = decodeChunk(zstdDecompressSync(item.d as Uint8Array));
  return events.map(({ name, position }) => ({ place: 'chunk', name, writer, position }));
}

/** Where each kept event of a program has to be found. */
export function eventPlaces({ settings: { events } }: Program): readonly EventPlace[] {
  if (events.layout === 'packed') return ['chunk'];
  return events.index ? ['own', 'chunk'] : ['own'];
}
