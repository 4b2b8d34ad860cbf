/**
 * What a plan takes as given, as neither definition nor code says it. Everything here is an estimate until
 * it is measured on AWS; each says where it comes from.
 */
export const ASSUMED = {
  /** CPU of an event in the handler, microseconds of a whole core: bench/RESULTS.md, "Real flights", 2026-11-25. */
  handlerUs: 43,
  /** What making and signing its requests adds: the same table. */
  clientUs: 12,
  /** CPU of a record in the archiver: bench/RESULTS.md. */
  archiverUs: 6,
  /** One request to DynamoDB, Kinesis or S3, milliseconds, several items included. Not measured. */
  tableRequestMs: 8,
  bucketPutMs: 60,
  /** Memory of one core, MB: Lambda quotas. */
  coreMb: 1769,
  /** Requests of a call at the same time, and writers worked on at the same time. */
  requestsAtOnce: 8,
  writersAtOnce: 8,
  /** Bytes of an id and of a cell that a container remembers: src/core/id-table.ts, src/handlers/pack-cache.ts. */
  idBytes: 40,
  cellBytes: 300,
  /** Share of a function's memory that is left for them. */
  heldShare: 0.5,
  /** A warm container's life, seconds; not documented, some hours. */
  containerLifeS: 7_200,
  /** Log bytes of a call: its report, metrics, and what Lambda adds. */
  logBytesCall: 2_500,
  /** An on-demand stream keeps twice the peak of the last 30 days: Kinesis quotas. */
  onDemandHeadroom: 2,
  /** A shard is taken to be full at this share of its limit. */
  utilisation: 0.7,
  /** Bytes that an event of an unknown pipeline has besides its data: its envelope. */
  envelopeBytes: 200,
  /** Requests to KMS of a stream, a table or a bucket in a month, keys being cached for five minutes. */
  keyRequestsMonth: 104_000,
  /** Lambda's traces: the first of a second, and so much of the rest. X-Ray's default sampling. */
  tracedShare: 0.05,
  /** An idle run of the closer: seconds. */
  closerRunS: 0.3,
  /** Events a second that a Flink processing unit takes. A guess between published examples. */
  flinkUnitEvents: 5_000,
} as const;

/** Quotas of AWS, from its pages on quotas; account quotas can be raised. */
export const QUOTAS = {
  shardRecords: 1_000,
  shardBytesIn: 1_048_576,
  shardBytesOut: 2 * 1_048_576,
  /** An on-demand stream at its start. */
  onDemandShards: 4,
  /** Write units a second of one partition key of a table. */
  partitionWrites: 1_000,
  partitionReads: 3_000,
  /** Of a new table on demand; it grows to twice its peak within 30 minutes. */
  newTableWrites: 4_000,
  /** Of a table, as the account's default says. */
  tableWrites: 40_000,
  /** Executions at the same time, of an account and region. */
  concurrency: 1_000,
  fanOut: 20,
} as const;

/** Seconds of a month as AWS bills it. */
export const MONTH_S = 730 * 3_600;

/** A MB of a function's memory. */
export const MB = 1_048_576;

/** A GB as AWS bills it. */
export const GB = 1_073_741_824;
