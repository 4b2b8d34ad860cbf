import { Duration } from 'aws-cdk-lib';
import type { IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { METRICS, serviceName } from '../../src/core/contract.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import type { DataStack } from '../data-stack.ts';
import type { Archiver } from '../processing/archiver.ts';
import type { Closer } from '../processing/closer.ts';
import type { Consumer } from '../processing/consumer.ts';
import type { Keeper } from '../processing/keeper.ts';
import type { Redriver } from '../processing/redriver.ts';
import type { Scaler } from '../processing/scaler.ts';
import type { PipelineTables } from '../storage/tables.ts';
import { closingMetrics } from './closing-metrics.ts';
import { costMetrics } from './cost-metrics.ts';
import { logBytes, math, of, pipelineMetricMaker } from './metric-maker.ts';

/** What the metrics are of. */
export interface MetricSource {
  readonly pipeline: string;
  readonly environment: EnvironmentConfig;
  readonly data: DataStack;
  readonly consumer: Consumer;
  readonly keeper: Keeper;
  readonly redriver: Redriver;
  /** Undefined where there is no archive. */
  readonly archiver: Archiver | undefined;
  /** Undefined where the pipeline closes no windows. */
  readonly closer: Closer | undefined;
  /** Undefined where the stream isn't scaled by a function. */
  readonly scaler: Scaler | undefined;
  readonly topic: Topic;
}

/** Every metric that a dashboard shows or an alarm watches, by the name that those use; the archive's are not always there. */
export type PipelineMetrics = ReturnType<typeof pipelineMetrics>;

/** Name of a metric in alarms and graphs. */
export type MetricId = keyof PipelineMetrics;

/** Metrics of a pipeline, a point a minute. The one place where metrics are defined. */
export function pipelineMetrics(source: MetricSource) {
  const counted = {
    ...ingestion(source),
    ...processing(source),
    ...storage(source),
    ...archive(source),
  };
  return {
    ...counted,
    ...operations(source),
    ...scaling(source),
    ...closingMetrics(source),
    ...derived(counted),
    ...costMetrics({ ...counted, ...operations(source) }, source.environment),
  } satisfies Record<string, IMetric | undefined>;
}

function ingestion({ data: { stream } }: MetricSource) {
  return {
    incoming: of(stream.metricIncomingRecords(), 'Sum', 'records in'),
    incomingBytes: of(stream.metricIncomingBytes(), 'Sum', 'bytes in'),
    writeThrottles: of(stream.metricWriteProvisionedThroughputExceeded(), 'Sum', 'refused'),
    iteratorAge: of(
      stream.metricGetRecordsIteratorAgeMilliseconds(),
      'Maximum',
      'age of the oldest unread record (ms)',
    ),
  };
}

function processing({ pipeline, environment, consumer }: MetricSource) {
  const { own, mapping } = pipelineMetricMaker({
    service: serviceName(pipeline, environment.name),
    consumer,
  });
  const { function: lambda } = consumer;
  return {
    invocations: of(lambda.metricInvocations(), 'Sum', 'calls'),
    errors: of(lambda.metricErrors(), 'Sum', 'failed calls'),
    throttles: of(lambda.metricThrottles(), 'Sum', 'calls not started'),
    duration: of(lambda.metricDuration(), 'p99', 'duration p99 (ms)'),
    runTime: of(lambda.metricDuration(), 'Sum', 'run time (ms)'),
    givenUp: mapping('OnFailureDestinationDeliveredEventCount', 'put into the destination'),
    dropped: mapping('DroppedEventCount', 'lost'),
    received: own(METRICS.received, 'Sum', 'records read'),
    accepted: own(METRICS.accepted, 'Sum', 'accepted'),
    duplicates: own(METRICS.duplicates, 'Sum', 'repeats'),
    quarantined: own(METRICS.quarantined, 'Sum', 'quarantined'),
    partlyLate: own(METRICS.partlyLate, 'Sum', 'late for some windows'),
    corrected: own(METRICS.corrected, 'Sum', 'late, and counted'),
    correctingLateness: own(METRICS.correctingLateness, 'Maximum', 'counted'),
    lateness: own(METRICS.lateness, 'Maximum', 'quarantined'),
    derived: own(METRICS.derived, 'Sum', 'sent to other pipelines'),
    unfinished: own(METRICS.unfinished, 'Sum', 'left for the next try'),
    conflicts: own(METRICS.conflicts, 'Sum', 'writes that lost'),
    latencyP99: own(METRICS.latency, 'p99', 'arrival to result, p99 (ms)'),
    latencyP50: own(METRICS.latency, 'p50', 'arrival to result, median (ms)'),
  };
}

function storage({ data: { tables } }: MetricSource) {
  const { ledger, aggregates, events, quarantine } = tables;
  const refused = Object.fromEntries(
    Object.entries({ ledger, aggregates, events, quarantine }).flatMap(([name, table]) => [
      [`${name}Write`, of(table.metric('WriteThrottleEvents'), 'Sum', name)],
      [`${name}Read`, of(table.metric('ReadThrottleEvents'), 'Sum', name)],
    ]),
  );
  return {
    ledgerWrites: of(ledger.metricConsumedWriteCapacityUnits(), 'Sum', 'ledger'),
    aggregatesWrites: of(aggregates.metricConsumedWriteCapacityUnits(), 'Sum', 'aggregates'),
    eventsWrites: of(events.metricConsumedWriteCapacityUnits(), 'Sum', 'events'),
    quarantineWrites: of(quarantine.metricConsumedWriteCapacityUnits(), 'Sum', 'quarantine'),
    ledgerReads: of(ledger.metricConsumedReadCapacityUnits(), 'Sum', 'ledger'),
    aggregatesReads: of(aggregates.metricConsumedReadCapacityUnits(), 'Sum', 'aggregates'),
    ledgerExpired: expired(ledger, 'ledger'),
    aggregatesExpired: expired(aggregates, 'aggregates'),
    eventsExpired: expired(events, 'events'),
    quarantineExpired: expired(quarantine, 'quarantine'),
    tableThrottles: math(`SUM([${Object.keys(refused)}])`, refused, 'refused by the tables'),
  };
}

/** Items that DynamoDB deleted because their time had passed. */
function expired(table: PipelineTables['ledger'], name: string): Metric {
  return of(table.metric('TimeToLiveDeletedItemCount'), 'Sum', name, Duration.hours(1));
}

/** Of the archiver and its check; nothing where there is no archive. */
function archive(source: MetricSource): Partial<ReturnType<typeof archiveMetrics>> {
  return source.archiver === undefined ? {} : archiveMetrics(source, source.archiver);
}

function archiveMetrics({ pipeline, environment, consumer }: MetricSource, archiver: Archiver) {
  const service = serviceName(pipeline, environment.name);
  const { own } = pipelineMetricMaker({ service, consumer });
  const hour = Duration.hours(1);
  const { function: lambda, checker } = archiver;
  const gaps = own(METRICS.archiveGaps, 'Maximum', 'gaps');
  const age = own(METRICS.timeToArchive, 'Maximum', 'arrival to the archive (ms)');
  return {
    archiveAge: age.with({ period: Duration.minutes(5) }),
    archiveIteratorAge: of(lambda.metric('IteratorAge'), 'Maximum', 'age of what it reads (ms)'),
    archivedRecords: own(METRICS.archivedRecords, 'Sum', 'records'),
    archivedBytes: own(METRICS.archivedBytes, 'Sum', 'bytes, compressed'),
    archiveGaps: gaps.with({ period: hour }),
    archiveErrors: of(lambda.metricErrors(), 'Sum', 'failed calls'),
    archiveThrottles: of(lambda.metricThrottles(), 'Sum', 'calls not started'),
    archiveInvocations: of(lambda.metricInvocations(), 'Sum', 'calls'),
    archiveRunTime: of(lambda.metricDuration(), 'Sum', 'run time (ms)'),
    archiveCheckErrors: of(checker.metricErrors(), 'Sum', 'check failed', hour),
  };
}

function operations({ pipeline, environment, consumer, keeper, redriver, topic }: MetricSource) {
  const hour = Duration.hours(1);
  const service = serviceName(pipeline, environment.name);
  const { own } = pipelineMetricMaker({ service, consumer });
  return {
    redriven: own(METRICS.redriven, 'Sum', 'brought back'),
    refusedAgain: own(METRICS.refusedAgain, 'Sum', 'refused once more'),
    redriveErrors: of(redriver.function.metricErrors(), 'Sum', 'failed calls'),
    keeperErrors: of(keeper.function.metricErrors(), 'Sum', 'keeper failed', hour),
    keeperCalls: of(keeper.function.metricInvocations(), 'Sum', 'keeper called', hour),
    notifications: of(topic.metricNumberOfNotificationsDelivered(), 'Sum', 'delivered'),
    notificationsFailed: of(topic.metricNumberOfNotificationsFailed(), 'Sum', 'failed'),
    consumerLogs: logBytes(consumer.function.logGroup, 'consumer'),
    keeperLogs: logBytes(keeper.function.logGroup, 'keeper'),
  };
}

/** Of the scaler; nothing where there is none. */
function scaling({
  scaler,
}: MetricSource): Partial<Record<'scalerCalls' | 'scalerErrors', IMetric>> {
  if (scaler === undefined) return {};
  const quarter = Duration.minutes(15);
  return {
    scalerCalls: of(scaler.function.metricInvocations(), 'Sum', 'called', quarter),
    scalerErrors: of(scaler.function.metricErrors(), 'Sum', 'failed', quarter),
  };
}

/** Metrics that are computed from others. */
function derived(
  metrics: Readonly<Record<'incoming' | 'accepted' | 'duplicates' | 'quarantined', Metric>>,
) {
  const { incoming, accepted, duplicates, quarantined } = metrics;
  const finished = { accepted, duplicates, quarantined };
  const sum = 'FILL(accepted, 0) + FILL(duplicates, 0) + FILL(quarantined, 0)';
  return {
    // Filled: that nothing comes or nothing is finished is a figure too, and not a gap.
    incomingRate: math('FILL(incoming, 0) / PERIOD(incoming)', { incoming }, 'events in a second'),
    finishedRate: math(`(${sum}) / PERIOD(accepted)`, finished, 'events finished a second'),
    // By sums, so that a call with one bad event of one doesn't count as much as one with a thousand good ones.
    quarantineRate: math(
      '100 * quarantined / (accepted + duplicates + quarantined)',
      finished,
      'quarantined (%)',
    ),
    finishedShare: math(
      `IF(incoming > 0, 100 * (${sum}) / incoming)`,
      { incoming, ...finished },
      'finished of what came in (%)',
    ),
  };
}
