import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, serviceName } from '../../src/core/contract.ts';
import { of, pipelineMetricMaker } from './metric-maker.ts';
import type { MetricSource } from './metrics.ts';

type ClosingMetric =
  | 'closerRuns'
  | 'closerErrors'
  | 'closerStill'
  | 'windowsClosed'
  | 'rowsPublished'
  | 'rowsCorrected'
  | 'writersForced'
  | 'closingDelay'
  | 'undelivered';

/** What a run that takes a minute or two must not look like. */
const QUARTER = Duration.minutes(15);

/** Metrics of the closer; nothing where there is none. */
export function closingMetrics(source: MetricSource): Partial<Record<ClosingMetric, IMetric>> {
  const { pipeline, environment, consumer, closer, data } = source;
  if (closer === undefined || data.closedWindows === undefined) return {};
  const service = serviceName(pipeline, environment.name);
  const { own } = pipelineMetricMaker({ service, consumer });
  const { undelivered } = data.closedWindows;
  const runs = own(METRICS.closerRuns, 'Sum', 'runs').with({ period: QUARTER });
  const accepted = own(METRICS.accepted, 'Sum', 'accepted').with({ period: QUARTER });
  const still = 'IF(FILL(accepted, 0) > 0 AND FILL(runs, 0) < 1, 1, 0)';
  return {
    closerRuns: runs,
    // Of events that come: a new deployment, which had no time for a run, is quiet.
    closerStill: new MathExpression({
      expression: still,
      usingMetrics: { accepted, runs },
      label: 'events and no run',
      period: QUARTER,
    }),
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
