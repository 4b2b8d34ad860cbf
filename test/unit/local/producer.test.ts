import { KinesisClient } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/aws/clock.ts';
import { makeAwsOutlet } from '../../../src/adapters/aws/outlet.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import type { FeedEvent } from '../../../src/local/feed/events.ts';
import { produce, type TakenEvent } from '../../../src/local/producer.ts';

interface SentRecord {
  readonly Data: Uint8Array;
  readonly PartitionKey: string;
  readonly ExplicitHashKey?: string;
}

/** A stream that takes a record unless `refuse` says no, and numbers what it takes. */
function streamThat(refuse: (text: string, time: number) => boolean) {
  const requests: SentRecord[][] = [];
  const seen = new Map<string, number>();
  let sequence = 0;
  const client = new KinesisClient({ region: 'eu-west-1' });
  client.send = async ({ input }: { readonly input: { readonly Records: SentRecord[] } }) => {
    requests.push(input.Records);
    return {
      Records: input.Records.map(({ Data }) => {
        const text = Buffer.from(Data).toString();
        const time = (seen.get(text) ?? 0) + 1;
        seen.set(text, time);
        if (refuse(text, time)) return { ErrorCode: 'ProvisionedThroughputExceededException' };
        sequence += 1;
        return { ShardId: 'shardId-000000000000', SequenceNumber: String(sequence) };
      }),
    };
  };
  return { client, requests };
}

function events(count: number, size = 0): FeedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    bytes: Buffer.from(`${index}${'x'.repeat(size)}`),
    key: `k${index}`,
    partition: index % 4,
    timeMs: index,
  }));
}

async function send(
  all: readonly FeedEvent[],
  stream: ReturnType<typeof streamThat>,
  partitions: number | 'shard' = 4,
) {
  const taken: TakenEvent[] = [];
  await produce(all, {
    outlet: makeAwsOutlet({ client: stream.client, streamArn: 'arn:s', clock: systemClock }),
    partitions,
    rate: 0,
    signal: new AbortController().signal,
    onTaken: (some) => taken.push(...some),
  });
  return taken;
}

describe('produce', () => {
  it('sends at most 500 records and 5 MB a request, in their order', async () => {
    const stream = streamThat(() => false);
    const taken = await send(events(1_201), stream);
    expect(stream.requests.map(({ length }) => length)).toEqual([500, 500, 201]);
    expect(taken.map(({ event }) => event.timeMs)).toEqual(taken.map((_, index) => index));

    const large = streamThat(() => false);
    await send(events(7, 1_000_000), large);
    expect(large.requests.map(({ length }) => length)).toEqual([4, 3]);
  });

  it('names the partition, and its place among the shards', async () => {
    const stream = streamThat(() => false);
    await send(events(2), stream);
    expect(stream.requests[0]?.[1]).toMatchObject({
      PartitionKey: 'p-1',
      ExplicitHashKey: explicitHashKey(1, 4),
    });
  });

  it('lets the key choose the shard where shards are the writers', async () => {
    const stream = streamThat(() => false);
    await send(events(1), stream, 'shard');
    expect(stream.requests[0]?.[0]?.PartitionKey).toBe('k0');
    expect(stream.requests[0]?.[0]).not.toHaveProperty('ExplicitHashKey');
  });

  it('sends refused records again before anything new, and tells the order of the stream', async () => {
    const stream = streamThat((text, time) => text === '1' && time < 3);
    const taken = await send(events(501), stream);

    expect(stream.requests.map(({ length }) => length)).toEqual([500, 1, 1, 1]);
    const order = taken.map(({ event }) => event.timeMs);
    expect(order.indexOf(1)).toBe(499);
    expect(order.at(-1)).toBe(500);
    expect(new Set(order).size).toBe(501);
  });
});
