import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { makeAwsShards } from '../../../src/adapters/aws/shards.ts';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { DeadlineError, TransientError } from '../../../src/core/errors.ts';

type Answer = object | Error;

/** Shards over a client whose answers are given, in order, and that notes what it was asked. */
function shardsOver(...answers: Answer[]) {
  const sent: { readonly input: Readonly<Record<string, unknown>> }[] = [];
  const client = new KinesisClient({ region: 'eu-west-1' });
  client.send = async (command: (typeof sent)[number]) => {
    sent.push(command);
    const answer = answers.shift() ?? new Error('asked once too often');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const clock = makeSkippingClock(1_000);
  return { sent, clock, shards: makeAwsShards({ client, streamArn: 'arn:s', clock }) };
}

const soon = { deadlineMs: 10_000 };
const nothing = { Records: [], MillisBehindLatest: 5_000, NextShardIterator: 'next' };

describe('the shards of a stream', () => {
  it('are listed over all pages, by number', async () => {
    const page = (id: string) => ({ Shards: [{ ShardId: `shardId-00000000000${id}` }] });
    const { sent, shards } = shardsOver({ ...page('2'), NextToken: 't' }, page('0'));

    expect(await shards.list(soon)).toEqual([0, 2]);
    expect(sent.every((command) => command instanceof ListShardsCommand)).toBe(true);
    expect(sent.map(({ input }) => input)).toEqual([{ StreamARN: 'arn:s' }, { NextToken: 't' }]);
  });

  it('are read behind a record, or from the oldest', async () => {
    const record = { Records: [{ ApproximateArrivalTimestamp: new Date(7_000) }] };
    const { sent, shards } = shardsOver({ ShardIterator: 'i' }, record);

    expect(await shards.next(6, '49', soon)).toEqual({ type: 'record', arrivalMs: 7_000 });

    expect(sent[0]).toBeInstanceOf(GetShardIteratorCommand);
    expect(sent[0]?.input).toEqual({
      StreamARN: 'arn:s',
      ShardId: 'shardId-000000000006',
      ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
      StartingSequenceNumber: '49',
    });
    expect(sent[1]).toBeInstanceOf(GetRecordsCommand);
    expect(sent[1]?.input).toEqual({ ShardIterator: 'i', Limit: 1 });
    const start = shardsOver({ ShardIterator: 'i' }, { ...nothing, MillisBehindLatest: 0 });
    expect(await start.shards.next(0, undefined, soon)).toEqual({ type: 'none' });
    expect(start.sent[0]?.input).toMatchObject({ ShardIteratorType: 'TRIM_HORIZON' });
  });

  it('are read on over empty answers, until the end of what there is, or of a closed shard', async () => {
    const tip = shardsOver({ ShardIterator: 'i' }, nothing, { ...nothing, MillisBehindLatest: 0 });
    expect(await tip.shards.next(0, '1', soon)).toEqual({ type: 'none' });
    expect(tip.sent.map(({ input }) => input.ShardIterator)).toEqual([undefined, 'i', 'next']);

    const closed = shardsOver({ ShardIterator: 'i' }, { Records: [], MillisBehindLatest: 5_000 });
    expect(await closed.shards.next(0, '1', soon)).toEqual({ type: 'none' });
  });

  it('are not known after ten empty answers', async () => {
    const answers = Array.from({ length: 20 }, () => nothing);
    const { sent, shards } = shardsOver({ ShardIterator: 'i' }, ...answers);
    expect(await shards.next(0, '1', soon)).toEqual({ type: 'unknown' });
    expect(sent).toHaveLength(11);
  });

  it('fail for a moment when too many read, and send nothing after the deadline', async () => {
    const busy = new ProvisionedThroughputExceededException({ $metadata: {}, message: '' });
    const { shards } = shardsOver({ ShardIterator: 'i' }, busy);
    await expect(shards.next(0, '1', soon)).rejects.toThrow(TransientError);

    const { clock, sent, shards: late } = shardsOver({});
    clock.advance(10_000);
    await expect(late.list(soon)).rejects.toThrow(DeadlineError);
    expect(sent).toEqual([]);
  });
});
