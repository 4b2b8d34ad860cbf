import { KinesisClient } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { makeAwsOutlet } from '../../../src/adapters/aws/outlet.ts';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import type { OutletRecord } from '../../../src/ports/outlet.ts';

interface Request {
  readonly StreamARN: string;
  readonly Records: readonly { readonly Data: Uint8Array }[];
}

/** An outlet whose stream refuses some records, or does not answer at all where `answer` throws. */
function outletThat(refuses: (text: string) => boolean, answer = () => undefined as unknown) {
  const requests: Request[] = [];
  const client = new KinesisClient({ region: 'eu-west-1' });
  client.send = async ({ input }: { readonly input: Request }) => {
    requests.push(input);
    answer();
    return {
      Records: input.Records.map(({ Data }, index) =>
        refuses(Buffer.from(Data).toString())
          ? { ErrorCode: 'ProvisionedThroughputExceededException' }
          : { ShardId: 'shardId-000000000000', SequenceNumber: String(index + 1) },
      ),
    };
  };
  const clock = makeSkippingClock(0);
  return { outlet: makeAwsOutlet({ client, streamArn: 'arn:s', clock }), requests };
}

function records(count: number, size = 0): OutletRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    partitionKey: 'p-0',
    bytes: Buffer.from(String(index).padEnd(size, 'x')),
  }));
}

const options = { deadlineMs: 1_000 };

function fail(name: string): () => never {
  return () => {
    throw Object.assign(new Error(name), { name });
  };
}

describe('an AWS outlet', () => {
  it('sends at most 500 records and 5 MB a request', async () => {
    const { outlet, requests } = outletThat(() => false);
    await outlet.send(records(1_001), options);
    expect(requests.map(({ Records }) => Records.length)).toEqual([500, 500, 1]);
    expect(requests[0]?.StreamARN).toBe('arn:s');

    const large = outletThat(() => false);
    await large.outlet.send(records(7, 1_000_000), options);
    expect(large.requests.map(({ Records }) => Records.length)).toEqual([4, 3]);
  });

  it('tells each record’s own fate, and sends nothing after a request that was not taken whole', async () => {
    const { outlet, requests } = outletThat((text) => text === '501');
    const results = await outlet.send(records(1_500), options);

    expect(requests).toHaveLength(2);
    const failed = results.flatMap(({ status }, index) => (status === 'failed' ? [index] : []));
    expect(failed[0]).toBe(501);
    expect(failed.slice(1)).toEqual(Array.from({ length: 500 }, (_, index) => 1_000 + index));
    const [refused, unsent] = [results[501], results[1_000]];
    expect(refused).toMatchObject({ error: { message: expect.stringContaining('Throughput') } });
    expect(unsent).toMatchObject({ error: { message: expect.stringContaining('not sent') } });
  });

  it('says of a request without an answer that each record may be there or not', async () => {
    const { outlet } = outletThat(() => false, fail('TimeoutError'));
    const results = await outlet.send(records(2), options);
    expect(results).toMatchObject([
      { status: 'failed', error: { code: 'transient' } },
      { status: 'failed', error: { code: 'transient' } },
    ]);
  });

  it('sends nothing after the deadline, and throws at what can never go through', async () => {
    const late = outletThat(() => false);
    const results = await late.outlet.send(records(1), { deadlineMs: 0 });
    expect(results).toMatchObject([{ status: 'failed', error: { code: 'deadline' } }]);
    expect(late.requests).toEqual([]);

    const gone = outletThat(() => false, fail('ResourceNotFoundException'));
    await expect(gone.outlet.send(records(1), options)).rejects.toMatchObject({
      code: 'invariant',
    });
  });
});
