import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';

/** A record as it stands in a stream. */
export interface StreamRecord {
  /** Such as `shardId-000000000006`. */
  readonly shard: string;
  readonly sequence: string;
  readonly partitionKey: string;
  /** Milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

const RECORDS_PER_READ = 10_000;

/**
 * Everything that a stream holds now, shard by shard in the order of their numbers: a parent stands
 * before its children.
 */
export async function readStream(
  kinesis: KinesisClient,
  streamArn: string,
): Promise<readonly StreamRecord[]> {
  const records: StreamRecord[] = [];
  for (const shard of await shardsOf(kinesis, streamArn)) {
    const command = new GetShardIteratorCommand({
      StreamARN: streamArn,
      ShardId: shard,
      ShardIteratorType: 'TRIM_HORIZON',
    });
    const { ShardIterator } = await kinesis.send(command);
    for await (const record of recordsFrom(kinesis, ShardIterator)) {
      records.push({ ...record, shard });
    }
  }
  return records;
}

/** What arrived in a time, shard by shard as `readStream` gives it. */
export async function* recordsSince(
  kinesis: KinesisClient,
  streamArn: string,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): AsyncGenerator<StreamRecord> {
  for (const shard of await shardsOf(kinesis, streamArn)) {
    const command = new GetShardIteratorCommand({
      StreamARN: streamArn,
      ShardId: shard,
      ShardIteratorType: 'AT_TIMESTAMP',
      Timestamp: new Date(fromMs),
    });
    const { ShardIterator } = await kinesis.send(command);
    for await (const record of recordsFrom(kinesis, ShardIterator)) {
      if (record.arrivalMs >= untilMs) break;
      yield { ...record, shard };
    }
  }
}

async function* recordsFrom(
  kinesis: KinesisClient,
  iterator: string | undefined,
): AsyncGenerator<Omit<StreamRecord, 'shard'>> {
  let next = iterator;
  while (next !== undefined) {
    const command = new GetRecordsCommand({ ShardIterator: next, Limit: RECORDS_PER_READ });
    const { Records = [], NextShardIterator, MillisBehindLatest = 0 } = await kinesis.send(command);
    for (const record of Records) {
      yield {
        sequence: record.SequenceNumber ?? '',
        partitionKey: record.PartitionKey ?? '',
        arrivalMs: record.ApproximateArrivalTimestamp?.getTime() ?? 0,
        bytes: record.Data ?? new Uint8Array(),
      };
    }
    // An empty answer says that nothing is left only where it is as new as the stream.
    next = Records.length === 0 && MillisBehindLatest === 0 ? undefined : NextShardIterator;
  }
}

async function shardsOf(kinesis: KinesisClient, streamArn: string): Promise<readonly string[]> {
  const shards: string[] = [];
  let NextToken: string | undefined;
  do {
    const command = new ListShardsCommand(
      NextToken === undefined ? { StreamARN: streamArn } : { NextToken },
    );
    const page = await kinesis.send(command);
    for (const { ShardId: id } of page.Shards ?? []) if (id !== undefined) shards.push(id);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return shards.sort();
}
