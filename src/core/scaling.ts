/**
 * When a provisioned stream gets more shards or fewer: by doubling and halving, so that each shard splits
 * once, or merges with its neighbour, and `UpdateShardCount` allows it in one call.
 *
 * Invariants
 * 1. The number of shards stays between least and most, and is one of least x 2, x 4 and so on.
 * 2. Growing always has calls left: it shrinks only where what then is left of the ten calls that AWS
 *    allows in 24 hours brings it to the most again.
 * 3. What it shrinks to would have carried the busiest minute of the last hour with room to spare.
 */

/** Where the scaler notes when it changed the number, in the ledger table. */
export const SCALING_KEY = { pk: 'scaling', sk: 'changes' } as const;

/** What a stream got in a minute. */
export interface MinuteLoad {
  /** Start of the minute, milliseconds since 1970 UTC. */
  readonly startMs: number;
  readonly records: number;
  readonly bytes: number;
  /** Records that were refused because a shard was full. */
  readonly throttled: number;
}

/** What a shard takes and gives in a second: Kinesis, "Quotas and limits". */
export interface ShardLimits {
  readonly records: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Of every shard. */
export const SHARD_LIMITS: ShardLimits = {
  records: 1_000,
  bytesIn: 1_048_576,
  bytesOut: 2 * 1_048_576,
};

/** Between which numbers a stream is scaled. */
export interface ScalingRange {
  readonly least: number;
  /** `least` times a power of two. */
  readonly most: number;
  /** Logical partitions; undefined where each shard is a writer. */
  readonly partitions: number | undefined;
  /** Mappings that read it: each is given all bytes. */
  readonly readers: number;
  readonly limits: ShardLimits;
}

/** What is looked at. */
export interface ScalingState {
  /** Open shards. */
  readonly shards: number;
  readonly nowMs: number;
  /** The last hour's minutes, in order; one without records may be left out. */
  readonly minutes: readonly MinuteLoad[];
  /** When the number was changed before, milliseconds since 1970 UTC, those of a day at least. */
  readonly changesMs: readonly number[];
}

/** What is to be done; `use` is of the busiest shard in the last whole minutes, 1 is full. */
export interface ScalingDecision {
  readonly to: number;
  readonly use: number;
  readonly because: 'busy' | 'throttled' | 'idle' | 'fits' | 'waits' | 'spent';
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Use from which it grows, and below which half of the shards would stay. */
const GROW_AT = 0.7;
const SHRINK_BELOW = 0.5;

/** Last minutes whose busiest one counts: metrics come a minute late. */
const RECENT_MS = 3 * MINUTE_MS;

/** After a change it waits so long to see what came of it. */
const SETTLE_MS = 3 * MINUTE_MS;

/** Calls of 24 hours that AWS allows: UpdateShardCount. */
const CALLS_MAX = 10;

/** Decides for one look at a stream. */
export function decideScaling(range: ScalingRange, state: ScalingState): ScalingDecision {
  const { shards, nowMs, minutes, changesMs } = state;
  const recent = minutes.filter(({ startMs }) => startMs >= nowMs - RECENT_MS);
  const use = busiest(range, recent, shards);
  const stay = (because: ScalingDecision['because']) => ({ to: shards, use, because });
  const today = changesMs.filter((ms) => ms > nowMs - DAY_MS);
  const lastMs = Math.max(Number.NEGATIVE_INFINITY, ...today);
  if (nowMs - lastMs < SETTLE_MS) return stay('waits');
  const throttled = recent.some(({ throttled: count }) => count > 0);
  if (use >= GROW_AT || throttled) {
    const to = Math.min(shards * 2, most(range));
    if (to <= shards) return stay('fits');
    if (today.length >= CALLS_MAX) return stay('spent');
    return { to, use, because: throttled ? 'throttled' : 'busy' };
  }
  return canShrink(range, state, today) ? { to: shards / 2, use, because: 'idle' } : stay('fits');
}

/** No more shards than partitions: one without never gets a record. */
function most({ most: limit, partitions = Number.POSITIVE_INFINITY }: ScalingRange): number {
  return Math.min(limit, partitions);
}

function canShrink(
  range: ScalingRange,
  { shards, nowMs, minutes, changesMs }: ScalingState,
  today: readonly number[],
): boolean {
  const half = shards / 2;
  if (half < range.least || !Number.isInteger(half)) return false;
  const back = Math.ceil(Math.log2(most(range) / half));
  if (today.length + 1 + back > CALLS_MAX) return false;
  const sinceMs = nowMs - HOUR_MS;
  if (changesMs.some((ms) => ms > sinceMs)) return false;
  const hour = minutes.filter(({ startMs }) => startMs >= sinceMs);
  return (
    hour.every(({ throttled }) => throttled === 0) && busiest(range, hour, half) < SHRINK_BELOW
  );
}

/** The use of the busiest shard in the busiest of some minutes, if there were so many shards. */
function busiest(range: ScalingRange, minutes: readonly MinuteLoad[], shards: number): number {
  const { limits, readers, partitions } = range;
  // Partitions that don't come out even leave one shard with more.
  const share = partitions === undefined ? 1 / shards : Math.ceil(partitions / shards) / partitions;
  const uses = minutes.map(({ records, bytes }) =>
    Math.max(records / limits.records, bytes / limits.bytesIn, (readers * bytes) / limits.bytesOut),
  );
  return (Math.max(0, ...uses) * share * 1000) / MINUTE_MS;
}
