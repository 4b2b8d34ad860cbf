import { DefinitionError } from '../core/errors.ts';
import {
  type Alarm,
  type AlarmState,
  COMPARISONS,
  type Comparison,
  type CompositeAlarm,
  type MetricAlarm,
  type MissingData,
} from './alarm.ts';
import { nameOf, parseCompositeRule } from './composite-rule.ts';
import type { Query } from './query.ts';

/** Types of CloudFormation resources that are alarms. */
export const ALARM_TYPES = {
  metric: 'AWS::CloudWatch::Alarm',
  composite: 'AWS::CloudWatch::CompositeAlarm',
} as const;

interface Stat {
  readonly Metric: MetricSource;
  readonly Period: number;
  readonly Stat: string;
}

interface MetricSource {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

/** Properties that both kinds have. */
interface CommonProperties {
  readonly AlarmName: string;
  readonly AlarmDescription?: string;
  readonly ActionsEnabled?: boolean;
  readonly AlarmActions?: readonly string[];
  readonly OKActions?: readonly string[];
  readonly InsufficientDataActions?: readonly string[];
}

interface MetricProperties extends CommonProperties, Partial<MetricSource> {
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: Stat;
    readonly ReturnData?: boolean;
  }[];
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  readonly Period?: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: string;
}

interface CompositeProperties extends CommonProperties {
  readonly AlarmRule: string;
  readonly ActionsSuppressor?: string;
  readonly ActionsSuppressorWaitPeriod?: number;
  readonly ActionsSuppressorExtensionPeriod?: number;
}

/** Settings that are not modelled: an alarm that has one would be judged wrongly. */
const NOT_MODELLED = ['ThresholdMetricId', 'EvaluateLowSampleCountPercentile', 'Unit'];

/**
 * Reads an alarm from the properties of its resource, references resolved.
 *
 * @throws DefinitionError for settings that are not modelled
 */
export function readAlarm(type: string, properties: object): Alarm {
  for (const name of NOT_MODELLED) {
    if (name in properties) {
      throw new DefinitionError(`alarm: ${name}`, Reflect.get(properties, name), 'no such setting');
    }
  }
  return type === ALARM_TYPES.composite
    ? readComposite(properties as CompositeProperties)
    : readMetric(properties as MetricProperties);
}

function readMetric(properties: MetricProperties): MetricAlarm {
  const { queries, watches, periodSeconds } = queriesOf(properties);
  const { EvaluationPeriods: evaluationPeriods, ComparisonOperator: comparison } = properties;
  if (!Object.hasOwn(COMPARISONS, comparison)) {
    const path = `alarm ${properties.AlarmName}: ComparisonOperator`;
    throw new DefinitionError(path, comparison, `one of ${Object.keys(COMPARISONS)}`);
  }
  const isDynamoDb = queries.some(
    (query) => query.type === 'metric' && query.metric.namespace === 'AWS/DynamoDB',
  );
  const missing = (properties.TreatMissingData ?? 'missing') as MissingData;
  return {
    type: 'metric',
    ...commonOf(properties),
    queries,
    watches,
    periodSeconds,
    evaluationPeriods,
    datapointsToAlarm: properties.DatapointsToAlarm ?? evaluationPeriods,
    threshold: properties.Threshold,
    comparison: comparison as Comparison,
    // "Alarms that evaluate metrics in the AWS/DynamoDB namespace always ignore missing data".
    missing: isDynamoDb ? 'ignore' : missing,
  };
}

function queriesOf(properties: MetricProperties): {
  readonly queries: readonly Query[];
  readonly watches: string;
  readonly periodSeconds: number;
} {
  const { Metrics, Namespace, MetricName, Dimensions = [], Period = 60 } = properties;
  if (Metrics === undefined) {
    const metric = metricOf({
      Namespace: Namespace ?? '',
      MetricName: MetricName ?? '',
      Dimensions,
    });
    const statistic = properties.ExtendedStatistic ?? properties.Statistic ?? 'Average';
    const queries: Query[] = [{ type: 'metric', id: 'watched', metric, statistic }];
    return { queries, watches: 'watched', periodSeconds: Period };
  }
  const queries = Metrics.map(({ Id: id, Expression: expression, MetricStat: stat }): Query => {
    if (stat === undefined) return { type: 'expression', id, expression: expression ?? '' };
    return { type: 'metric', id, metric: metricOf(stat.Metric), statistic: stat.Stat };
  });
  const watched = Metrics.find(({ ReturnData }) => ReturnData !== false);
  const periodSeconds = Metrics.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 60;
  return { queries, watches: watched?.Id ?? '', periodSeconds };
}

function metricOf({ Namespace: namespace, MetricName: name, Dimensions = [] }: MetricSource) {
  const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
  return { namespace, name, dimensions };
}

function readComposite(properties: CompositeProperties): CompositeAlarm {
  const { AlarmRule: ruleText, ActionsSuppressor } = properties;
  const suppressor =
    ActionsSuppressor === undefined
      ? undefined
      : {
          alarm: nameOf(ActionsSuppressor),
          waitSeconds: properties.ActionsSuppressorWaitPeriod ?? 0,
          extensionSeconds: properties.ActionsSuppressorExtensionPeriod ?? 0,
        };
  const rule = parseCompositeRule(ruleText);
  return { type: 'composite', ...commonOf(properties), ruleText, rule, suppressor };
}

function commonOf(properties: CommonProperties) {
  const isOn = properties.ActionsEnabled !== false;
  const of = (actions: readonly string[] | undefined) => (isOn ? (actions ?? []) : []);
  const actions: Readonly<Record<AlarmState, readonly string[]>> = {
    ALARM: of(properties.AlarmActions),
    OK: of(properties.OKActions),
    INSUFFICIENT_DATA: of(properties.InsufficientDataActions),
  };
  return { name: properties.AlarmName, description: properties.AlarmDescription ?? '', actions };
}
