import { describe, expect, it } from 'vitest';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { hashKeyOf, SimStream } from '../../../src/sim/stream.ts';

const NOW_MS = 1_700_000_000_000;
const SPACE = 2n ** 128n;

function makeStream(shards = 1) {
  return new SimStream({
    arn: 'arn:aws:kinesis:eu-west-1:111122223333:stream/test',
    shards,
    createdMs: NOW_MS,
    random: makeSeededRandom(1),
    policies: { sequenceDigits: 3, arrivalSkewMs: 0 },
  });
}

const event = (partitionKey: string, bytes = 10) => ({
  atMs: NOW_MS,
  partitionKey,
  bytes: new Uint8Array(bytes),
});

describe('the simulated stream', () => {
  it('puts a record where the MD5 of its partition key leads', () => {
    // md5('') is d41d8cd98f00b204e9800998ecf8427e.
    expect(hashKeyOf('')).toBe(0xd41d8cd98f00b204e9800998ecf8427en);
    const stream = makeStream(4);
    for (const key of ['a', 'b', 'p-0', 'p-1', 'shop 7']) {
      const shard = Number((hashKeyOf(key) * 4n) / SPACE);
      expect(stream.put(event(key), NOW_MS)?.shard).toBe(shard);
    }
  });

  it('lets an explicit hash key decide instead', () => {
    const record = makeStream(2).put(
      { ...event('a'), explicitHashKey: String(SPACE - 1n) },
      NOW_MS,
    );
    expect(record?.shard).toBe(1);
  });

  it('takes a thousand records and a megabyte a second of a shard', () => {
    const stream = makeStream();
    const taken = Array.from({ length: 1_001 }, () => stream.put(event('a'), NOW_MS));
    expect(taken.filter((record) => record === undefined)).toHaveLength(1);
    expect(stream.put(event('a', 1_000_000), NOW_MS + 1_000)).toBeDefined();
    expect(stream.put(event('a', 100_000), NOW_MS + 1_000)).toBeUndefined();
    expect(stream.put(event('a', 100_000), NOW_MS + 2_000)).toBeDefined();
  });

  it('covers the hash space with open shards after splits and merges, whose children name their parents', () => {
    const stream = makeStream();
    const [first] = stream.open;
    if (first === undefined) throw new Error('got no shard');
    const [low, high] = stream.split(first);
    expect([low?.parents, high?.parents]).toEqual([[0], [0]]);
    if (low === undefined) throw new Error('got no child');
    const [merged] = stream.merge(low);
    expect(merged).toMatchObject({ number: 3, parents: [1, 2], low: 0n, high: SPACE - 1n });
    expect(stream.open.map(({ number }) => number)).toEqual([3]);
  });

  it('grows sequence numbers along a shard', () => {
    const stream = makeStream();
    const numbers = Array.from({ length: 50 }, () =>
      BigInt(stream.put(event('a'), NOW_MS)?.sequence ?? 0),
    );
    expect(numbers.every((one, index) => index === 0 || one > (numbers[index - 1] ?? 0n))).toBe(
      true,
    );
  });

  it('is another one when it was deleted and made again', async () => {
    const stream = makeStream();
    stream.put(event('a'), NOW_MS);
    stream.delete();
    expect(stream.put(event('a'), NOW_MS)).toBeUndefined();
    await expect(stream.port.identify({ deadlineMs: NOW_MS })).rejects.toThrow(/there is none/);
    stream.recreate(NOW_MS + 1);
    expect(stream.put(event('a'), NOW_MS)).toMatchObject({ incarnation: 1, shard: 0 });
    expect(stream.records.map(({ incarnation }) => incarnation)).toEqual([0, 1]);
    expect((await stream.port.identify({ deadlineMs: NOW_MS })).createdMs).toBe(NOW_MS + 1);
  });
});
