import {
  Dashboard,
  GraphWidget,
  type HorizontalAnnotation,
  type Metric,
  Row,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { AlarmDefinition } from './alarms.ts';
import type { PipelineMetrics } from './metrics.ts';

/** What a dashboard shows. */
export interface DashboardProps {
  readonly pipeline: string;
  readonly metrics: PipelineMetrics;
  readonly alarms: readonly AlarmDefinition[];
}

/** One dashboard in the order of the data's way, each alarm's threshold drawn on its graph. */
export function makeDashboard(
  scope: Construct,
  id: string,
  { pipeline, metrics, alarms }: DashboardProps,
): Dashboard {
  const graph = (title: string, left: Metric[], unit: string) =>
    new GraphWidget({
      title,
      left,
      width: 8,
      height: 6,
      leftYAxis: { label: unit, showUnits: false, min: 0 },
      leftAnnotations: thresholdsOf(left, alarms),
    });
  const dashboard = new Dashboard(scope, id);
  dashboard.addWidgets(
    new TextWidget({ markdown: introduction(pipeline), width: 24, height: 4 }),
    new Row(
      graph('In: records a minute', [metrics.incoming], 'records'),
      graph('In: bytes a minute', [metrics.incomingBytes], 'bytes'),
      graph('In: refused by the stream', [metrics.writeThrottles], 'records'),
    ),
    new Row(
      graph('Behind: age of the oldest unread record', [metrics.iteratorAge], 'ms'),
      graph('Late: arrival to result', [metrics.latencyP50, metrics.latencyP99], 'ms'),
      graph(
        'Events a minute',
        [metrics.accepted, metrics.duplicates, metrics.partlyLate],
        'events',
      ),
    ),
    new Row(
      graph('Quarantine: share', [metrics.quarantineRate], '%'),
      graph('Quarantine: events a minute', [metrics.quarantined], 'events'),
      graph('Left for the next try', [metrics.unfinished, metrics.conflicts], 'records'),
    ),
    new Row(
      graph(
        'Function: calls and errors',
        [metrics.invocations, metrics.errors, metrics.throttles],
        'calls',
      ),
      graph('Function: duration p99', [metrics.duration], 'ms'),
      graph('Given up', [metrics.givenUp, metrics.dropped], 'records'),
    ),
  );
  return dashboard;
}

function introduction(pipeline: string): string {
  return [
    `# ${pipeline}`,
    'Left to right and top to bottom is the way of the data. **Is it flowing?** First row. **Is it late?** Second row;',
    'the iterator age goes back to 0 when all is read. **Are events bad?** Third row. **Does something fail?** Last row;',
    'what is given up is always 0. Red lines are alarms: docs/RUNBOOK.md has a section for each.',
  ].join('\n');
}

function thresholdsOf(
  metrics: readonly Metric[],
  alarms: readonly AlarmDefinition[],
): HorizontalAnnotation[] {
  return alarms
    .filter(({ metric }) =>
      metrics.some(
        (one) => one.metricName === metric.metricName && one.statistic === metric.statistic,
      ),
    )
    .map(({ id, threshold }) => ({ value: threshold, label: id, color: '#d13212' }));
}
