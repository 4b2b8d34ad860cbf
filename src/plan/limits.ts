import { ASSUMED, MB, QUOTAS } from './assumptions.ts';
import { short } from './cost-line.ts';
import { payloadRecords, type WriterShare, writersOf } from './lanes.ts';
import { archiveOf, batchSeconds, type Planned, type Usage } from './usage.ts';

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

/** Every limit with the rate at which it is hit, the lowest first; use from the highest rate planned. */
export function limitsOf(planned: Planned, usage: Usage): readonly Limit[] {
  return [
    ...shardLimits(planned, usage),
    ...laneLimits(planned, usage),
    ...tableLimits(usage),
    ...functionLimits(planned, usage),
  ].sort((left, right) => left.rate - right.rate);
}

/** What a stream gives, whatever its environment: a partition never has more than a shard. */
function shardLimits(planned: Planned, { shards }: Usage): readonly Limit[] {
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

function laneLimits(planned: Planned, usage: Usage): readonly Limit[] {
  const { consumer } = planned.deployment;
  const most = Math.min(consumer.batchSize, payloadRecords(planned.sample.eventBytes));
  const lane = most / batchSeconds(planned, 1, most);
  const limits: Limit[] = [
    {
      what: `the busiest lane (${percent(usage.busiest.share)} of the events) does a batch of ${short(most)} after the other`,
      rate: lane / usage.busiest.share,
      fix: 'a higher consumer.parallelizationFactor, more memory up to 1,769 MB, more partitions',
      soft: false,
    },
  ];
  const archive = archiveOf(planned);
  if (archive !== false && usage.archive !== undefined) {
    const { busiest } = usage.archive;
    const records = Math.min(archive.batchSize, payloadRecords(planned.sample.eventBytes));
    const core = Math.min(1, archive.memoryMb / ASSUMED.coreMb);
    const takesS = (records * ASSUMED.archiverUs) / 1e6 / core + ASSUMED.bucketPutMs / 1000;
    limits.push({
      what: `the archiver does a batch of a shard after the other (${short(records)} records)`,
      rate: records / takesS / busiest.share,
      fix: 'more memory for the archiver, more shards and partitions',
      soft: false,
    });
  }
  return limits;
}

function tableLimits(usage: Usage): readonly Limit[] {
  const at = (units: number, most: number) =>
    units === 0 ? Number.POSITIVE_INFINITY : (usage.rate * most) / units;
  const tables = Math.max(
    usage.events.writeUnits,
    [...usage.windows.values()].reduce((sum, { writeUnits }) => sum + writeUnits, 0),
  );
  const hottest = [...usage.windows].map(
    ([name, { hottestUnits }]): Limit => ({
      what: `window ${name}: a partition key of the table takes 1,000 write units a second`,
      rate: at(hottestUnits, QUOTAS.partitionWrites),
      fix: 'more partitions, a larger `groups` in a new window, fewer or smaller columns',
      soft: false,
    }),
  );
  return [
    ...hottest,
    {
      what: 'ledger: a partition key of the table takes 1,000 write units a second',
      rate: at(usage.ledger.hottestUnits, QUOTAS.partitionWrites),
      fix: 'more partitions',
      soft: false,
    },
    {
      what: `a new table takes ${short(QUOTAS.newTableWrites)} write units a second at once`,
      rate: at(tables, QUOTAS.newTableWrites),
      fix: 'grow by less than twice in 30 minutes, or warm the table up',
      soft: true,
    },
    {
      what: `a table takes ${short(QUOTAS.tableWrites)} write units a second by the account’s quota`,
      rate: at(tables, QUOTAS.tableWrites),
      fix: 'ask for a higher quota',
      soft: true,
    },
  ];
}

function functionLimits(planned: Planned, usage: Usage): readonly Limit[] {
  const cells = [...usage.windows.values()].reduce((sum, { liveCells }) => sum + liveCells, 0);
  // A container may come to see every writer.
  const held = usage.idsHeld * ASSUMED.idBytes;
  const memory = planned.deployment.consumer.memoryMb * MB * ASSUMED.heldShare;
  const room = memory - cells * ASSUMED.cellBytes;
  return [
    {
      what: `ids of the last ${planned.program.settings.horizonMs / 60_000} minutes and ${short(cells)} cells fill half of the function’s memory`,
      rate: (usage.rate * Math.max(0, room)) / held,
      fix: 'more consumer.memoryMb, or a shorter deduplication',
      soft: false,
    },
    {
      what: `${short(QUOTAS.concurrency)} executions at the same time, of the whole account`,
      rate: (usage.rate * QUOTAS.concurrency) / usage.callSeconds,
      fix: 'ask for a higher quota',
      soft: true,
    },
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
