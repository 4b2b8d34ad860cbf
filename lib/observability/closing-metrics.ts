import { Duration } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, serviceName } from '../../src/core/contract.ts';
import { of, pipelineMetricMaker } from './metric-maker.ts';
import type { MetricSource } from './metrics.ts';

type ClosingMetric =
  | 'closerRuns'
  | 'closerErrors'
  | 'windowsClosed'
  | 'rowsPublished'
  | 'rowsCorrected'
  | 'writersForced'
  | 'closingDelay'
  | 'undelivered';

/** What a run that takes a minute or two must not look like. */
const QUARTER = Duration.minutes(15);

/** Metrics of the closer; nothing where there is none. */
export function closingMetrics(source: MetricSource): Partial<Record<ClosingMetric, Metric>> {
  const { pipeline, environment, consumer, closer, data } = source;
  if (closer === undefined || data.closedWindows === undefined) return {};
  const service = serviceName(pipeline, environment.name);
  const { own } = pipelineMetricMaker({ service, consumer });
  const { undelivered } = data.closedWindows;
  return {
    closerRuns: own(METRICS.closerRuns, 'Sum', 'runs').with({ period: QUARTER }),
    closerErrors: of(closer.function.metricErrors(), 'Sum', 'failed', QUARTER),
    windowsClosed: own(METRICS.windowsClosed, 'Sum', 'windows'),
    rowsPublished: own(METRICS.rowsPublished, 'Sum', 'rows'),
    rowsCorrected: own(METRICS.rowsCorrected, 'Sum', 'rows corrected'),
    writersForced: own(METRICS.writersForced, 'Sum', 'writers not waited for'),
    closingDelay: own(METRICS.closingDelay, 'Maximum', 'the slowest window'),
    undelivered: of(
      undelivered.metricApproximateNumberOfMessagesVisible(),
      'Maximum',
      'messages not delivered',
    ),
  };
}
