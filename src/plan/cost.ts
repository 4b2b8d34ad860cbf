import { ASSUMED, GB, MONTH_S } from './assumptions.ts';
import { archiveCost } from './cost-archive.ts';
import { closerCost } from './cost-closer.ts';
import { type CostLine, costLine, short } from './cost-line.ts';
import { scalerCost } from './cost-scaler.ts';
import { storageCost } from './cost-storage.ts';
import { tableCost } from './cost-tables.ts';
import { watchCost } from './cost-watch.ts';
import type { Month } from './month.ts';
import { archiveOf, type Planned } from './planned.ts';
import { PRICES } from './prices.ts';

const MILLION = 1e6;
const PUT_UNIT = 25 * 1_024;

/** Each line of what a month costs, in the order of the data's way. */
export function costLines(planned: Planned, month: Month): readonly CostLine[] {
  return [
    ...streamCost(planned, month),
    ...functionCost(planned, month),
    ...tableCost(planned, month),
    ...closerCost(planned, month),
    ...scalerCost(planned.deployment),
    ...archiveCost(planned, month),
    ...storageCost(planned, month),
    ...watchCost(planned, month),
  ].filter(({ usd }) => usd > 0);
}

/** Lines of the stream. */
export function streamCost(planned: Planned, month: Month): readonly CostLine[] {
  return planned.deployment.stream.type === 'on-demand'
    ? onDemandCost(planned, month)
    : provisionedCost(planned, month);
}

function readersOf(planned: Planned): number {
  return archiveOf(planned) === false ? 1 : 2;
}

/** How long records stay beyond the first day, which is free, days. */
function extraDays({ program }: Planned): number {
  return Math.max(0, program.settings.retention.streamMs / 86_400_000 - 1);
}

function onDemandCost(planned: Planned, month: Month): readonly CostLine[] {
  const bytes = planned.sample.eventBytes;
  const rounded = Math.ceil(bytes / 1_024) * 1_024;
  const events = month.total(({ rate }) => rate);
  const gb = (events * rounded) / GB;
  const readers = readersOf(planned);
  const kept = (month.mean(({ rate }) => rate) * bytes * extraDays(planned) * 86_400) / GB;
  return [
    costLine(['Kinesis', 'stream'], `${PRICES.hoursMonth} h`, [
      PRICES.hoursMonth,
      'onDemandStreamHour',
    ]),
    costLine(
      ['Kinesis', 'in'],
      `${short(events)} records x ${short(rounded)} bytes (of ${short(bytes)}, by the started KB)`,
      [gb, 'onDemandGbIn'],
    ),
    costLine(['Kinesis', 'out'], `the same x ${readers} readers`, [gb * readers, 'onDemandGbOut']),
    costLine(['Kinesis', 'retention'], `${short(kept)} GB beyond a day`, [kept, 'onDemandGbMonth']),
  ];
}

function provisionedCost(planned: Planned, month: Month): readonly CostLine[] {
  const { stream } = planned.deployment;
  const active = month.levels.reduce((sum, { seconds }) => sum + seconds, 0);
  const idle = stream.type === 'provisioned' ? stream.shards * (MONTH_S - active) : 0;
  const shardHours = (month.total(({ shards }) => shards) + idle) / 3_600;
  const units = Math.ceil(planned.sample.eventBytes / PUT_UNIT);
  const puts = month.total(({ rate }) => rate) * units;
  const keeps = extraDays(planned) > 0 ? shardHours : 0;
  return [
    costLine(
      ['Kinesis', 'shards'],
      `${short(shardHours / PRICES.hoursMonth)} shards x ${PRICES.hoursMonth} h`,
      [shardHours, 'shardHour'],
    ),
    costLine(['Kinesis', 'PUT units'], `${short(puts / units)} records x ${units} of 25 KB`, [
      puts / MILLION,
      'putUnitsMillion',
    ]),
    costLine(['Kinesis', 'retention'], 'shards beyond a day', [keeps, 'retentionShardHour']),
  ];
}

function functionCost({ deployment }: Planned, month: Month): readonly CostLine[] {
  const calls = month.total((usage) => usage.calls);
  const seconds = month.total((usage) => usage.callSeconds);
  const gb = deployment.consumer.memoryMb / 1_024;
  const events = month.total(({ rate }) => rate);
  return [
    costLine(
      ['Lambda', 'consume, calls'],
      `${short(events)} events / ${short(events / calls)} a batch`,
      [calls / MILLION, 'lambdaRequestsMillion'],
    ),
    costLine(
      ['Lambda', 'consume, memory'],
      `the same x ${short((seconds / calls) * 1000)} ms x ${short(gb)} GB`,
      [seconds * gb, 'lambdaGbSecond'],
    ),
  ];
}

/** What a reader outside is not told here: queries, and what fed pipelines cost. */
export const NOT_IN_IT = `queries of results, producers, free tiers, discounts of volume; ${ASSUMED.closerRunS} s of an idle closer are a guess`;
