import type { RejectionReason } from '../core/rejection.ts';

/** What one invocation did, for its log line and metrics. Counts tell of finished records only. */
export interface BatchReport {
  /** Records that came, those within aggregated records one by one. */
  received: number;
  accepted: number;
  duplicates: number;
  quarantined: number;
  partlyLate: number;
  /** Events that changed a window which the watermark had passed. */
  corrections: number;
  /** Behind the watermark of its writer, of the latest event that was such a correction, milliseconds. */
  correctionMs: number;
  /** The same of the latest event that was quarantined as late. */
  lateMs: number;
  /** Events sent to other pipelines, once each. */
  derived: number;
  /** Records left for the next try. */
  unfinished: number;
  /** Records that an earlier try had finished. */
  repeated: number;
  conflicts: number;
  writers: number;
  reasons: Partial<Record<RejectionReason, number>>;
  /** Arrival to durable result of the slowest record, milliseconds; 0 when none was finished. */
  latencyMs: number;
  /** The longest write phase of a writer, planning left out, milliseconds. */
  writeMs: number;
  /** What the container keeps in memory after it: cells, writers' heads, and ids in these. */
  held: { readonly cells: number; readonly writers: number; readonly ids: number };
  /** Why writers stopped before their end: error messages, without any data; at most 5. */
  stops: string[];
}

/** A report of nothing. */
export function emptyReport(): BatchReport {
  return {
    received: 0,
    accepted: 0,
    duplicates: 0,
    quarantined: 0,
    partlyLate: 0,
    corrections: 0,
    correctionMs: 0,
    lateMs: 0,
    derived: 0,
    unfinished: 0,
    repeated: 0,
    conflicts: 0,
    writers: 0,
    reasons: {},
    latencyMs: 0,
    writeMs: 0,
    held: { cells: 0, writers: 0, ids: 0 },
    stops: [],
  };
}

/** Notes why a writer stopped. */
export function noteStop(report: BatchReport, error: unknown): void {
  if (report.stops.length >= 5) return;
  report.stops.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
