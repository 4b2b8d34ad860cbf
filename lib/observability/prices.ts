/** Dollars in us-east-1, from the services' price pages; other regions differ by some per cent. */
export const PRICES = {
  date: '2026-09',
  shardHour: 0.015,
  onDemandStreamHour: 0.04,
  /** A million units of 25 KB each; a record takes at least one. */
  putUnitsMillion: 0.014,
  /** A GB into an on-demand stream, each record rounded up to 1 KB. */
  onDemandGbIn: 0.08,
  onDemandGbOut: 0.04,
  /** A GB of memory for a second on arm64, and a million calls. */
  lambdaGbSecond: 0.0000133334,
  lambdaRequestsMillion: 0.2,
  /** A million units on demand. */
  writeUnitsMillion: 0.625,
  readUnitsMillion: 0.125,
  bucketPutsMillion: 5,
  logsGb: 0.5,
  keyMonth: 1,
  /** For each metric that an alarm watches. */
  alarmMonth: 0.1,
  compositeAlarmMonth: 0.5,
  dashboardMonth: 3,
  /** Of an account, with at most 50 metrics each. */
  dashboardsFree: 3,
  /** Hours in a month, as AWS counts. */
  hoursMonth: 730,
} as const;
