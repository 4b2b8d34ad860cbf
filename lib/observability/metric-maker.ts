import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { METRIC_DIMENSION, METRIC_NAMESPACE } from '../../src/core/contract.ts';
import type { Consumer } from '../processing/consumer.ts';

/** Length of a point, unless a metric says otherwise. */
const MINUTE = Duration.minutes(1);

/** A service's metric with one statistic, period and label. */
export function of(metric: Metric, statistic: string, label: string, period = MINUTE): Metric {
  return metric.with({ statistic, label, period });
}

/** An expression over other metrics, by the names that it has for them. */
export function math(
  expression: string,
  usingMetrics: Readonly<Record<string, IMetric>>,
  label: string,
): MathExpression {
  return new MathExpression({ expression, usingMetrics, label, period: MINUTE });
}

/** Bytes that are written into a group of logs. */
export function logBytes(group: ILogGroup, label: string): Metric {
  return new Metric({
    namespace: 'AWS/Logs',
    metricName: 'IncomingBytes',
    dimensionsMap: { LogGroupName: group.logGroupName },
    statistic: 'Sum',
    period: MINUTE,
    label,
  });
}

/** Makes metrics of what the functions measure themselves, and of the event source mapping. */
export function pipelineMetricMaker(props: {
  readonly service: string;
  readonly consumer: Consumer;
}) {
  const { service, consumer } = props;
  const { eventSourceMappingId: EventSourceMappingUUID } = consumer.mapping;
  return {
    own: (metricName: string, statistic: string, label: string) =>
      new Metric({
        namespace: METRIC_NAMESPACE,
        metricName,
        dimensionsMap: { [METRIC_DIMENSION]: service },
        statistic,
        period: MINUTE,
        label,
      }),
    mapping: (metricName: string, label: string) =>
      new Metric({
        namespace: 'AWS/Lambda',
        metricName,
        dimensionsMap: { EventSourceMappingUUID },
        statistic: 'Sum',
        period: MINUTE,
        label,
      }),
  };
}
