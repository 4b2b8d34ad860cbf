/** Dollars for storage in us-east-1, from the services' price pages; other regions differ by some per cent. */
export const STORAGE_PRICES = {
  date: '2026-10',
  /** DynamoDB, standard class. https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  tableGbMonth: 0.25,
  /** Point-in-time recovery, of the same GB. */
  recoveryGbMonth: 0.2,
  /** S3 Standard. https://aws.amazon.com/s3/pricing/ */
  bucketGbMonth: 0.023,
  /** Kinesis, provisioned: a shard and hour kept beyond a day, up to seven. https://aws.amazon.com/kinesis/data-streams/pricing/ */
  retentionShardHour: 0.02,
  /** Kinesis, on demand: a GB and month kept beyond a day. */
  onDemandGbMonth: 0.1,
} as const;
