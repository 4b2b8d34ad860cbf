import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  makeAggregate,
  splitAggregate,
  USER_RECORDS_MAX,
  type UserRecord,
} from '../../../src/handlers/aggregate.ts';

/** The bytes around a protobuf message, with the right MD5. */
function framed(message: Uint8Array): Uint8Array {
  const digest = createHash('md5').update(message).digest();
  return Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, digest]);
}

function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const userRecord: fc.Arbitrary<UserRecord> = fc.oneof(
  fc.record({
    partitionKey: fc.constantFrom('p-0', 'p-1', 'ä', ''),
    data: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({
    partitionKey: fc.string({ maxLength: 20 }),
    explicitHashKey: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(String),
    data: fc.uint8Array({ maxLength: 20 }),
  }),
);

const good: UserRecord[] = [
  { partitionKey: 'p-0', data: Buffer.from('one') },
  { partitionKey: 'p-1', explicitHashKey: '12', data: Buffer.from('two') },
];

describe('splitAggregate', () => {
  it('gives back what was packed', () => {
    fc.assert(
      fc.property(fc.array(userRecord, { minLength: 1, maxLength: 40 }), (records) => {
        const split = splitAggregate(makeAggregate(records));
        expect(split?.map((one) => ({ ...one, data: Uint8Array.from(one.data) }))).toEqual(records);
      }),
    );
  });

  it('reads the bytes of the format’s page, whatever the order of fields', () => {
    // records { 0: data "ab", 1: partition_key_index 0, an unknown fixed64, tags }, then the table ["k"]
    const message = hex('1a 15 1a02 6162 0800 79 0102030405060708 22 04 0a02 7474 0a01 6b'.trim());
    expect(splitAggregate(framed(message))).toEqual([
      { partitionKey: 'k', data: Buffer.from('ab') },
    ]);
  });

  it.each([
    ['no bytes', new Uint8Array()],
    ['an ordinary event', Buffer.from('{"specversion":"1.0","id":"1"}')],
    ['magic bytes and nothing more', hex('f3899ac2')],
    ['an empty message', framed(new Uint8Array())],
    ['no records', framed(hex('0a016b'))],
    ['a partition key that is not in the table', framed(hex('0a016b 1a06 0801 1a026162'))],
    ['a hash key that is not in the table', framed(hex('0a016b 1a08 0800 1000 1a026162'))],
    ['a record without data', framed(hex('0a016b 1a02 0800'))],
    ['a record without a partition key', framed(hex('0a016b 1a04 1a026162'))],
    ['a number where bytes belong', framed(hex('0a016b 1801'))],
    ['bytes where a number belongs', framed(hex('0a016b 1a07 0a0100 1a026162'))],
    ['a length past the end', framed(hex('0a7f6b'))],
    ['a group, which the format has not', framed(hex('0b'))],
    ['field number 0', framed(hex('0000'))],
    ['a number without end', framed(hex('80808080808080808080'))],
  ])('takes %s for a record as it is', (_name, bytes) => {
    expect(splitAggregate(bytes)).toBeUndefined();
  });

  it('takes an aggregate with a broken checksum for a record as it is', () => {
    const bytes = makeAggregate(good);
    for (const at of [4, bytes.length - 17, bytes.length - 16, bytes.length - 1]) {
      const broken = Uint8Array.from(bytes);
      broken[at] = (broken[at] ?? 0) ^ 1;
      expect(splitAggregate(broken), `byte ${at}`).toBeUndefined();
    }
  });

  it('never throws on bytes that look like an aggregate', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        const split = splitAggregate(framed(message));
        expect(split === undefined || split.length > 0).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws on an aggregate of which some bytes are changed and the checksum is right', () => {
    const message = makeAggregate([...good, ...good]).slice(4, -16);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: message.length - 1 }), fc.nat({ max: 255 }))),
        (changes) => {
          const bytes = Uint8Array.from(message);
          for (const [at, value] of changes) bytes[at] = value;
          expect(() => splitAggregate(framed(bytes))).not.toThrow();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('leaves an aggregate of too many records as it is', () => {
    const record = { partitionKey: 'k', data: new Uint8Array() };
    const most = makeAggregate(Array.from({ length: USER_RECORDS_MAX }, () => record));
    const more = makeAggregate(Array.from({ length: USER_RECORDS_MAX + 1 }, () => record));

    expect(splitAggregate(most)).toHaveLength(USER_RECORDS_MAX);
    expect(splitAggregate(more)).toBeUndefined();
  });
});
