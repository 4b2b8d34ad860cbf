import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashKeyOf, murmur3, sipHash } from '../../../src/core/hash.ts';
import { IdTable } from '../../../src/core/id-table.ts';
import {
  explicitHashKey,
  partitionKey,
  partitionOf,
  partitionOfKey,
} from '../../../src/core/partition.ts';
import { tumblingSpan } from '../../../src/core/window.ts';
import { epochOf, epochOfWriter, partitionWriter } from '../../../src/core/writer.ts';

const utf8 = new TextEncoder();

describe('partitions', () => {
  const partitions = fc.integer({ min: 1, max: 1024 });

  it('every key has one, and its Kinesis key names it', () => {
    fc.assert(
      fc.property(fc.string(), partitions, (key, count) => {
        const partition = partitionOf(key, count);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(count);
        expect(partitionOfKey(partitionKey(partition), count)).toBe(partition);
      }),
    );
  });

  it.each(['p-4', 'p--1', 'p-01', 'P-1', 'p-1 ', 'p-', '', 'ATL'])(
    '%j names none of four',
    (key) => {
      expect(partitionOfKey(key, 4)).toBeUndefined();
    },
  );

  /** Such keys are in streams: a change would move keys to other partitions. */
  it.each([
    ['ATL', 4, 0],
    ['', 4, 0],
    ['é', 1024, 64],
  ])('that of %j of %d never changes', (key, count, expected) => {
    expect(partitionOf(key, count)).toBe(expected);
  });

  it('an even split into shards gets an even share of the partitions', () => {
    const space = 2n ** 128n;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        (shards, times) => {
          const count = shards * times;
          const shares = new Map<bigint, number>();
          for (let partition = 0; partition < count; partition += 1) {
            const shard = (BigInt(explicitHashKey(partition, count)) * BigInt(shards)) / space;
            shares.set(shard, (shares.get(shard) ?? 0) + 1);
          }
          expect([...shares.values()]).toEqual(Array.from({ length: shards }, () => times));
        },
      ),
    );
  });
});

describe('tumbling windows', () => {
  it('hold the time, and each time falls into one', () => {
    const time = fc.integer({ min: -1e13, max: 1e13 });
    fc.assert(
      fc.property(time, fc.integer({ min: 1, max: 1e9 }), (timeMs, sizeMs) => {
        const { startMs, endMs } = tumblingSpan(timeMs, sizeMs);
        expect(endMs - startMs).toBe(sizeMs);
        expect(startMs <= timeMs && timeMs < endMs).toBe(true);
        expect(tumblingSpan(startMs, sizeMs)).toEqual({ startMs, endMs });
        expect(tumblingSpan(endMs, sizeMs).startMs).toBe(endMs);
      }),
    );
  });
});

describe('hashes', () => {
  it.each([
    ['', 0],
    ['a', 0x3c2569b2],
    ['hello', 0x248bfa47],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ])('MurmurHash3 of %j is that of its reference', (text, expected) => {
    expect(murmur3(utf8.encode(text))).toBe(expected);
  });

  it('SipHash-2-4 is that of its paper: key 00..0f, input 00..0e', () => {
    const bytes = (count: number) => Uint8Array.from({ length: count }, (_, index) => index);
    const { high, low } = sipHash(hashKeyOf(bytes(16)), bytes(15));
    expect([high, low]).toEqual([0xa129ca61, 0x49be45e5]);
  });
});

describe('the table of ids', () => {
  const id = fc.record({
    high: fc.nat({ max: 3 }),
    low: fc.nat({ max: 40 }),
    check: fc.nat({ max: 100 }),
    arrivalMs: fc.integer({ min: 1, max: 1000 }),
  });

  it('finds what was added last under an id, like a map', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 200 }), (ids) => {
        const table = new IdTable();
        const map = new Map<string, (typeof ids)[number]>();
        for (const one of ids) {
          table.add(one);
          const known = map.get(`${one.high} ${one.low}`);
          if (known === undefined || one.arrivalMs >= known.arrivalMs) {
            map.set(`${one.high} ${one.low}`, one);
          }
        }
        expect(table.size).toBe(map.size);
        for (const one of map.values()) expect(table.find(one)?.arrivalMs).toBe(one.arrivalMs);
      }),
    );
  });
});

it('a stream that is made again under its name has another epoch', () => {
  const arn = 'arn:aws:kinesis:eu-west-1:1:stream/s';
  const first = epochOf({ arn, createdMs: 1_000 });
  expect(epochOf({ arn, createdMs: 1_001 })).not.toBe(first);
  expect(epochOfWriter(partitionWriter(first, 3))).toBe(first);
});
