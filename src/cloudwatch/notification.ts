import type { Transition } from './alarm-book.ts';

/** Where an alarm is. */
export interface AlarmPlace {
  readonly account: string;
  readonly region: string;
}

/** A notification of CloudWatch, as far as a person needs it. */
export interface AlarmNotification {
  readonly alarm: string;
  readonly state: string;
  readonly before: string;
  /** What it means, how bad it is, what to do and where to look: the alarm's description. */
  readonly description: string;
  /** Since when, milliseconds since 1970. */
  readonly sinceMs: number;
  /** How bad: the points and the threshold, in CloudWatch's words. */
  readonly reason: string;
}

/**
 * The document that CloudWatch publishes to a topic when an alarm changes its state. The fields are those
 * of messages that AWS sent; no page of AWS lists them all.
 */
export function notificationOf(transition: Transition, { account, region }: AlarmPlace): string {
  const { alarm, from, to, reason, atMs } = transition;
  const arnOf = (name: string) => `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`;
  const state = (name: string) => ({
    Arn: arnOf(name),
    State: { Value: to, Timestamp: awsTime(atMs) },
  });
  return JSON.stringify({
    AlarmName: alarm.name,
    AlarmDescription: alarm.description,
    AWSAccountId: account,
    NewStateValue: to,
    NewStateReason: reason,
    StateChangeTime: awsTime(atMs),
    Region: region,
    AlarmArn: arnOf(alarm.name),
    OldStateValue: from,
    OKActions: alarm.actions.OK,
    AlarmActions: alarm.actions.ALARM,
    InsufficientDataActions: alarm.actions.INSUFFICIENT_DATA,
    ...(alarm.type === 'composite'
      ? { AlarmRule: alarm.ruleText, TriggeringChildren: transition.children.map(state) }
      : { Trigger: triggerOf(alarm) }),
  });
}

function triggerOf(alarm: Extract<Transition['alarm'], { type: 'metric' }>): object {
  return {
    Period: alarm.periodSeconds,
    EvaluationPeriods: alarm.evaluationPeriods,
    DatapointsToAlarm: alarm.datapointsToAlarm,
    ComparisonOperator: alarm.comparison,
    Threshold: alarm.threshold,
    TreatMissingData: alarm.missing,
    Metrics: alarm.queries.map((query) => ({
      Id: query.id,
      ReturnData: query.id === alarm.watches,
      ...(query.type === 'expression'
        ? { Expression: query.expression }
        : {
            MetricStat: {
              Metric: {
                Namespace: query.metric.namespace,
                MetricName: query.metric.name,
                Dimensions: Object.entries(query.metric.dimensions).map(([name, value]) => ({
                  name,
                  value,
                })),
              },
              Period: alarm.periodSeconds,
              Stat: query.statistic,
            },
          }),
    })),
  };
}

/** The subject of the message, which an e-mail has too. */
export function subjectOf({ alarm, to }: Transition, { region }: AlarmPlace): string {
  return `${to}: "${alarm.name}" in ${region}`.slice(0, 100);
}

/** @returns undefined for a message that is no notification of an alarm */
export function readNotification(message: string): AlarmNotification | undefined {
  const document = parse(message);
  const text = (name: string) => (typeof document[name] === 'string' ? document[name] : '');
  if (text('AlarmName') === '' || text('NewStateValue') === '') return undefined;
  return {
    alarm: text('AlarmName'),
    state: text('NewStateValue'),
    before: text('OldStateValue'),
    description: text('AlarmDescription'),
    sinceMs: Date.parse(text('StateChangeTime')),
    reason: text('NewStateReason'),
  };
}

function parse(message: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // A topic may carry any text.
    return {};
  }
}

/** As CloudWatch writes times, such as `2026-11-25T16:04:00.000+0000`. */
function awsTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('Z', '+0000');
}
