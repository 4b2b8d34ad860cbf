import { totalOf } from '../../src/plan/cost-line.ts';
import { scalerCost } from '../../src/plan/cost-scaler.ts';
import { PRICES } from '../../src/plan/prices.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import { CLOSER } from '../processing/closer.ts';

/** Keys: one for data, one for notifications. */
const KEYS = 2;

/** What a deployment watches and shows. */
export interface Watching {
  /** Metrics that alarms watch: an alarm on an expression is billed for each of its metrics. */
  readonly alarmMetrics: number;
  readonly compositeAlarms: number;
  readonly dashboards: number;
  /** A closer runs each minute. */
  readonly closes: boolean;
}

/**
 * What a deployment costs in a month in which nothing happens, in dollars: stream, keys, alarms, and
 * dashboards as if the account had no others.
 */
export function idleCostMonth(environment: EnvironmentConfig, watching: Watching): number {
  const { stream } = environment;
  const streamHour =
    stream.type === 'on-demand' ? PRICES.onDemandStreamHour : PRICES.shardHour * stream.shards;
  const closer = watching.closes ? idleCloserMonth() : 0;
  const scaler = totalOf(scalerCost(environment));
  return streamHour * PRICES.hoursMonth + fixedCostMonth(watching) + closer + scaler;
}

/** A run of the closer that finds nothing to do: about 0.3 s, and a read unit for each of some 20 items. */
const IDLE_RUN = { seconds: 0.3, readUnits: 20 } as const;

function idleCloserMonth(): number {
  const runs = 60 * PRICES.hoursMonth;
  const seconds = runs * IDLE_RUN.seconds * (CLOSER.memoryMb / 1024);
  const units = runs * IDLE_RUN.readUnits;
  return (
    seconds * PRICES.lambdaGbSecond +
    (runs * PRICES.lambdaRequestsMillion + units * PRICES.readUnitsMillion) / 1e6
  );
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
