import type { EnvironmentConfig } from '../config/environment.ts';

/** Dollars in us-east-1, from the services' price pages; other regions differ by some per cent. */
export const PRICES = {
  date: '2026-09',
  shardHour: 0.015,
  onDemandStreamHour: 0.04,
  keyMonth: 1,
  alarmMonth: 0.1,
  /** Hours in a month, as AWS counts. */
  hoursMonth: 730,
} as const;

/** Keys: one for data, one for notifications. */
const KEYS = 2;

/** What a deployment costs in a month in which nothing happens, in dollars: stream, keys and alarms. */
export function idleCostMonth(environment: EnvironmentConfig, alarms: number): number {
  const { stream } = environment;
  const streamHour =
    stream.type === 'on-demand' ? PRICES.onDemandStreamHour : PRICES.shardHour * stream.shards;
  return streamHour * PRICES.hoursMonth + KEYS * PRICES.keyMonth + alarms * PRICES.alarmMonth;
}
