import type { IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { PRICES } from '../../src/plan/prices.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import { math } from './metric-maker.ts';

/** The metrics that tell what is billed. */
export type BilledMetrics = Readonly<
  Record<
    | 'incoming'
    | 'incomingBytes'
    | 'invocations'
    | 'runTime'
    | 'ledgerWrites'
    | 'aggregatesWrites'
    | 'eventsWrites'
    | 'quarantineWrites'
    | 'ledgerReads'
    | 'aggregatesReads'
    | 'consumerLogs'
    | 'keeperLogs',
    IMetric
  >
> &
  Readonly<Partial<Record<'archiveInvocations' | 'archiveRunTime', IMetric>>>;

/** Written out: metric math has no numbers such as 1e-6. */
const MILLION = 1_000_000;
const GB = 1_073_741_824;

/**
 * Dollars an hour at the pace of the moment, by metric math over what the services bill: list prices
 * without free tiers and discounts. A record counts as one PUT unit, or as many as its share of the bytes
 * makes; exact only where records are smaller than 25 KB (on demand: 1 KB) or alike.
 */
export function costMetrics(metrics: BilledMetrics, environment: EnvironmentConfig) {
  const streamCost = streamCostOf(metrics, environment);
  const functionCost = functionCostOf(metrics, environment.consumer.memoryMb / 1024);
  const tablesCost = tablesCostOf(metrics);
  const logsCost = logsCostOf(metrics);
  const archiveCost = archiveCostOf(metrics, environment);
  const parts = {
    streamCost,
    functionCost,
    tablesCost,
    logsCost,
    ...(archiveCost === undefined ? {} : { archiveCost }),
  };
  return {
    ...parts,
    cost: math(`SUM([${Object.keys(parts)}])`, parts, 'dollars an hour'),
  };
}

function streamCostOf(
  { incoming, incomingBytes, archiveInvocations }: BilledMetrics,
  { stream }: EnvironmentConfig,
): MathExpression {
  const readers = archiveInvocations === undefined ? 1 : 2;
  const records = 'FILL(incoming, 0)';
  const bytes = 'FILL(incomingBytes, 0)';
  const hour = '3600 / PERIOD(incoming)';
  const { onDemandGbIn, onDemandGbOut, onDemandStreamHour, shardHour, putUnitsMillion } = PRICES;
  const expression =
    stream.type === 'on-demand'
      ? `${onDemandStreamHour} + ${hour} * ${onDemandGbIn + readers * onDemandGbOut} / ${GB} * MAX([${bytes}, ${records} * 1024])`
      : `${stream.shards * shardHour} + ${hour} * ${putUnitsMillion} / ${MILLION} * MAX([${records}, ${bytes} / 25600])`;
  return math(expression, { incoming, incomingBytes }, 'stream');
}

/** The archiver puts an object a call, or two at the turn of an hour; what is stored is not in it. */
function archiveCostOf(
  { archiveInvocations, archiveRunTime }: BilledMetrics,
  { archive }: EnvironmentConfig,
): MathExpression | undefined {
  if (archiveInvocations === undefined || archiveRunTime === undefined || archive === false) {
    return undefined;
  }
  const gbSecond = (archive.memoryMb / 1024) * PRICES.lambdaGbSecond;
  const memory = `FILL(archiveRunTime, 0) / 1000 * ${gbSecond}`;
  const call = PRICES.lambdaRequestsMillion + PRICES.bucketPutsMillion;
  const calls = `FILL(archiveInvocations, 0) * ${call} / ${MILLION}`;
  const expression = `3600 / PERIOD(archiveRunTime) * (${memory} + ${calls})`;
  return math(expression, { archiveInvocations, archiveRunTime }, 'archive');
}

function functionCostOf({ invocations, runTime }: BilledMetrics, memoryGb: number): MathExpression {
  const memory = `FILL(runTime, 0) / 1000 * ${memoryGb * PRICES.lambdaGbSecond}`;
  const calls = `FILL(invocations, 0) * ${PRICES.lambdaRequestsMillion} / ${MILLION}`;
  const expression = `3600 / PERIOD(runTime) * (${memory} + ${calls})`;
  return math(expression, { invocations, runTime }, 'function');
}

function tablesCostOf(metrics: BilledMetrics): MathExpression {
  const { ledgerWrites, aggregatesWrites, eventsWrites, quarantineWrites } = metrics;
  const writes = { ledgerWrites, aggregatesWrites, eventsWrites, quarantineWrites };
  const { ledgerReads, aggregatesReads } = metrics;
  const reads = { ledgerReads, aggregatesReads };
  const sum = (of: object) =>
    Object.keys(of)
      .map((name) => `FILL(${name}, 0)`)
      .join(' + ');
  const units = `(${sum(writes)}) * ${PRICES.writeUnitsMillion} / ${MILLION} + (${sum(reads)}) * ${PRICES.readUnitsMillion} / ${MILLION}`;
  return math(`3600 / PERIOD(ledgerWrites) * (${units})`, { ...writes, ...reads }, 'tables');
}

function logsCostOf({ consumerLogs, keeperLogs }: BilledMetrics): MathExpression {
  const bytes = 'FILL(consumerLogs, 0) + FILL(keeperLogs, 0)';
  const expression = `3600 / PERIOD(consumerLogs) * (${bytes}) * ${PRICES.logsGb} / ${GB}`;
  return math(expression, { consumerLogs, keeperLogs }, 'logs');
}
