import { PARTITIONS_MAX } from '../core/partition.ts';
import { shardsNeeded } from './alternatives.ts';
import { ASSUMED, MB, QUOTAS } from './assumptions.ts';
import type { Deployment } from './deployment.ts';
import { lanesOf, payloadRecords, shardsAt, writersOf } from './lanes.ts';
import { batchSeconds, type Planned } from './planned.ts';

/** Settings that carry a plan's peak with some room. */
export interface Settings {
  /** Of the pipeline. */
  readonly partitions: number | 'shard';
  readonly deployment: Deployment;
  /** Why each differs from what is there; none where nothing has to. */
  readonly changes: readonly Change[];
}

/** A setting to change. */
export interface Change {
  /** Such as `consumer.parallelizationFactor`. */
  readonly setting: string;
  readonly from: string;
  readonly to: string;
  readonly because: string;
}

/** Changes as little as carries the peak at 70 % of each limit; what can't is left as it is. */
export function recommend(planned: Planned): Settings {
  const partitions = partitionsFor(planned);
  const { deployment } = planned;
  const stream = streamFor(planned, partitions);
  const settled = { ...planned, deployment: { ...deployment, stream } };
  const parallelizationFactor = parallelFor(settled, partitions);
  const consumer = { ...deployment.consumer, parallelizationFactor, memoryMb: memoryFor(planned) };
  const changed = { partitions, deployment: { ...settled.deployment, consumer } };
  return { ...changed, changes: changesOf(planned, changed) };
}

/** What the busiest shard may get, events a second. */
function roomOfShard({ sample }: Planned): number {
  return (
    ASSUMED.utilisation * Math.min(QUOTAS.shardRecords, QUOTAS.shardBytesIn / sample.eventBytes)
  );
}

function busiestPartition(planned: Planned, partitions: number): number {
  const writers = writersOf(planned.sample, partitions, partitions);
  return Math.max(...writers.map(({ share }) => share));
}

/** The partitions that there are, doubled until the busiest one fits a shard, or can't get smaller. */
function partitionsFor(planned: Planned): number | 'shard' {
  const { partitions } = planned.program.settings;
  if (partitions === 'shard') return partitions;
  const room = roomOfShard(planned);
  const hottestKey = Math.max(0, ...planned.sample.keys.values()) * planned.peak;
  if (hottestKey > room) return partitions;
  let count = partitions;
  while (count < PARTITIONS_MAX && busiestPartition(planned, count) * planned.peak > room)
    count *= 2;
  return Math.min(count, PARTITIONS_MAX);
}

/** As it is, with as many shards as it takes; where they are scaled, with a higher end. */
function streamFor(planned: Planned, partitions: number | 'shard'): Deployment['stream'] {
  const { stream } = planned.deployment;
  const shards = provisionedFor(planned, partitions);
  if (stream.type === 'on-demand' || shards === undefined) return stream;
  if (stream.scaleTo === undefined) return { type: 'provisioned', shards };
  let scaleTo = stream.scaleTo;
  while (scaleTo < shards) scaleTo *= 2;
  return { ...stream, scaleTo };
}

/** Shards of a provisioned stream; undefined on demand. */
function provisionedFor(planned: Planned, partitions: number | 'shard'): number | undefined {
  const { stream } = planned.deployment;
  if (stream.type === 'on-demand') return undefined;
  const most = partitions === 'shard' ? Number.POSITIVE_INFINITY : partitions;
  const room = roomOfShard(planned);
  for (let shards = Math.max(stream.shards, shardsNeeded(planned)); shards < most; shards += 1) {
    const own = Map.groupBy(writersOf(planned.sample, partitions, shards), ({ shard }) => shard);
    const busiest = [...own.values()].map((some) =>
      some.reduce((sum, { share }) => sum + share, 0),
    );
    if (Math.max(...busiest) * planned.peak <= room) return shards;
    if (shards > 1_000) return shards;
  }
  return most;
}

const PARALLEL_MAX = 10;

function parallelFor(planned: Planned, partitions: number | 'shard'): number {
  const { consumer } = planned.deployment;
  if (partitions === 'shard') return consumer.parallelizationFactor;
  const shards = shardsAt(planned.deployment, planned.sample, {
    peak: planned.peak,
    rate: planned.peak,
  });
  const writers = writersOf(planned.sample, partitions, shards);
  const most = Math.min(consumer.batchSize, payloadRecords(planned.sample.eventBytes));
  for (let parallel = consumer.parallelizationFactor; parallel < PARALLEL_MAX; parallel += 1) {
    const fits = lanesOf(writers, parallel).every((lane) => {
      const takesS = batchSeconds(planned, lane.writers.length, most);
      return planned.peak * lane.share <= (ASSUMED.utilisation * most) / takesS;
    });
    if (fits) return parallel;
  }
  return PARALLEL_MAX;
}

/** Beside ids, for cells, MB; and the most that a function can have. */
const CELLS_MB = 64;
const MEMORY_MB_MAX = 10_240;

/** A container may come to remember the ids of all writers. */
function memoryFor({ deployment, program, peak }: Planned): number {
  const ids = (peak * program.settings.horizonMs) / 1000;
  const heldMb = (ids * ASSUMED.idBytes) / MB + CELLS_MB;
  const neededMb = Math.ceil(heldMb / ASSUMED.heldShare / CELLS_MB) * CELLS_MB;
  return Math.min(MEMORY_MB_MAX, Math.max(deployment.consumer.memoryMb, neededMb));
}

function changesOf(planned: Planned, to: Omit<Settings, 'changes'>): readonly Change[] {
  const { deployment: from, program } = planned;
  const changes: Change[] = [];
  const note = (setting: string, before: unknown, after: unknown, because: string) => {
    const texts = [before, after].map((value) => textOf(value));
    if (texts[0] !== texts[1]) {
      changes.push({ setting, from: texts[0] ?? '', to: texts[1] ?? '', because });
    }
  };
  note(
    'partitions (of the pipeline; a new stream)',
    program.settings.partitions,
    to.partitions,
    'the busiest partition has to fit a shard of 1,000 records and 1 MB a second',
  );
  note('stream', from.stream, to.deployment.stream, 'the peak fills shards to 70 %');
  note(
    'consumer.parallelizationFactor',
    from.consumer.parallelizationFactor,
    to.deployment.consumer.parallelizationFactor,
    'the busiest lane has to keep up at 70 % of its pace',
  );
  note(
    'consumer.memoryMb',
    from.consumer.memoryMb,
    to.deployment.consumer.memoryMb,
    'ids within the deduplication horizon have to fit half of it',
  );
  return changes;
}

/** As it stands in TypeScript. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, one]) => `${name}: ${textOf(one)}`);
  return `{ ${fields.join(', ')} }`;
}
