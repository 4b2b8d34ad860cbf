import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { InvariantError } from '../../core/errors.ts';
import { shardNumber } from '../../core/position.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Stream } from '../../ports/stream.ts';
import { type SendContext, sendOnce } from './send.ts';

/** What a stream is reached with. */
export interface AwsStreamOptions {
  readonly client: KinesisClient;
  readonly streamArn: string;
  readonly clock: Clock;
}

/** A Kinesis data stream. */
export function makeAwsStream(options: AwsStreamOptions): Stream {
  const { client, streamArn, clock } = options;
  return {
    identify: async ({ deadlineMs }) => {
      const command = new DescribeStreamSummaryCommand({ StreamARN: streamArn });
      const answer = await sendOnce('DescribeStreamSummary', { clock, deadlineMs }, (send) =>
        client.send(command, send),
      );
      const created = answer.StreamDescriptionSummary?.StreamCreationTimestamp;
      if (created === undefined) {
        throw new InvariantError(`stream ${streamArn}: got no creation time, expected one`);
      }
      return { arn: streamArn, createdMs: created.getTime() };
    },
    parents: async (shard, { deadlineMs }) => {
      const all = await listParents(options, { clock, deadlineMs });
      return (all.get(shard) ?? []).filter((parent) => all.has(parent));
    },
  };
}

async function listParents(
  { client, streamArn }: AwsStreamOptions,
  context: SendContext,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const parents = new Map<number, readonly number[]>();
  let next: string | undefined;
  do {
    const command = new ListShardsCommand(
      next === undefined ? { StreamARN: streamArn } : { NextToken: next },
    );
    const page = await sendOnce('ListShards', context, (send) => client.send(command, send));
    for (const { ShardId, ParentShardId, AdjacentParentShardId } of page.Shards ?? []) {
      const of = [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined);
      if (ShardId !== undefined) parents.set(shardNumber(ShardId), of.map(shardNumber));
    }
    next = page.NextToken;
  } while (next !== undefined);
  return parents;
}
