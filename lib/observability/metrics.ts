import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  METRIC_DIMENSION,
  METRIC_NAMESPACE,
  METRICS,
  serviceName,
} from '../../src/core/contract.ts';
import type { DataStack } from '../data-stack.ts';
import type { Consumer } from '../processing/consumer.ts';
import type { Keeper } from '../processing/keeper.ts';

/** What the metrics are of. */
export interface MetricSource {
  readonly pipeline: string;
  readonly environment: string;
  readonly data: DataStack;
  readonly consumer: Consumer;
  readonly keeper: Keeper;
}

/** Every metric that the dashboard shows or an alarm watches. */
export type PipelineMetrics = ReturnType<typeof pipelineMetrics>;

const MINUTE = Duration.minutes(1);

/** Metrics of a pipeline, one data point a minute. */
export function pipelineMetrics({ pipeline, environment, data, consumer, keeper }: MetricSource) {
  const own = (metricName: string, statistic: string) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { [METRIC_DIMENSION]: serviceName(pipeline, environment) },
      statistic,
      period: MINUTE,
    });
  const mapping = (metricName: string) =>
    new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { EventSourceMappingUUID: consumer.mapping.eventSourceMappingId },
      statistic: 'Sum',
      period: MINUTE,
    });
  const sum = { statistic: 'Sum', period: MINUTE };
  return {
    incoming: data.stream.metricIncomingRecords(sum),
    incomingBytes: data.stream.metricIncomingBytes(sum),
    writeThrottles: data.stream.metricWriteProvisionedThroughputExceeded(sum),
    iteratorAge: data.stream.metricGetRecordsIteratorAgeMilliseconds({
      statistic: 'Maximum',
      period: MINUTE,
    }),
    invocations: consumer.function.metricInvocations(sum),
    errors: consumer.function.metricErrors(sum),
    throttles: consumer.function.metricThrottles(sum),
    duration: consumer.function.metricDuration({ statistic: 'p99', period: MINUTE }),
    keeperErrors: keeper.function.metricErrors({ statistic: 'Sum', period: Duration.hours(1) }),
    givenUp: mapping('OnFailureDestinationDeliveredEventCount'),
    dropped: mapping('DroppedEventCount'),
    received: own(METRICS.received, 'Sum'),
    accepted: own(METRICS.accepted, 'Sum'),
    duplicates: own(METRICS.duplicates, 'Sum'),
    quarantined: own(METRICS.quarantined, 'Sum'),
    quarantineRate: own(METRICS.quarantineRate, 'Average'),
    partlyLate: own(METRICS.partlyLate, 'Sum'),
    unfinished: own(METRICS.unfinished, 'Sum'),
    conflicts: own(METRICS.conflicts, 'Sum'),
    latencyP99: own(METRICS.latency, 'p99'),
    latencyP50: own(METRICS.latency, 'p50'),
  };
}
