import { InvariantError, show } from './errors.ts';
import { bytesIn, checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { blockStartOf } from './layout.ts';
import { type Position, packPosition, unpackPosition } from './position.ts';
import type { Aggregate } from './program.ts';
import { readValue, writeValue } from './value-codec.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Format version of pages. */
export const PAGE_FORMAT = 2;

/** The attribute that a page's conditional write compares. */
export const PAGE_POSITION = 'p';

/** A page that has reached this many bytes of cells takes no new ones: with its keys it is then about 1 KB. */
export const PAGE_BYTES = 880;

/** Longest group key in bytes: a page of such cells stays far from 400 KB. */
export const GROUP_BYTES_MAX = 1024;

/** One cell in a page: one group of one window, as one writer saw it. */
export interface PageCell {
  /** Start of the window, milliseconds since 1970 UTC. */
  readonly startMs: number;
  /** The group's values as a JSON array, such as `["ATL"]`. */
  readonly group: string;
  /** The aggregate's state. */
  state: unknown;
}

/**
 * Cells that are stored together, at one position: everything of the writer up to there that touches
 * one of them is folded in.
 */
export interface Page {
  readonly position: Position;
  /** True when no new cell may be added any more; the next page may exist only then. */
  readonly sealed: boolean;
  readonly cells: readonly PageCell[];
  /** When DynamoDB may delete it, seconds since 1970 UTC. */
  readonly ttlSeconds: number;
}

/** Names one page. */
export interface PageKey {
  readonly pk: string;
  readonly sk: string;
}

const SEALED = 1;

/**
 * The item of a page. Attributes: v format, p position, ttl, and d: one byte of flags (1 sealed), then a
 * cell after the other: varint of the window's number in the block, the group's JSON without its
 * brackets as a text, the state as a value.
 */
export function encodePage(aggregate: Aggregate, key: PageKey, page: Page): StoredItem {
  const blockMs = blockStartOf(key.sk);
  const writer = new ByteWriter();
  writer.byte(page.sealed ? SEALED : 0);
  for (const { startMs, group, state } of page.cells) {
    writer.varint((startMs - blockMs) / aggregate.layout.gridMs);
    writeValue(writer, group.slice(1, -1));
    writeValue(writer, aggregate.cell.encode(state));
  }
  return {
    ...key,
    v: PAGE_FORMAT,
    p: packPosition(page.position),
    d: writer.finish(),
    ttl: page.ttlSeconds,
  };
}

/** @throws InvariantError when the item is not one that `encodePage` made for this aggregate */
export function decodePage(aggregate: Aggregate, item: StoredItem): Page {
  checkVersion(item, PAGE_FORMAT);
  const reader = new ByteReader(bytesIn(item, 'd'));
  const blockMs = blockStartOf(item.sk);
  const flags = reader.byte();
  const cells: PageCell[] = [];
  while (!reader.done) {
    const startMs = blockMs + reader.varint() * aggregate.layout.gridMs;
    const inner = readValue(reader);
    if (typeof inner !== 'string') {
      throw new InvariantError(`page ${show(item.sk)}: got a group that is no text`);
    }
    const state = aggregate.cell.decode(readValue(reader));
    cells.push({ startMs, group: `[${inner}]`, state });
  }
  return {
    position: unpackPosition(textIn(item, PAGE_POSITION)),
    sealed: (flags & SEALED) !== 0,
    cells,
    ttlSeconds: numberIn(item, 'ttl'),
  };
}
