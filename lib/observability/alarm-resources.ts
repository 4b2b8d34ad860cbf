import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmBase,
  AlarmRule,
  AlarmState,
  CompositeAlarm,
  type IMetric,
  MathExpression,
  Metric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { InvariantError } from '../../src/core/errors.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import type { AlarmDefinition, CompositeDefinition } from './alarms.ts';
import type { PipelineMetrics } from './metrics.ts';
import { alarmName, dashboardName } from './names.ts';

/** What alarms are made with. */
export interface AlarmsProps {
  /** Begins the names of alarms and dashboards, such as `flights-prod`. */
  readonly service: string;
  readonly alarms: readonly AlarmDefinition[];
  readonly composites: readonly CompositeDefinition[];
  readonly metrics: PipelineMetrics;
  readonly topic: ITopic;
  readonly environment: EnvironmentConfig;
}

/** How long a suppressor may take to follow its composite alarm, and a composite alarm its suppressor. */
const WAIT = Duration.minutes(2);
const EXTENSION = Duration.minutes(5);

/**
 * Makes the alarms. Each tells the topic when it goes on and off, but for those that a composite alarm
 * speaks for: somebody who is woken gets one message, with the cause.
 */
export function makeAlarms(scope: Construct, props: AlarmsProps): void {
  const spokenFor = new Set(props.composites.flatMap(({ anyOf }) => anyOf));
  const made = new Map<string, Alarm>();
  for (const definition of props.alarms) {
    const alarm = makeMetricAlarm(scope, definition, props);
    made.set(definition.id, alarm);
    if (!spokenFor.has(definition.id)) tell(alarm, props.topic);
  }
  for (const definition of props.composites) {
    tell(makeComposite(scope, definition, { ...props, made }), props.topic);
  }
}

function tell(alarm: AlarmBase, topic: ITopic): void {
  alarm.addAlarmAction(new SnsAction(topic));
  alarm.addOkAction(new SnsAction(topic));
}

function makeMetricAlarm(scope: Construct, definition: AlarmDefinition, props: AlarmsProps): Alarm {
  const metric = props.metrics[definition.watches];
  if (metric === undefined) {
    throw new InvariantError(
      `alarm ${definition.id}: got no metric ${definition.watches}, expected one: what it is of is left out`,
    );
  }
  return new Alarm(scope, `${definition.id}Alarm`, {
    alarmName: alarmName(props.service, definition.id),
    alarmDescription: describe(scope, definition, props),
    metric: watched(metric, definition.period),
    threshold: definition.threshold,
    comparisonOperator: definition.comparison,
    datapointsToAlarm: definition.datapoints,
    evaluationPeriods: definition.periods,
    treatMissingData: definition.missing,
  });
}

/** A metric without its label: with one it would become an expression, which costs its readers. */
function watched(metric: IMetric, period: Duration | undefined): IMetric {
  const of = period === undefined ? {} : { period };
  if (metric instanceof MathExpression) return metric.with(of);
  if (!(metric instanceof Metric)) return metric;
  const { namespace, metricName, dimensions = {}, statistic } = metric;
  return new Metric({
    namespace,
    metricName,
    dimensionsMap: dimensions,
    statistic,
    period: metric.period,
    ...of,
  });
}

function makeComposite(
  scope: Construct,
  definition: CompositeDefinition,
  props: AlarmsProps & { readonly made: ReadonlyMap<string, Alarm> },
): CompositeAlarm {
  const { id, anyOf, unless } = definition;
  const ruleOf = (ids: readonly string[]) =>
    AlarmRule.anyOf(
      ...ids.map((one) => AlarmRule.fromAlarm(find(one, props.made), AlarmState.ALARM)),
    );
  const cause = new CompositeAlarm(scope, `${id}CauseAlarm`, {
    compositeAlarmName: alarmName(props.service, `${id}Cause`),
    alarmDescription: `${props.service}: holds back ${id} while one of ${unless.join(', ')} is on. Tells nobody itself.`,
    alarmRule: ruleOf(unless),
  });
  return new CompositeAlarm(scope, `${id}Alarm`, {
    compositeAlarmName: alarmName(props.service, id),
    alarmDescription: describe(scope, definition, props),
    alarmRule: ruleOf(anyOf),
    actionsSuppressor: cause,
    actionsSuppressorWaitPeriod: WAIT,
    actionsSuppressorExtensionPeriod: EXTENSION,
  });
}

function find(id: string, made: ReadonlyMap<string, Alarm>): Alarm {
  const alarm = made.get(id);
  if (alarm !== undefined) return alarm;
  throw new InvariantError(`alarm ${id}: got none of that id, expected one of ${[...made.keys()]}`);
}

/** What, how bad, what to do, where to look: the text of the notification. */
function describe(
  scope: Construct,
  { id, says, impact, layer }: AlarmDefinition | CompositeDefinition,
  { service, environment }: AlarmsProps,
): string {
  const { region } = Stack.of(scope);
  const dashboard = dashboardName(service, environment.dashboards === 'all' ? layer : undefined);
  return [
    `${service}: ${says}.`,
    impact,
    `What to do: ${environment.alarms.runbook}#${id.toLowerCase()}`,
    `Dashboard ${dashboard}: https://console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboard}`,
  ].join('\n');
}

/** Metrics that alarms are billed for. */
export function countAlarmMetrics(
  alarms: readonly AlarmDefinition[],
  metrics: PipelineMetrics,
): number {
  const count = (metric: unknown): number => {
    if (metric instanceof Metric) return 1;
    if (!(metric instanceof MathExpression)) return 0;
    return Object.values(metric.usingMetrics).reduce((sum, one) => sum + count(one), 0);
  };
  return alarms.reduce((sum, { watches }) => sum + count(metrics[watches]), 0);
}
