import path from 'node:path';
import { DefinitionError } from '../../core/errors.ts';
import type { Feed } from '../../core/feed.ts';
import { readRows } from './rows.ts';

/** A row with its time moved to the present. */
export interface TimedRow {
  readonly index: number;
  readonly row: unknown;
  /** Milliseconds since 1970 UTC. */
  readonly timeMs: number;
}

/** What is read, and when now is. */
export interface TimedRowsOptions {
  readonly feed: Feed<unknown>;
  /** The pipeline's folder. */
  readonly directory: string;
  /** Rows at most. */
  readonly limit: number;
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;

/**
 * Reads the first rows in the order of time, all moved by the same whole number of days so that the
 * last one is the most recent that is not in the future.
 *
 * @throws DefinitionError when a time is none, or a file that is said to be ordered is not
 */
export async function readTimedRows(options: TimedRowsOptions): Promise<readonly TimedRow[]> {
  const rows = await readFirst(options);
  const last = rows.at(-1);
  if (last === undefined) return [];
  const shiftMs = Math.floor((options.nowMs - last.timeMs) / DAY_MS) * DAY_MS;
  return rows.map((one) => ({ ...one, timeMs: one.timeMs + shiftMs }));
}

async function readFirst({ feed, directory, limit }: TimedRowsOptions): Promise<TimedRow[]> {
  const rows: TimedRow[] = [];
  for await (const { index, row } of readRows(path.resolve(directory, feed.file), feed.rows)) {
    const timeMs = timeIn(feed, row, index);
    if (feed.ordered) checkOrder(rows.at(-1), timeMs, index);
    rows.push({ index, row, timeMs });
    if (feed.ordered && rows.length === limit) return rows;
  }
  return rows
    .sort((left, right) => left.timeMs - right.timeMs || left.index - right.index)
    .slice(0, limit);
}

function timeIn(feed: Feed<unknown>, row: unknown, index: number): number {
  const time = feed.time(row);
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && Number.isFinite(ms)) return Math.floor(ms);
  throw new DefinitionError(`feed.time of row ${index}`, time, 'a valid Date or milliseconds');
}

function checkOrder(before: TimedRow | undefined, timeMs: number, index: number): void {
  if (before === undefined || before.timeMs <= timeMs) return;
  throw new DefinitionError(
    `feed.ordered: row ${index}`,
    new Date(timeMs).toISOString(),
    `a time from ${new Date(before.timeMs).toISOString()} on, or a feed without ordered: true`,
  );
}
