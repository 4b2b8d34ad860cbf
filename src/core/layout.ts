import { murmur3Text } from './hash.ts';
import { GENERATION } from './ledger.ts';
import type { WindowSpan } from './program.ts';

/**
 * Which cells stand together. A *pack* holds the cells of one aggregate and writer whose windows start
 * in the same *block* of time and whose groups fall into the same *bucket*; it is stored as a chain of
 * *pages*, one item each (see page.ts).
 *
 * DynamoDB bills each started kilobyte of a write, so small cells share an item; blocks of time let them
 * do so where a window has few groups, buckets bound what a cold function reads where it has many. Both
 * follow from the definition alone and never change in a window's life: they are part of the keys.
 * docs/adr/0010-packed-cells.md has the arithmetic.
 */
export interface PackLayout {
  /** Distance between the starts of two windows, milliseconds. */
  readonly gridMs: number;
  /** Windows that start in one block, 1 to 48. */
  readonly windows: number;
  /** Buckets of groups, 1 to 4,096. */
  readonly buckets: number;
}

/** What a layout follows from. */
export interface LayoutFacts {
  readonly gridMs: number;
  /** Groups of one window that one writer sees, as expected by the definition; at least 1. */
  readonly groups: number;
  /** Bytes of a cell, as expected. */
  readonly cellBytes: number;
  /** How long results are kept, milliseconds: a block is at most a quarter of it. */
  readonly retentionMs: number;
}

/** A bucket has about so many bytes of one window: a series of ten is one read unit, read eventually. */
const BUCKET_BYTES = 640;

/** A block of a bucket has about so many bytes: what a cold function reads at once. */
const BLOCK_BYTES = 32 * 1024;

const BUCKETS_MAX = 4096;

/** Whole divisors of days and hours, so that blocks are easy to read. */
const BLOCK_WINDOWS = [48, 24, 12, 8, 6, 4, 3, 2] as const;

/** The layout of a window. Its constants are a stored format: changing them takes a new generation. */
export function layoutOf({ gridMs, groups, cellBytes, retentionMs }: LayoutFacts): PackLayout {
  const bytes = groups * cellBytes;
  const buckets = Math.min(BUCKETS_MAX, Math.max(1, Math.ceil(bytes / BUCKET_BYTES)));
  const most = Math.min(BLOCK_BYTES / (bytes / buckets), retentionMs / 4 / gridMs);
  return { gridMs, windows: BLOCK_WINDOWS.find((windows) => windows <= most) ?? 1, buckets };
}

/** The bucket of a group, given as the JSON of its values. */
export function bucketOf(layout: PackLayout, group: string): number {
  return layout.buckets === 1 ? 0 : murmur3Text(group) % layout.buckets;
}

/** The block in which a window starts: [startMs, endMs), milliseconds since 1970 UTC. */
export function blockOf({ gridMs, windows }: PackLayout, startMs: number): WindowSpan {
  const blockMs = gridMs * windows;
  const start = Math.floor(startMs / blockMs) * blockMs;
  return { startMs: start, endMs: start + blockMs };
}

/** Partition key of a bucket of a writer's cells, such as `1|origins|t4x9k2-1f3a9c0d.p3|0`. */
export function packPartition(aggregate: string, writer: string, bucket: number): string {
  return `${GENERATION}|${aggregate}|${writer}|${bucket}`;
}

/** The parts of a partition key that `packPartition` made. */
export function packParts(pk: string): { aggregate: string; writer: string; bucket: number } {
  const [, aggregate = '', writer = '', bucket = ''] = pk.split('|');
  return { aggregate, writer, bucket: Number(bucket) };
}

/** Start of the sort keys of a block's pages. */
export function blockKey(startMs: number): string {
  return new Date(startMs).toISOString();
}

/** Sort key of page number n of a block, 0 to 2^24 - 1; byte order is the order of the numbers. */
export function pageKey(block: string, page: number): string {
  return `${block}|${page.toString(36).padStart(5, '0')}`;
}

/** The number in a page's sort key. */
export function pageNumber(sk: string): number {
  return Number.parseInt(sk.slice(sk.indexOf('|') + 1), 36);
}

/** The block's start in a page's sort key, milliseconds since 1970 UTC. */
export function blockStartOf(sk: string): number {
  return Date.parse(sk.slice(0, sk.indexOf('|')));
}
