import type { EnvironmentConfig } from '../config/environment.ts';
import { PRICES } from './prices.ts';

/** Keys: one for data, one for notifications. */
const KEYS = 2;

/** What a deployment watches and shows. */
export interface Watching {
  /** Metrics that alarms watch: an alarm on an expression is billed for each of its metrics. */
  readonly alarmMetrics: number;
  readonly compositeAlarms: number;
  readonly dashboards: number;
}

/**
 * What a deployment costs in a month in which nothing happens, in dollars: stream, keys, alarms, and
 * dashboards as if the account had no others.
 */
export function idleCostMonth(environment: EnvironmentConfig, watching: Watching): number {
  const { stream } = environment;
  const streamHour =
    stream.type === 'on-demand' ? PRICES.onDemandStreamHour : PRICES.shardHour * stream.shards;
  return streamHour * PRICES.hoursMonth + fixedCostMonth(watching);
}

/** The part of it that no metric tells of: keys, alarms and dashboards. */
export function fixedCostMonth({ alarmMetrics, compositeAlarms, dashboards }: Watching): number {
  return (
    KEYS * PRICES.keyMonth +
    alarmMetrics * PRICES.alarmMonth +
    compositeAlarms * PRICES.compositeAlarmMonth +
    Math.max(0, dashboards - PRICES.dashboardsFree) * PRICES.dashboardMonth
  );
}
