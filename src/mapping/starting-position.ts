import type { MappingPolicies } from './policies.ts';
import { MappingSettingsError } from './settings-error.ts';

/**
 * Where a new mapping starts to read.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
 */
export type StartingPosition =
  /** At the oldest record that the stream still has. */
  | { readonly type: 'TRIM_HORIZON' }
  /** At what arrives after the mapping has taken effect. */
  | { readonly type: 'LATEST' }
  /** At the first record that arrived then or later; milliseconds since 1970 UTC, not in the future. */
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number };

/** Where to read a shard from. */
export type ReadFrom =
  | { readonly type: 'oldest' }
  /** At the first record that arrived at or after this time, milliseconds since 1970 UTC. */
  | { readonly type: 'since'; readonly timeMs: number }
  /** Behind the record of this sequence number. */
  | { readonly type: 'after'; readonly sequence: string };

/** What decides where a shard is read from. */
export interface ReadFromFacts {
  readonly start: StartingPosition;
  /** When the mapping was created, milliseconds since 1970 UTC. */
  readonly createdMs: number;
  /** The shard's checkpoint, of `MappingEngine.checkpoint`, where there is one. */
  readonly checkpoint: string | undefined;
  readonly policies: Pick<MappingPolicies, 'latestDelayMs'>;
}

/**
 * Says where a poller reads a shard from, when it starts and when it starts again. LATEST and AT_TIMESTAMP are
 * times for all shards: of a shard that came of a later split, everything is read.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
 */
export function readFrom({ start, createdMs, checkpoint, policies }: ReadFromFacts): ReadFrom {
  if (checkpoint !== undefined) return { type: 'after', sequence: checkpoint };
  if (start.type === 'TRIM_HORIZON') return { type: 'oldest' };
  if (start.type === 'AT_TIMESTAMP') return { type: 'since', timeMs: start.timestampMs };
  return { type: 'since', timeMs: createdMs + policies.latestDelayMs };
}

/** @throws MappingSettingsError when the position is a time in the future, which AWS refuses */
export function checkStartingPosition(start: StartingPosition, nowMs: number): void {
  if (start.type !== 'AT_TIMESTAMP') return;
  const { timestampMs } = start;
  if (Number.isFinite(timestampMs) && timestampMs <= nowMs) return;
  throw new MappingSettingsError('startingPosition', timestampMs, `a time up to ${nowMs}`);
}
