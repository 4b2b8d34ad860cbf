/** A record as GetRecords gives it. */
export interface StreamRecord {
  readonly sequence: string;
  readonly partitionKey: string;
  readonly data: Uint8Array;
  /** Milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
}

/** Where a record was read. */
export interface EventSource {
  readonly streamArn: string;
  readonly region: string;
  readonly shard: string;
}

/**
 * A record as it stands in the event of a function.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html#services-kinesis-event-example
 */
export interface EventRecord {
  readonly kinesis: {
    readonly kinesisSchemaVersion: '1.0';
    readonly partitionKey: string;
    readonly sequenceNumber: string;
    readonly data: string;
    readonly approximateArrivalTimestamp: number;
  };
  readonly eventSource: 'aws:kinesis';
  readonly eventVersion: '1.0';
  readonly eventID: string;
  readonly eventName: 'aws:kinesis:record';
  readonly awsRegion: string;
  readonly eventSourceARN: string;
}

/** Makes the event's record of a stream's record. */
export function eventRecord(record: StreamRecord, source: EventSource): EventRecord {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: record.partitionKey,
      sequenceNumber: record.sequence,
      data: Buffer.from(record.data).toString('base64'),
      approximateArrivalTimestamp: record.arrivalMs / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${source.shard}:${record.sequence}`,
    eventName: 'aws:kinesis:record',
    awsRegion: source.region,
    eventSourceARN: source.streamArn,
  };
}
