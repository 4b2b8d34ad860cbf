import type { ProgramSettings } from './program.ts';

/**
 * Derived events are sent at least once, and a copy can come hours after the first one: as long as the
 * record that they were made of is in its stream. They carry when that record arrived, because no copy
 * can have arrived before it.
 */

/** The attribute of a derived event that says so: milliseconds since 1970 UTC, in decimal digits. */
export const ORIGIN_ATTRIBUTE = 'originms';

/** How far the arrival times of two streams may differ from each other, milliseconds. */
const SKEW_MS = 300_000;

/** Longest time from a record's expiry in its stream to the arrival of what was made of it, milliseconds. */
const UNDERWAY_MS = 1_800_000;

/** Source of the events that an output makes, such as `urn:millrace:flights:late`. */
export function derivedSource(pipeline: string, output: string): string {
  return `urn:millrace:${pipeline}:${output}`;
}

/** True for the source of events that one of these pipelines derives. */
export function isDerivedBy(pipelines: readonly string[], source: string): boolean {
  return pipelines.some((name) => source.startsWith(derivedSource(name, '')));
}

/** What the attribute says, or undefined where it says no time. */
export function originIn(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** How long before a record a copy of it can have arrived at most, milliseconds. */
export function lookbackMs({ fedBy, horizonMs, retention }: ProgramSettings): number {
  return fedBy.length === 0 ? horizonMs : Math.max(horizonMs, retention.streamMs + UNDERWAY_MS);
}

/**
 * A record is a repeat if its id was folded with an arrival from this time on. With an origin that is
 * further back than the deduplication horizon where the record came late after its origin, but never
 * further than ledger entries live.
 *
 * @returns milliseconds since 1970 UTC
 */
export function repeatsSinceMs(
  settings: ProgramSettings,
  { arrivalMs, originMs }: { readonly arrivalMs: number; readonly originMs: number | undefined },
): number {
  const horizonMs = arrivalMs - settings.horizonMs;
  if (originMs === undefined) return horizonMs;
  return Math.min(horizonMs, Math.max(originMs - SKEW_MS, arrivalMs - lookbackMs(settings)));
}
