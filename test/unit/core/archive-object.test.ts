import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ArchivedRecord,
  type ArchiveObject,
  archiveHourPrefix,
  archiveObjectKey,
  archiveShardPrefix,
  decodeArchiveLines,
  encodeArchiveLines,
  hourOf,
  parseArchiveKey,
} from '../../../src/core/archive-object.ts';
import { decodeTail, encodeTail } from '../../../src/core/archive-tail.ts';
import { ARCHIVE_COLUMNS } from '../../../src/core/contract.ts';
import { compareSequences } from '../../../src/core/position.ts';
import { epochOf, epochStartMs } from '../../../src/core/writer.ts';

const sequence = fc.bigInt({ min: 1n, max: 10n ** 60n }).map(String);
const hourMs = fc.integer({ min: 400_000, max: 800_000 }).map((hours) => hours * 3_600_000);
const object: fc.Arbitrary<ArchiveObject> = fc.record({
  epoch: fc.constantFrom('t4x9k2-1f3a9c0d', '1-00000000'),
  shard: fc.integer({ min: 0, max: 999_999_999_999 }),
  hourMs,
  after: fc.option(sequence, { nil: undefined }),
  first: sequence,
  last: sequence,
});
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
  fc.constant(Buffer.from('\uFEFF{"a":"\u2028\n\0"}')),
);
const records = fc
  .uniqueArray(
    fc.record({
      sequence,
      partitionKey: fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
      arrivalMs: fc.integer({ min: 0, max: 4e12 }),
      bytes,
    }),
    { minLength: 1, maxLength: 12, selector: (one) => one.sequence },
  )
  .map((some) => some.sort((left, right) => compareSequences(left.sequence, right.sequence)));

function objectOf(some: readonly ArchivedRecord[], shard = 3): ArchiveObject {
  const [first, last] = [some[0]?.sequence ?? '', some.at(-1)?.sequence ?? ''];
  return { epoch: 't4x9k2-1f3a9c0d', shard, hourMs: 0, after: undefined, first, last };
}

describe('the name of an object', () => {
  it('comes back, whatever its positions', () => {
    fc.assert(
      fc.property(object, (one) => {
        expect(parseArchiveKey(archiveObjectKey(one))).toEqual(one);
      }),
    );
  });

  it('sorts by hour, and within an hour and shard by position', () => {
    const order = (left: string, right: string) =>
      Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
    fc.assert(
      fc.property(object, object, (left, other) => {
        const right = { ...other, epoch: left.epoch, shard: left.shard, hourMs: left.hourMs };
        const first = compareSequences(left.first, right.first);
        const expected = Math.sign(first || compareSequences(left.last, right.last));
        if (expected !== 0)
          expect(order(archiveObjectKey(left), archiveObjectKey(right))).toBe(expected);
        const hours = Math.sign(left.hourMs - other.hourMs);
        if (hours !== 0) expect(order(archiveObjectKey(left), archiveObjectKey(other))).toBe(hours);
        expect(archiveObjectKey(left).startsWith(archiveHourPrefix(left.hourMs))).toBe(true);
        const prefix = archiveShardPrefix(left.hourMs, left.epoch, left.shard);
        expect(archiveObjectKey(left).startsWith(prefix)).toBe(true);
      }),
    );
  });

  it('fits S3 with the longest sequence numbers that Kinesis allows', () => {
    const long = '9'.repeat(128);
    const key = archiveObjectKey({
      epoch: 't4x9k2-1f3a9c0d',
      shard: 999_999_999_999,
      hourMs: 0,
      after: long,
      first: long,
      last: long,
    });
    expect(key.length).toBeLessThan(1_024);
  });

  it.each([
    'archive/v1/day=2026-11-24/hour=13/x.txt',
    'archive/v2/day=2026-11-24/hour=13/e.000000000001.001-1.001-1.unknown.jsonl.zst',
    'archive/v1/day=2026-13-24/hour=13/e.000000000001.001-1.001-1.unknown.jsonl.zst',
    'archive/v1/day=2026-11-24/hour=13/e.000000000001.001-01.001-1.unknown.jsonl.zst',
  ])('is refused when the archiver did not make it: %s', (key) => {
    expect(() => parseArchiveKey(key)).toThrow('expected names that the archiver writes');
  });
});

