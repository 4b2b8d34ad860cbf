import { ASSUMED, MB, QUOTAS } from './assumptions.ts';
import { short } from './cost-line.ts';
import { lanesOf, payloadRecords, type WriterShare, writersOf } from './lanes.ts';
import { archiveOf, batchSeconds, type PlannedSettings } from './planned.ts';

/** Something that can't grow on. */
export interface Limit {
  /** What is full, and what of it. */
  readonly what: string;
  /** Events a second of the whole stream at which it is hit. */
  readonly rate: number;
  /** What makes room. */
  readonly fix: string;
  /** True where it only shows at the start, or an account's quota can be raised. */
  readonly soft: boolean;
}

/** What the stream comes to have, and the functions to remember. */
export interface Grown {
  readonly shards: number;
  /** Cells that take rows at a time, of all writers. */
  readonly cells: number;
}

/**
 * The limits that follow from settings and the keys' shares alone, in no order; those of the tables need
 * what the windows use.
 */
export function settingLimits(
  planned: PlannedSettings,
  { shards, cells }: Grown,
): readonly Limit[] {
  const { sample, program } = planned;
  const writers = writersOf(sample, program.settings.partitions, shards);
  return [
    ...shardLimits(planned, shards),
    laneLimit(planned, writers),
    ...archiveLimits(planned, writers),
    memoryLimit(planned, cells),
  ];
}

/** What a stream gives, whatever its environment: a partition never has more than a shard. */
function shardLimits(planned: PlannedSettings, shards: number): readonly Limit[] {
  const { sample, program, deployment } = planned;
  const { partitions } = program.settings;
  const writers = writersOf(sample, partitions, shards);
  const busiest = shareOfShards(writers);
  const shardRate = (share: number) =>
    Math.min(QUOTAS.shardRecords, QUOTAS.shardBytesIn / sample.eventBytes) / share;
  const hot = Math.max(...writers.map(({ share }) => share));
  const hottestKey = Math.max(0, ...sample.keys.values());
  const readers = archiveOf(planned) === false ? 1 : 2;
  const out = QUOTAS.shardBytesOut / (readers * sample.eventBytes * busiest);
  const isFixed = deployment.stream.type === 'provisioned';
  return [
    {
      what: `the busiest of ${shards} shards (${percent(busiest)} of the events) takes 1,000 records or 1 MB a second`,
      rate: shardRate(busiest),
      fix: isFixed
        ? 'more shards (stream.shards), or more partitions where each shard has one'
        : 'more partitions',
      soft: false,
    },
    {
      what: `the busiest partition (${percent(hot)} of the events) is in one shard`,
      rate: shardRate(hot),
      fix: 'more partitions: they are fixed for the stream’s life, so a new stream',
      soft: false,
    },
    {
      what: `the busiest key (${percent(hottestKey)} of the events) is in one partition`,
      rate: shardRate(hottestKey),
      fix: 'a finer key, or several events in one aggregated record',
      soft: false,
    },
    {
      what: `the busiest shard gives 2 MB a second to ${readers} readers`,
      rate: out,
      fix: 'more shards and partitions',
      soft: false,
    },
  ];
}

function shareOfShards(writers: readonly WriterShare[]): number {
  const shards = Map.groupBy(writers, ({ shard }) => shard);
  const shares = [...shards.values()].map((own) => own.reduce((sum, { share }) => sum + share, 0));
  return Math.max(...shares);
}

function laneLimit(planned: PlannedSettings, writers: readonly WriterShare[]): Limit {
  const { consumer } = planned.deployment;
  const most = Math.min(consumer.batchSize, payloadRecords(planned.sample.eventBytes));
  const rates = lanesOf(writers, consumer.parallelizationFactor).map(({ share, writers: own }) => ({
    share,
    rate: most / batchSeconds(planned, own.length, most) / share,
  }));
  const [slowest] = rates.sort((left, right) => left.rate - right.rate);
  return {
    what: `the busiest lane (${percent(slowest?.share ?? 0)} of the events) does one batch of ${short(most)} after the other`,
    rate: slowest?.rate ?? Number.POSITIVE_INFINITY,
    fix: 'a higher consumer.parallelizationFactor, more memory up to 1,769 MB, more partitions',
    soft: false,
  };
}

function archiveLimits(
  planned: PlannedSettings,
  writers: readonly WriterShare[],
): readonly Limit[] {
  const archive = archiveOf(planned);
  if (archive === false) return [];
  const records = Math.min(archive.batchSize, payloadRecords(planned.sample.eventBytes));
  const core = Math.min(1, archive.memoryMb / ASSUMED.coreMb);
  const takesS = (records * ASSUMED.archiverUs) / 1e6 / core + ASSUMED.bucketPutMs / 1000;
  return [
    {
      what: `the archiver does one batch of a shard after the other (${short(records)} records)`,
      rate: records / takesS / shareOfShards(writers),
      fix: 'more memory for the archiver, more shards and partitions',
      soft: false,
    },
  ];
}

/** A container may come to remember the ids of every writer. */
function memoryLimit({ program, deployment }: PlannedSettings, cells: number): Limit {
  const held = (program.settings.horizonMs / 1000) * ASSUMED.idBytes;
  const memory = deployment.consumer.memoryMb * MB * ASSUMED.heldShare;
  return {
    what: `ids of the last ${program.settings.horizonMs / 60_000} minutes${cells > 0 ? ` and ${short(cells)} cells` : ''} fill half of the function’s memory`,
    rate: Math.max(0, memory - cells * ASSUMED.cellBytes) / held,
    fix: 'more consumer.memoryMb, or a shorter deduplication',
    soft: false,
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
