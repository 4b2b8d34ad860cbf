import { Stack } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type HorizontalAnnotation,
  type IMetric,
  type IWidget,
  Row,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { PRICES } from '../../src/plan/prices.ts';
import type { AlarmDefinition, CompositeDefinition } from './alarms.ts';
import { GRAPHS, type GraphDefinition, LAYERS, type Layer, QUESTIONS } from './graphs.ts';
import type { MetricId, PipelineMetrics } from './metrics.ts';
import { alarmName, dashboardName } from './names.ts';

/** What dashboards show. */
export interface DashboardsProps {
  /** Begins their names, such as `flights-prod`. */
  readonly service: string;
  readonly metrics: PipelineMetrics;
  readonly alarms: readonly AlarmDefinition[];
  readonly composites: readonly CompositeDefinition[];
}

/** Columns of a dashboard. */
const WIDTH = 24;
const ROW_HEIGHT = 6;

/** Red, as CloudWatch's own examples draw thresholds. */
const RED = '#d13212';

/** The dashboard that answers: is it flowing, how late, what fails, what does it cost. */
export function makeOverview(scope: Construct, props: DashboardsProps): Dashboard {
  const { service, metrics } = props;
  const width = WIDTH / QUESTIONS.length;
  const figures = QUESTIONS.map(
    ({ title, figures: ids }) =>
      new SingleValueWidget({
        title,
        metrics: present(ids, metrics),
        sparkline: false,
        width,
        height: 4,
      }),
  );
  return new Dashboard(scope, 'Dashboard', {
    dashboardName: dashboardName(service),
    widgets: [
      [text(`# ${service}`, QUESTIONS, 4)],
      [new Row(...figures)],
      [statesOf(scope, props)],
      [new Row(...QUESTIONS.map((question) => graph(question, props, width)))],
      [new TextWidget({ markdown: COST_NOTE, width: WIDTH, height: 2 })],
    ],
  });
}

/** A dashboard for each layer. */
export function makeLayerDashboards(
  scope: Construct,
  props: DashboardsProps,
): readonly Dashboard[] {
  return (Object.keys(LAYERS) as Layer[]).map((layer) => {
    const all: readonly GraphDefinition[] = GRAPHS[layer];
    const graphs = all.filter(({ metrics }) => present(metrics, props.metrics).length > 0);
    const width = graphs.length === 4 || graphs.length < 3 ? WIDTH / 2 : WIDTH / 3;
    const widgets = graphs.map((definition) => graph(definition, props, width));
    const height = 2 + Math.ceil(graphs.length / 2);
    const name = dashboardName(props.service, layer);
    return new Dashboard(scope, `${layer}Dashboard`, {
      dashboardName: name,
      widgets: [
        [text(`# ${name}\n${LAYERS[layer]}`, graphs, height)],
        ...rowsOf(widgets, WIDTH / width),
      ],
    });
  });
}

const COST_NOTE = `List prices of us-east-1, ${PRICES.date}, without free tiers and discounts; keys, alarms and dashboards are not in it (the output IdleCost of the stack has them).`;

/** Without those of a part that the pipeline doesn't have. */
function present(ids: readonly MetricId[], metrics: PipelineMetrics): IMetric[] {
  return ids.flatMap((id) => metrics[id] ?? []);
}

function rowsOf(widgets: readonly IWidget[], columns: number): IWidget[][] {
  const count = Math.ceil(widgets.length / columns);
  return Array.from({ length: count }, (_, row) => [
    new Row(...widgets.slice(row * columns, (row + 1) * columns)),
  ]);
}

/** What to look for, graph by graph. */
function text(head: string, graphs: readonly GraphDefinition[], height: number): TextWidget {
  const lines = graphs.map(({ title, look }) => `- **${title}** ${look}`);
  const foot =
    'Counts are for each point’s period: a minute, or more over a longer time. Red lines are thresholds of alarms; docs/RUNBOOK.md has a section for each.';
  return new TextWidget({ markdown: [head, ...lines, '', foot].join('\n'), width: WIDTH, height });
}

/** By name, not by reference: a dashboard then depends on no alarm. */
function statesOf(scope: Construct, props: DashboardsProps): AlarmStatusWidget {
  const stack = Stack.of(scope);
  const alarms = [...props.composites, ...props.alarms].map(({ id }) =>
    Alarm.fromAlarmName(scope, `${id}State`, alarmName(props.service, id)),
  );
  return new AlarmStatusWidget({
    title: `Alarms of ${stack.stackName}`,
    alarms,
    width: WIDTH,
    height: 3,
  });
}

function graph(
  { title, unit, metrics, stacked = false }: GraphDefinition,
  props: DashboardsProps,
  width: number,
): GraphWidget {
  return new GraphWidget({
    title,
    left: present(metrics, props.metrics),
    width,
    height: ROW_HEIGHT,
    stacked,
    leftYAxis: { label: unit, showUnits: false, min: 0 },
    leftAnnotations: props.alarms
      .filter(({ watches }) => metrics.includes(watches))
      .map(
        ({ id, threshold }): HorizontalAnnotation => ({ value: threshold, label: id, color: RED }),
      ),
  });
}