describe('the lines of an object', () => {
  it('give back any bytes, keys and times', () => {
    fc.assert(
      fc.property(records, (some) => {
        const decoded = decodeArchiveLines(objectOf(some), encodeArchiveLines(3, some));
        expect(decoded.map((one) => ({ ...one, bytes: [...one.bytes] }))).toEqual(
          some.map((one) => ({ ...one, bytes: [...one.bytes] })),
        );
      }),
    );
  });

  it('are flat JSON with the columns of the table, text where the bytes are text', () => {
    const record = { sequence: '7', partitionKey: 'p-0', arrivalMs: 1_764_000_000_123 };
    const lines = encodeArchiveLines(3, [
      { ...record, bytes: Buffer.from('{"a":"é"}') },
      { ...record, sequence: '8', bytes: new Uint8Array([0xff, 0xfe]) },
    ]);

    const parsed = Buffer.from(lines)
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(parsed).toEqual([
      {
        shard: 3,
        sequence: '7',
        arrival_ms: 1_764_000_000_123,
        partition_key: 'p-0',
        text: '{"a":"é"}',
      },
      {
        shard: 3,
        sequence: '8',
        arrival_ms: 1_764_000_000_123,
        partition_key: 'p-0',
        base64: '//4=',
      },
    ]);
    const names = new Set(parsed.flatMap(Object.keys));
    expect([...names].sort()).toEqual(Object.keys(ARCHIVE_COLUMNS).sort());
  });

  it.each([
    ['another first record', (text: string) => text.slice(text.indexOf('\n') + 1)],
    ['no end', (text: string) => text.slice(0, -1)],
    ['a line that is no JSON', (text: string) => text.replace('{', '[')],
    ['another shard', (text: string) => text.replace('"shard":3', '"shard":4')],
    ['no bytes', (text: string) => text.replace('"text":', '"test":')],
    [
      'records out of order',
      (text: string) =>
        text
          .split('\n')
          .slice(0, 3)
          .toSpliced(1, 1, text.split('\n')[0] ?? '')
          .concat('')
          .join('\n'),
    ],
    ['nothing', () => ''],
  ])('are refused when they have %s', (_, damage) => {
    const some = ['5', '6', '7'].map((one) => ({
      sequence: one,
      partitionKey: 'p',
      arrivalMs: 1,
      bytes: Buffer.from('x'),
    }));
    const text = Buffer.from(encodeArchiveLines(3, some)).toString();
    expect(() => decodeArchiveLines(objectOf(some), Buffer.from(damage(text)))).toThrow(
      'expected the records that its name says',
    );
  });
});

it('an hour starts at a multiple of an hour', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
      expect(hourOf(ms) % 3_600_000).toBe(0);
      expect(ms - hourOf(ms)).toBeGreaterThanOrEqual(0);
      expect(ms - hourOf(ms)).toBeLessThan(3_600_000);
    }),
  );
});

it('the tail of a shard comes back from its item, and no other format', () => {
  const tail = {
    epoch: 'e-1',
    shard: 6,
    first: '7',
    firstArrivalMs: 1,
    last: '9',
    lastArrivalMs: 2,
    knownMs: 3,
  };
  expect(decodeTail(encodeTail(tail))).toEqual(tail);
  expect(() => decodeTail({ ...encodeTail(tail), v: 2 })).toThrow('expected 1');
});

it('an epoch tells when its stream was made', () => {
  const createdMs = 1_764_000_123_456;
  expect(epochStartMs(epochOf({ arn: 'a', createdMs }))).toBe(1_764_000_123_000);
});
