import type { ArchiveGap } from '../core/archive-coverage.ts';
import type { ArchiveTail } from '../core/archive-tail.ts';
import type { Cursor, ShardName } from '../core/replay.ts';
import type { BatchReport } from './report.ts';

/**
 * `more`: call again. `gap`: records are missing in the archive, and nobody accepted that. `waiting`: all that
 * is archived is in, but not yet all that the stream has forgotten: the archiver is behind, call again later.
 * `complete`: everything of the range is in; without an end of the range, a mapping that starts at the stream's
 * oldest record misses nothing.
 */
export type ReplayState = 'more' | 'gap' | 'waiting' | 'complete';

/** A gap and whose it is. */
export interface ReplayGap extends ArchiveGap, ShardName {}

/** What one call did. */
export interface ReplayReport {
  state: ReplayState;
  /** Records that were read in the archive, those within aggregated records one by one. */
  read: number;
  bytes: number;
  /** Of them, at or before their writer's head: they were counted before, and changed nothing. */
  repeated: number;
  accepted: number;
  duplicates: number;
  quarantined: number;
  /** Gaps that were met, accepted ones too; at most 20. */
  gaps: ReplayGap[];
  /** Share of the range that is finished, 0 to 1, by arrival time. */
  fraction: number;
  /** Arrival of what is finished last in the shard that is at work, milliseconds since 1970 UTC; 0: nothing yet. */
  reachedMs: number;
  /** Why it stopped before its end: error messages, without any data; at most 5. */
  stops: string[];
}

const GAPS_MAX = 20;
const STOPS_MAX = 5;

/** A report of nothing. */
export function emptyReplayReport(): ReplayReport {
  return {
    state: 'more',
    read: 0,
    bytes: 0,
    repeated: 0,
    accepted: 0,
    duplicates: 0,
    quarantined: 0,
    gaps: [],
    fraction: 0,
    reachedMs: 0,
    stops: [],
  };
}

/** Adds what became of a batch. */
export function addBatch(report: ReplayReport, batch: BatchReport): void {
  report.read += batch.received - batch.unfinished;
  for (const name of ['repeated', 'accepted', 'duplicates', 'quarantined'] as const) {
    report[name] += batch[name];
  }
  for (const stop of batch.stops) addStop(report, stop);
}

/** Notes why a call ended before its end. */
export function addStop(report: ReplayReport, text: string): void {
  if (report.stops.length < STOPS_MAX) report.stops.push(text);
}

/** Notes a gap. */
export function addGap(report: ReplayReport, gap: ReplayGap): void {
  if (report.gaps.length < GAPS_MAX) report.gaps.push(gap);
}

/** A shard's part of a replay: up to where it is archived, and up to where it is finished. */
export interface ShardShare {
  readonly tail: ArchiveTail;
  cursor: Cursor | undefined;
}

/** The share of a range that is finished, 0 to 1: shards count by the time that they span. */
export function finishedFraction(
  shares: readonly ShardShare[],
  {
    fromMs,
    toMs = Number.POSITIVE_INFINITY,
  }: { readonly fromMs: number; readonly toMs?: number | undefined },
): number {
  let [all, done] = [0, 0];
  for (const { tail, cursor } of shares) {
    const startMs = Math.max(tail.firstArrivalMs, fromMs);
    // A second more, so that a shard of one record has a share too.
    const spanMs = Math.min(tail.lastArrivalMs, toMs) - startMs + 1_000;
    if (spanMs <= 0) continue;
    const isThrough = cursor?.sequence === tail.last;
    const doneMs = isThrough ? spanMs : (cursor?.arrivalMs ?? startMs) - startMs;
    all += spanMs;
    done += Math.max(0, Math.min(spanMs, doneMs));
  }
  return all === 0 ? 1 : done / all;
}
