/** A list price: dollars, for how much of what, where it was found. */
export interface Price {
  readonly usd: number;
  readonly per: string;
  /** Page of AWS, and the month in which its figure was read or was told of. */
  readonly source: string;
  /** True where no page was read for it: from memory, to be looked up before anything hangs on it. */
  readonly unchecked?: true;
}

const KINESIS = 'Kinesis Data Streams pricing, 2026-09';
const LAMBDA = 'Lambda pricing, 2025';
const DYNAMODB = 'DynamoDB pricing, 2026';
const S3 = 'S3 pricing, 2026-10';
const CLOUDWATCH = 'CloudWatch pricing, 2026-10';

/**
 * Dollars in us-east-1: list prices without free tiers, discounts and tiers of volume. Other regions differ
 * by some per cent. The one place where prices stand: deployments, dashboards and plans read it.
 */
export const PRICE_LIST = {
  shardHour: { usd: 0.015, per: 'shard and hour', source: KINESIS },
  /** A unit is 25 KB of a record, which takes at least one. */
  putUnitsMillion: { usd: 0.014, per: 'million PUT units', source: KINESIS },
  /** Retention beyond a day, up to seven. */
  retentionShardHour: { usd: 0.02, per: 'shard and hour kept beyond a day', source: KINESIS },
  onDemandStreamHour: { usd: 0.04, per: 'on-demand stream and hour', source: KINESIS },
  /** Each record rounded up to 1 KB. */
  onDemandGbIn: { usd: 0.08, per: 'GB into an on-demand stream', source: KINESIS },
  onDemandGbOut: { usd: 0.04, per: 'GB out of an on-demand stream', source: KINESIS },
  onDemandGbMonth: { usd: 0.1, per: 'GB and month kept beyond a day', source: KINESIS },
  /** On arm64. */
  lambdaGbSecond: { usd: 0.0000133334, per: 'GB and second', source: LAMBDA },
  lambdaRequestsMillion: { usd: 0.2, per: 'million calls', source: LAMBDA },
  writeUnitsMillion: { usd: 0.625, per: 'million write units on demand', source: DYNAMODB },
  readUnitsMillion: { usd: 0.125, per: 'million read units on demand', source: DYNAMODB },
  writeCapacityHour: { usd: 0.00065, per: 'provisioned write unit and hour', source: DYNAMODB },
  readCapacityHour: { usd: 0.00013, per: 'provisioned read unit and hour', source: DYNAMODB },
  tableGbMonth: { usd: 0.25, per: 'GB and month', source: DYNAMODB },
  recoveryGbMonth: { usd: 0.2, per: 'GB and month', source: DYNAMODB },
  bucketPutsMillion: { usd: 5, per: 'million PUT', source: S3 },
  bucketGbMonth: { usd: 0.023, per: 'GB and month in Standard', source: S3 },
  infrequentGbMonth: { usd: 0.0125, per: 'GB and month', source: 'S3 pricing', unchecked: true },
  glacierGbMonth: { usd: 0.004, per: 'GB and month', source: 'S3 pricing', unchecked: true },
  infrequentMillion: { usd: 10, per: 'million transitions', source: 'S3 pricing', unchecked: true },
  glacierMillion: { usd: 20, per: 'million transitions', source: 'S3 pricing', unchecked: true },
  logsGb: { usd: 0.5, per: 'GB of logs', source: CLOUDWATCH },
  logsGbMonth: { usd: 0.03, per: 'GB and month of logs', source: CLOUDWATCH },
  metricMonth: { usd: 0.3, per: 'metric and month', source: CLOUDWATCH },
  metricReadsThousand: {
    usd: 0.01,
    per: '1,000 metrics asked for',
    source: CLOUDWATCH,
    unchecked: true,
  },
  alarmMonth: { usd: 0.1, per: 'metric that an alarm watches', source: CLOUDWATCH },
  compositeAlarmMonth: { usd: 0.5, per: 'composite alarm', source: CLOUDWATCH },
  dashboardMonth: { usd: 3, per: 'dashboard beyond three of an account', source: CLOUDWATCH },
  tracesMillion: { usd: 5, per: 'million traces', source: 'X-Ray pricing', unchecked: true },
  keyMonth: { usd: 1, per: 'key', source: 'KMS pricing, 2026-09' },
  keyRequestsTenThousand: { usd: 0.03, per: '10,000 requests', source: 'KMS pricing, 2026-09' },
  busEventsMillion: { usd: 1, per: 'million events', source: 'EventBridge', unchecked: true },
  /** Each record rounded up to 5 KB. */
  firehoseGb: { usd: 0.029, per: 'GB into Firehose', source: 'Firehose pricing, 2026' },
  flinkUnitHour: { usd: 0.11, per: 'KPU and hour', source: 'Managed Flink', unchecked: true },
  flinkGbMonth: {
    usd: 0.1,
    per: 'GB and month of state',
    source: 'Managed Flink',
    unchecked: true,
  },
  brokerHour: { usd: 0.204, per: 'kafka.m7g.large and hour', source: 'MSK', unchecked: true },
  brokerGbMonth: { usd: 0.1, per: 'GB and month of a broker', source: 'MSK', unchecked: true },
} as const satisfies Readonly<Record<string, Price>>;

/** Names of the prices. */
export type PriceName = keyof typeof PRICE_LIST;

/** When the list was last gone through. */
const DATE = '2026-09';

function dollars(): Readonly<Record<PriceName, number>> {
  const entries = Object.entries(PRICE_LIST).map(([name, { usd }]) => [name, usd]);
  return Object.fromEntries(entries);
}

/** The prices alone, in dollars, and what goes with them. */
export const PRICES = {
  ...dollars(),
  date: DATE,
  /** Of an account, with at most 50 metrics each. */
  dashboardsFree: 3,
  /** Hours in a month, as AWS counts. */
  hoursMonth: 730,
} as const;
