import { QUOTAS } from './assumptions.ts';
import { shardsAt, shardsMost } from './lanes.ts';
import { batchSeconds, type PlannedSettings } from './planned.ts';
import type { Sample } from './sample.ts';
import { type Limit, settingLimits } from './setting-limits.ts';

/** What a pipeline is expected to get. */
export interface ExpectedTraffic {
  /** The highest rate that has to be carried. */
  readonly eventsPerSecond: number;
  /** Bytes of a record on average, up to 1 MiB; default 300. */
  readonly recordBytes?: number;
  /** Share of the events that the busiest key has, 0 to 1; default: keys come alike. */
  readonly hottestKey?: number;
}

/** What is looked at without any event. */
export type Deployed = Pick<PlannedSettings, 'program' | 'deployment'>;

const RECORD_BYTES = 300;

/** Enough that partitions get nearly the same. */
const KEYS = 20_000;

/** The limit that is hit first, by the settings alone; of the tables, `millrace plan` tells. */
export function firstLimit(deployed: Deployed, traffic: ExpectedTraffic | undefined): Limit {
  const planned = plannedOf(deployed, traffic);
  const limits = settingLimits(planned, { shards: shardsOf(planned, traffic), cells: 0 });
  return limits.reduce((lowest, one) => (one.rate < lowest.rate ? one : lowest));
}

/** Seconds that a full batch takes, of as many writers as a lane may have. */
export function batchTakesS(deployed: Deployed): number {
  const { partitions } = deployed.program.settings;
  const writers = partitions === 'shard' ? 1 : partitions;
  return batchSeconds(deployed, writers, deployed.deployment.consumer.batchSize);
}

function plannedOf(deployed: Deployed, traffic: ExpectedTraffic | undefined): PlannedSettings {
  const peak = traffic?.eventsPerSecond ?? 0;
  return { ...deployed, peak, sample: evenSample(traffic) };
}

/** On demand, a stream grows with what it gets: at last each partition has a shard. */
function shardsOf(planned: PlannedSettings, traffic: ExpectedTraffic | undefined): number {
  const most = shardsMost(planned.deployment);
  if (most !== undefined) return most;
  if (traffic !== undefined) {
    const { peak } = planned;
    return shardsAt(planned.deployment, planned.sample, { peak, rate: peak });
  }
  const { partitions } = planned.program.settings;
  return partitions === 'shard' ? QUOTAS.onDemandShards : partitions;
}

/** Keys that come alike, but for the busiest one. */
function evenSample(traffic: ExpectedTraffic | undefined): Sample {
  const hot = traffic?.hottestKey ?? 1 / KEYS;
  const share = (1 - hot) / (KEYS - 1);
  const keys = Array.from({ length: KEYS }, (_, index): [string, number] => [
    `k${index}`,
    index === 0 ? hot : share,
  ]);
  const eventBytes = traffic?.recordBytes ?? RECORD_BYTES;
  return { eventBytes, keys: new Map(keys), windows: [], events: [], derived: 0 };
}
