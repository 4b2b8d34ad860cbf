import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilters } from '../../../src/mapping/filter.ts';

/** What a record with this data does under one pattern; a text is taken as it is. */
function passes(pattern: unknown, data: unknown, partitionKey = 'key'): boolean | undefined {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const filter = compileFilters([typeof pattern === 'string' ? pattern : JSON.stringify(pattern)]);
  return filter?.({ sequence: '12', partitionKey, arrivalMs: 1_500, data: Buffer.from(text) });
}

/**
 * The comparison table of the page, with its examples:
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
 */
const TABLE: readonly (readonly [string, unknown, unknown[], unknown[]])[] = [
  ['null', { UserID: [null] }, [{ UserID: null }], [{ UserID: '' }, {}]],
  ['empty', { LastName: [''] }, [{ LastName: '' }], [{ LastName: null }, { LastName: 'A' }, {}]],
  ['equals', { Name: ['Alice'] }, [{ Name: 'Alice' }], [{ Name: 'alice' }, { Name: ['Bob'] }, {}]],
  [
    'equals (ignore case)',
    { Name: [{ 'equals-ignore-case': 'Alice' }] },
    [{ Name: 'aLICE' }],
    [{ Name: 'Alic' }, { Name: 1 }],
  ],
  [
    'and',
    { Location: ['New York'], Day: ['Monday'] },
    [{ Location: 'New York', Day: 'Monday' }],
    [{ Location: 'New York' }, { Location: 'New York', Day: 'Tuesday' }],
  ],
  [
    'or',
    { PaymentType: ['Credit', 'Debit'] },
    [{ PaymentType: 'Credit' }, { PaymentType: 'Debit' }, { PaymentType: ['Cash', 'Debit'] }],
    [{ PaymentType: 'Cash' }],
  ],
  [
    'or (multiple fields)',
    { $or: [{ Location: ['New York'] }, { Day: ['Monday'] }] },
    [{ Location: 'New York' }, { Day: 'Monday', Location: 'Rome' }],
    [{ Location: 'Rome', Day: 'Tuesday' }, {}],
  ],
  [
    'not',
    { Weather: [{ 'anything-but': ['Raining', 'Snowing'] }] },
    [{ Weather: 'Sunny' }, { Weather: 7 }],
    [{ Weather: 'Raining' }, { Weather: 'Snowing' }, {}],
  ],
  [
    'not one',
    { Weather: [{ 'anything-but': 'Raining' }] },
    [{ Weather: '' }],
    [{ Weather: 'Raining' }],
  ],
  [
    'numeric (equals)',
    { Price: [{ numeric: ['=', 100] }] },
    [{ Price: 100 }],
    [{ Price: '100' }, { Price: 1 }],
  ],
  [
    'numeric (range)',
    { Price: [{ numeric: ['>', 10, '<=', 20] }] },
    [{ Price: 10.5 }, { Price: 20 }],
    [{ Price: 10 }, { Price: 20.1 }, { Price: null }, {}],
  ],
  ['numeric (at least)', { Price: [{ numeric: ['>=', 10] }] }, [{ Price: 10 }], [{ Price: 9.9 }]],
  ['numeric (below)', { Price: [{ numeric: ['<', 10] }] }, [{ Price: -1 }], [{ Price: 10 }]],
  [
    'exists',
    { Name: [{ exists: true }] },
    [{ Name: null }, { Name: [1] }],
    [{}, { Name: { a: 1 } }, { Name: [] }],
  ],
  ['does not exist', { Name: [{ exists: false }] }, [{}, { Name: { a: 1 } }], [{ Name: 'x' }]],
  [
    'begins with',
    { Region: [{ prefix: 'us-' }] },
    [{ Region: 'us-east-1' }],
    [{ Region: 'eu-us-' }, { Region: 1 }],
  ],
  ['ends with', { File: [{ suffix: '.png' }] }, [{ File: 'a.png' }], [{ File: 'a.png.txt' }]],
  [
    'inner fields',
    { a: { b: ['x'] } },
    [{ a: { b: 'x' } }, { a: [{ b: 'y' }, { b: 'x' }] }],
    [{ a: 'x' }, { b: 'x' }],
  ],
  ['booleans', { on: [true] }, [{ on: true }], [{ on: 'true' }, { on: false }]],
];

describe('the comparison table', () => {
  it.each(TABLE)('%s', (_name, pattern, good, bad) => {
    for (const data of good)
      expect(passes({ data: pattern }, data), JSON.stringify(data)).toBe(true);
    for (const data of bad)
      expect(passes({ data: pattern }, data), JSON.stringify(data)).toBe(false);
  });

  it('compares exact numbers by their text, and numeric ones by their value', () => {
    for (const text of ['300', '300.0', '3.0e2']) {
      expect(passes('{"data":{"n":[300]}}', `{"n":${text}}`)).toBe(text === '300');
      expect(passes('{"data":{"n":[{"numeric":["=",300]}]}}', `{"n":${text}}`)).toBe(true);
    }
    expect(passes('{"data":{"n":[3.0e2]}}', '{"n":3.0e2}')).toBe(true);
  });

  it('takes the last of two patterns under one name', () => {
    expect(passes('{"data":{"a":["x"],"a":["y"]}}', { a: 'y' })).toBe(true);
    expect(passes('{"data":{"a":["x"],"a":["y"]}}', { a: 'x' })).toBe(false);
  });
});

