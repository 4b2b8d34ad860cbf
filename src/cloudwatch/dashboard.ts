import { DefinitionError } from '../core/errors.ts';
import { nameOf } from './composite-rule.ts';
import type { Query } from './query.ts';

/** Where a widget stands: the grid has 24 columns. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line of a graph. */
export interface GraphLine {
  readonly id: string;
  readonly label: string;
  /** False for what only an expression needs. */
  readonly visible: boolean;
}

/** A line across a graph at the threshold of an alarm. */
export interface Threshold {
  readonly label: string;
  readonly value: number;
}

/** A widget of a dashboard. */
export type Widget = Place &
  (
    | { readonly type: 'text'; readonly markdown: string }
    | { readonly type: 'alarms'; readonly title: string; readonly alarms: readonly string[] }
    | {
        readonly type: 'graph';
        readonly title: string;
        readonly view: 'timeSeries' | 'singleValue';
        readonly stacked: boolean;
        readonly unit: string;
        readonly queries: readonly Query[];
        readonly lines: readonly GraphLine[];
        readonly thresholds: readonly Threshold[];
      }
  );

interface Body {
  readonly widgets?: readonly (Place & {
    readonly type: string;
    readonly properties?: Properties;
  })[];
}

interface Properties {
  readonly title?: string;
  readonly markdown?: string;
  readonly alarms?: readonly string[];
  readonly view?: string;
  readonly stacked?: boolean;
  readonly stat?: string;
  readonly metrics?: readonly (readonly unknown[])[];
  readonly yAxis?: { readonly left?: { readonly label?: string } };
  readonly annotations?: { readonly horizontal?: readonly Threshold[] };
}

interface LineOptions {
  readonly id?: string;
  readonly expression?: string;
  readonly label?: string;
  readonly visible?: boolean;
  readonly stat?: string;
}

/**
 * Reads the body of a dashboard: text, alarm and metric widgets.
 * docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 *
 * @throws DefinitionError for a widget of another type
 */
export function readDashboard(body: string): readonly Widget[] {
  const { widgets = [] }: Body = JSON.parse(body);
  return widgets.map(({ x, y, width, height, type, properties = {} }): Widget => {
    const place = { x, y, width, height };
    const { title = '', markdown = '', alarms = [] } = properties;
    if (type === 'text') return { ...place, type, markdown };
    if (type === 'alarm') return { ...place, type: 'alarms', title, alarms: alarms.map(nameOf) };
    if (type !== 'metric') throw new DefinitionError('widget', type, 'text, alarm or metric');
    const metrics = readMetrics(properties.metrics ?? [], properties.stat ?? 'Average');
    return {
      ...place,
      type: 'graph',
      title,
      view: properties.view === 'singleValue' ? 'singleValue' : 'timeSeries',
      stacked: properties.stacked === true,
      unit: properties.yAxis?.left?.label ?? '',
      queries: metrics.map(({ query }) => query),
      lines: metrics.map(({ line }) => line),
      thresholds: (properties.annotations?.horizontal ?? []).map(({ label, value }) => ({
        label,
        value,
      })),
    };
  });
}

/** A metric is `[namespace, name, dimension, value, …, options]`; `.` and `...` repeat the one before. */
function readMetrics(metrics: readonly (readonly unknown[])[], widgetStatistic: string) {
  let before: readonly string[] = [];
  return metrics.map((metric, index) => {
    const last = metric.at(-1);
    const options: LineOptions = typeof last === 'object' && last !== null ? last : {};
    const { id = `line${index}`, expression, visible = true } = options;
    if (expression !== undefined) {
      const label = options.label ?? id;
      const query: Query = { type: 'expression', id, expression };
      return { query, line: { id, label, visible } };
    }
    const names = repeated(
      metric.filter((part) => typeof part === 'string'),
      before,
    );
    before = names;
    const [namespace = '', name = '', ...pairs] = names;
    const dimensions = Object.fromEntries(
      pairs.flatMap((part, at) => (at % 2 === 0 ? [[part, pairs[at + 1] ?? '']] : [])),
    );
    const statistic = options.stat ?? widgetStatistic;
    const query: Query = {
      type: 'metric',
      id,
      metric: { namespace, name, dimensions },
      statistic,
    };
    return { query, line: { id, label: options.label ?? name, visible } };
  });
}

function repeated(names: readonly string[], before: readonly string[]): readonly string[] {
  if (names[0] === '...') {
    const rest = names.slice(1);
    return [...before.slice(0, before.length - rest.length), ...rest];
  }
  return names.map((name, index) => (name === '.' ? (before[index] ?? '') : name));
}
