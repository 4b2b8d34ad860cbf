import type { CompositeRule } from './composite-rule.ts';
import type { Query } from './query.ts';

/** State of an alarm. */
export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** How points that are missing count. */
export type MissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

/** How a point is compared with the threshold. */
export type Comparison = keyof typeof COMPARISONS;

/** When a point breaches, with the words that CloudWatch has for it. */
export const COMPARISONS = {
  GreaterThanThreshold: {
    words: 'greater than',
    breaches: (value: number, threshold: number) => value > threshold,
  },
  GreaterThanOrEqualToThreshold: {
    words: 'greater than or equal to',
    breaches: (value: number, threshold: number) => value >= threshold,
  },
  LessThanThreshold: {
    words: 'less than',
    breaches: (value: number, threshold: number) => value < threshold,
  },
  LessThanOrEqualToThreshold: {
    words: 'less than or equal to',
    breaches: (value: number, threshold: number) => value <= threshold,
  },
} as const;

/** What every alarm has. */
interface AlarmBase {
  /** Unique in its account and region. */
  readonly name: string;
  readonly description: string;
  /** ARNs that are told when it comes to a state; none where its actions are switched off. */
  readonly actions: Readonly<Record<AlarmState, readonly string[]>>;
}

/** An alarm on a metric or an expression. */
export interface MetricAlarm extends AlarmBase {
  readonly type: 'metric';
  readonly queries: readonly Query[];
  /** The query that is compared with the threshold. */
  readonly watches: string;
  readonly periodSeconds: number;
  /** N of "M out of N". */
  readonly evaluationPeriods: number;
  /** M of "M out of N". */
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: Comparison;
  readonly missing: MissingData;
}

/** An alarm on other alarms. */
export interface CompositeAlarm extends AlarmBase {
  readonly type: 'composite';
  readonly ruleText: string;
  readonly rule: CompositeRule;
  readonly suppressor: Suppressor | undefined;
}

/** While this alarm is on, a composite alarm's actions are left out. */
export interface Suppressor {
  readonly alarm: string;
  /** How long it may take to go on after the composite alarm did, seconds. */
  readonly waitSeconds: number;
  /** How long the composite alarm may take to go off after it did, seconds. */
  readonly extensionSeconds: number;
}

/** Any alarm. */
export type Alarm = MetricAlarm | CompositeAlarm;
