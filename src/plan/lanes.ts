import { ENVELOPE_BYTES, PAYLOAD_BYTES_MAX } from '../mapping/batch.ts';
import { ASSUMED, QUOTAS } from './assumptions.ts';
import type { Deployment } from './deployment.ts';
import { type Sample, writerOf } from './sample.ts';

/** A writer with its share of the events. */
export interface WriterShare {
  readonly writer: number;
  readonly shard: number;
  readonly share: number;
}

/** Records of a shard that are worked on one batch after the other. */
export interface Lane {
  readonly shard: number;
  readonly writers: readonly WriterShare[];
  readonly share: number;
}

/** The most shards that a provisioned stream has; undefined on demand. */
export function shardsMost({ stream }: Pick<Deployment, 'stream'>): number | undefined {
  return stream.type === 'provisioned' ? (stream.scaleTo ?? stream.shards) : undefined;
}

/** Shards at a rate of a stream that has to take such a peak, events a second. */
export function shardsAt(
  { stream }: Pick<Deployment, 'stream'>,
  sample: Sample,
  { peak, rate }: { readonly peak: number; readonly rate: number },
): number {
  if (stream.type === 'provisioned') {
    const most = stream.scaleTo ?? stream.shards;
    const bytes = rate * sample.eventBytes;
    const full = Math.max(rate / QUOTAS.shardRecords, bytes / QUOTAS.shardBytesIn);
    let shards = stream.shards;
    while (shards < most && full > ASSUMED.utilisation * shards) shards *= 2;
    return shards;
  }
  const kept = ASSUMED.onDemandHeadroom * peak;
  return Math.max(
    QUOTAS.onDemandShards,
    Math.ceil(kept / QUOTAS.shardRecords),
    Math.ceil((kept * sample.eventBytes) / QUOTAS.shardBytesIn),
  );
}

/** The writers of a stream: its partitions, or its shards. */
export function writersOf(
  sample: Sample,
  partitions: number | 'shard',
  shards: number,
): readonly WriterShare[] {
  const count = partitions === 'shard' ? shards : partitions;
  const shares = Array.from({ length: count }, () => 0);
  for (const [key, share] of sample.keys) {
    const writer = writerOf(key, count);
    shares[writer] = (shares[writer] ?? 0) + share;
  }
  return shares.map((share, writer) => ({
    writer,
    share,
    // Explicit hash keys spread partitions evenly over the shards' even ranges.
    shard: Math.floor(((writer + 0.5) * shards) / count),
  }));
}

/** The lanes of a mapping: so many a shard as it is parallel, those without a writer left out. */
export function lanesOf(writers: readonly WriterShare[], parallel: number): readonly Lane[] {
  const lanes = [...Map.groupBy(writers, ({ shard }) => shard)].flatMap(([shard, some]) => {
    const split = Map.groupBy(some, ({ writer }) => writer % parallel);
    return [...split.values()].map((own) => ({
      shard,
      writers: own,
      share: own.reduce((sum, { share }) => sum + share, 0),
    }));
  });
  return lanes.filter(({ share }) => share > 0);
}

/** What the rest of a record takes in an invocation's event, as Lambda's guide shows it, bytes. */
const RECORD_ENVELOPE_BYTES = 480;

/** Records that fit an invocation. */
export function payloadRecords(eventBytes: number): number {
  const record = (eventBytes * 4) / 3 + RECORD_ENVELOPE_BYTES;
  return Math.max(1, Math.floor((PAYLOAD_BYTES_MAX - ENVELOPE_BYTES) / record));
}

/** How a lane's batches come. */
export interface BatchShape {
  /** Events in one, on average. */
  readonly events: number;
  /** From one to the next, seconds. */
  readonly everyS: number;
  /** How long one takes. */
  readonly takesS: number;
  /** True where they take longer than they may. */
  readonly overloaded: boolean;
}

/** What a lane's batches are cut by. */
export interface BatchLimits {
  readonly batchSize: number;
  readonly windowS: number;
  readonly eventBytes: number;
  /** Seconds that a batch of so many events takes. */
  readonly takesS: (events: number) => number;
}

/** A shard is read each second, also where nothing is collected. */
const POLL_S = 1;

/** The batches of a lane with so many events a second. */
export function batchShape(rate: number, limits: BatchLimits): BatchShape {
  const most = Math.min(limits.batchSize, payloadRecords(limits.eventBytes));
  const windowS = Math.max(POLL_S, limits.windowS);
  const slowest = limits.takesS(most);
  if (rate * slowest > most) {
    return { events: most, everyS: slowest, takesS: slowest, overloaded: true };
  }
  // The window opens with the first record.
  let events = Math.min(most, 1 + rate * windowS);
  // A batch waits for the one before it.
  for (let round = 0; round < 20; round += 1) {
    events = Math.min(most, Math.max(events, rate * limits.takesS(events)));
  }
  return { events, everyS: events / rate, takesS: limits.takesS(events), overloaded: false };
}