/** https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html */
describe('Kinesis records', () => {
  it('pass the page’s example only when the order is to buy', () => {
    const order = (type: string) => ({
      record: 12345,
      order: { type, stock: 'ANYCO', quantity: 1000 },
    });
    expect(passes({ data: { order: { type: ['buy'] } } }, order('buy'))).toBe(true);
    expect(passes({ data: { order: { type: ['buy'] } } }, order('sell'))).toBe(false);
  });

  it.each(['plain text', '', '{"a":', '\u0000', '['.repeat(200_000)])(
    'with data that is no JSON fit no pattern with data, and do without',
    (text) => {
      expect(passes({ data: { a: [{ exists: false }] } }, text)).toBe(false);
      expect(passes({ data: { a: ['x'] }, partitionKey: ['key'] }, text)).toBe(false);
      expect(passes({ partitionKey: ['key'] }, text)).toBe(true);
    },
  );

  it('whose bytes are no UTF-8 have no JSON data', () => {
    const filter = compileFilters(['{"data":{"a":[{"exists":true}]}}']);
    const data = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')]);
    expect(filter?.({ sequence: '1', partitionKey: 'k', arrivalMs: 0, data })).toBe(false);
  });

  it('match by their metadata beside the data', () => {
    expect(passes({ partitionKey: [{ prefix: 'ke' }], data: { a: [1] } }, { a: 1 })).toBe(true);
    expect(passes({ partitionKey: ['other'], data: { a: [1] } }, { a: 1 })).toBe(false);
    expect(passes({ sequenceNumber: ['12'] }, {})).toBe(true);
    expect(passes({ approximateArrivalTimestamp: [{ numeric: ['=', 1.5] }] }, {})).toBe(true);
  });

  it('pass when one of the filters fits, and all of them without a filter', () => {
    const filter = compileFilters(['{"data":{"a":["x"]}}', '{"data":{"b":["x"]}}']);
    const record = { sequence: '1', partitionKey: 'k', arrivalMs: 0 };
    expect(filter?.({ ...record, data: Buffer.from('{"b":"x"}') })).toBe(true);
    expect(filter?.({ ...record, data: Buffer.from('{"c":"x"}') })).toBe(false);
    expect(compileFilters([])).toBeUndefined();
  });

  it('never see what objects inherit', () => {
    expect(passes({ data: { constructor: { name: [{ exists: true }] } } }, {})).toBe(false);
    expect(passes('{"data":{"__proto__":["x"]}}', '{"__proto__":"x"}')).toBe(true);
  });

  it('never throw, whatever their bytes are', () => {
    const filter = compileFilters([JSON.stringify({ data: { a: ['x', { exists: false }] } })]);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (data) => {
          const record = { sequence: '1', partitionKey: '', arrivalMs: 0, data };
          expect(typeof filter?.(record)).toBe('boolean');
        },
      ),
    );
  });
});

describe('patterns that AWS refuses', () => {
  it.each([
    ['no JSON', 'plain text'],
    ['no object', '["x"]'],
    ['no field', '{}'],
    ['a plain pattern of data', '{"data":["x"]}'],
    ['a value without a list', '{"data":{"a":"x"}}'],
    ['an empty list', '{"data":{"a":[]}}'],
    ['an empty object', '{"data":{"a":{}}}'],
    ['an unknown operator', '{"data":{"a":[{"wildcard":"*"}]}}'],
    ['two operators', '{"data":{"a":[{"prefix":"a","suffix":"b"}]}}'],
    ['a list in a list', '{"data":{"a":[["x"]]}}'],
    ['an operator’s wrong value', '{"data":{"a":[{"prefix":1}]}}'],
    ['exists of a text', '{"data":{"a":[{"exists":"yes"}]}}'],
    ['anything but nothing', '{"data":{"a":[{"anything-but":[]}]}}'],
    ['half a comparison', '{"data":{"a":[{"numeric":["<"]}]}}'],
    ['an unknown comparison', '{"data":{"a":[{"numeric":["!=",1]}]}}'],
    ['a comparison with a text', '{"data":{"a":[{"numeric":["<","1"]}]}}'],
    ['one alternative', '{"data":{"$or":[{"a":["x"]}]}}'],
    ['too long a text', `{"data":{"a":["${'x'.repeat(4_096)}"]}}`],
  ])('%s', (_name, pattern) => {
    expect(() => compileFilters([pattern])).toThrow(/^mapping\.filters\[0\]/);
  });

  it('more than ten', () => {
    const patterns = Array.from({ length: 11 }, () => '{"data":{"a":["x"]}}');
    expect(() => compileFilters(patterns)).toThrow('mapping.filters: got 11, expected at most 10');
    expect(() => compileFilters(patterns.slice(1))).not.toThrow();
  });
});
