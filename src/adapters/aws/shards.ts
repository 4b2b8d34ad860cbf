import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { shardId, shardNumber } from '../../core/position.ts';
import type { Clock } from '../../ports/clock.ts';
import type { NextRecord, Shards } from '../../ports/shards.ts';
import { type SendContext, sendOnce } from './send.ts';

/** What the shards are reached with. */
export interface AwsShardsOptions {
  readonly client: KinesisClient;
  readonly streamArn: string;
  readonly clock: Clock;
}

/**
 * Reads until the answer is known at most. An answer may be empty although records follow: each read
 * covers some of the shard's time. Five reads a second and shard are shared with the mappings.
 */
const READS_MAX = 10;

/** The shards of a Kinesis data stream. */
export function makeAwsShards(options: AwsShardsOptions): Shards {
  const { clock } = options;
  return {
    list: ({ deadlineMs }) => listShards(options, { clock, deadlineMs }),
    next: (shard, after, { deadlineMs }) => next(options, { shard, after }, { clock, deadlineMs }),
  };
}

async function listShards(
  { client, streamArn }: AwsShardsOptions,
  context: SendContext,
): Promise<readonly number[]> {
  const numbers: number[] = [];
  let token: string | undefined;
  do {
    const command = new ListShardsCommand(
      token === undefined ? { StreamARN: streamArn } : { NextToken: token },
    );
    const page = await sendOnce('ListShards', context, (send) => client.send(command, send));
    numbers.push(...(page.Shards ?? []).flatMap(({ ShardId }) => ShardId ?? []).map(shardNumber));
    token = page.NextToken;
  } while (token !== undefined);
  return numbers.sort((left, right) => left - right);
}

async function next(
  { client, streamArn }: AwsShardsOptions,
  { shard, after }: { readonly shard: number; readonly after: string | undefined },
  context: SendContext,
): Promise<NextRecord> {
  const from =
    after === undefined
      ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
      : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after } as const);
  const start = new GetShardIteratorCommand({
    StreamARN: streamArn,
    ShardId: shardId(shard),
    ...from,
  });
  const found = await sendOnce('GetShardIterator', context, (send) => client.send(start, send));
  let iterator = found.ShardIterator;
  for (let read = 0; read < READS_MAX && iterator !== undefined; read += 1) {
    const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: 1 });
    const answer = await sendOnce('GetRecords', context, (send) => client.send(command, send));
    const arrivalMs = answer.Records?.[0]?.ApproximateArrivalTimestamp?.getTime();
    if (arrivalMs !== undefined) return { type: 'record', arrivalMs };
    if (answer.MillisBehindLatest === 0) return { type: 'none' };
    iterator = answer.NextShardIterator;
  }
  // Without an iterator a closed shard has been read to its end.
  return { type: iterator === undefined ? 'none' : 'unknown' };
}
