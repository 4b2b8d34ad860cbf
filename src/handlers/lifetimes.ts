import { lookbackMs } from '../core/origin.ts';
import type { Aggregate, ProgramSettings } from '../core/program.ts';

/** Kept beyond what the protocol needs, for clocks that differ; milliseconds. */
const MARGIN_MS = 3_600_000;

/**
 * How long a ledger entry lives after max(arrival, now): as long as a record that it may have to
 * recognise can still come, and stay in the stream, at least.
 */
export function entryLifeMs(settings: ProgramSettings): number {
  return lookbackMs(settings) + settings.retention.streamMs + MARGIN_MS;
}

/** When an entry may be deleted, in whole seconds since 1970 UTC. */
export function entryTtlSeconds(
  settings: ProgramSettings,
  arrivalMs: number,
  nowMs: number,
): number {
  return seconds(Math.max(arrivalMs, nowMs) + entryLifeMs(settings));
}

/**
 * When a cell may be deleted, in whole seconds since 1970 UTC: after its retention, and never while an
 * event for it can still come or be delivered again.
 */
export function cellTtlSeconds(
  settings: ProgramSettings,
  aggregate: Aggregate,
  times: { readonly endMs: number; readonly nowMs: number },
): number {
  const needed =
    aggregate.latenessMs + settings.retention.streamMs + settings.horizonMs + MARGIN_MS;
  return seconds(Math.max(times.endMs, times.nowMs) + Math.max(needed, aggregate.retentionMs));
}

/** Milliseconds since 1970 UTC as DynamoDB's TTL wants them: whole seconds, rounded up. */
export function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
