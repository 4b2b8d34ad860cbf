import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decode } from '../../../src/core/decode.ts';
import { durationMs } from '../../../src/core/duration.ts';
import { DefinitionError, InvariantError, show } from '../../../src/core/errors.ts';
import { bytesIn, checkVersion, numberIn, textIn } from '../../../src/core/item.ts';
import { decodePosition, shardNumber } from '../../../src/core/position.ts';
import { indexReference, reference } from '../../../src/core/reference.ts';
import { Refusal } from '../../../src/core/rejection.ts';
import { validateWith } from '../../../src/core/schema.ts';
import { ByteReader, ByteWriter } from '../../../src/core/varint.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function refusalOf(run: () => unknown): Refusal['rejection'] {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.rejection;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('decode', () => {
  const event = { specversion: '1.0', id: '1', source: 'urn:a', type: 't', data: { x: 1 } };
  const cloud = (over: object) => bytes(JSON.stringify({ ...event, ...over }));

  it('opens a CloudEvent', () => {
    expect(decode(cloud({}), 'cloudevents')).toEqual({ data: { x: 1 }, id: '1', source: 'urn:a' });
    expect(decode(cloud({ data: null }), 'cloudevents').data).toBeNull();
  });

  it('takes a bare document as it is', () => {
    expect(decode(bytes('[1]'), 'json')).toEqual({ data: [1], id: undefined, source: undefined });
  });

  it.each([
    ['specversion', { specversion: '0.3' }],
    ['id', { id: '' }],
    ['id', { id: 7 }],
    ['source', { source: undefined }],
    ['source', { source: 'a b' }],
    ['type', { type: null }],
    ['data', { data: undefined }],
    ['id', { id: '\ud800' }],
  ])('refuses an envelope for its %s', (path, over) => {
    const { reason, issues } = refusalOf(() => decode(cloud(over), 'cloudevents'));
    expect([reason, issues[0]?.path]).toEqual(['not-decodable', path]);
  });

  it.each(['[]', '7', 'null', '"x"'])('refuses %s as an envelope', (text) => {
    expect(refusalOf(() => decode(bytes(text), 'cloudevents')).reason).toBe('not-decodable');
  });

  it('never throws anything but a refusal, and never tells the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (some) => {
        try {
          decode(some, 'cloudevents');
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
    );
    const { issues } = refusalOf(() => decode(bytes('{"secret": 1'), 'json'));
    expect(JSON.stringify(issues)).not.toContain('secret');
  });
});

describe('schemas', () => {
  it('name the path of a problem and not its value', () => {
    const schema = z.object({ card: z.object({ number: z.number() }) });
    const validation = validateWith('p', schema, { card: { number: '4111-1111' } });
    expect(validation).toMatchObject({ ok: false, issues: [{ path: 'card.number' }] });
    expect(JSON.stringify(validation)).not.toContain('4111');
  });

  it('must answer at once', () => {
    const schema = v.pipeAsync(
      v.string(),
      v.checkAsync(async () => true),
    );
    expect(() => validateWith('p.schema', schema, 'x')).toThrow(DefinitionError);
  });
});

describe('references', () => {
  const shops = reference({
    name: 'shops',
    file: 'shops.csv',
    key: 'id',
    schema: z.object({ id: z.string(), size: z.coerce.number() }),
  });

  it('are found by their key, checked by their schema', () => {
    const index = indexReference(shops, [{ id: 'a', size: '7' }]);
    expect(index.get('a')).toEqual({ id: 'a', size: 7 });
  });

  it.each([
    ['a row that does not fit', [{ id: 'a', size: 'big' }], 'size'],
    [
      'two rows of one key',
      [
        { id: 'a', size: 1 },
        { id: 'a', size: 2 },
      ],
      "'a'",
    ],
  ])('refuse %s', (_name, rows, says) => {
    expect(() => indexReference(shops, rows)).toThrow(says);
  });
});

describe('bytes', () => {
  it('come back as they were written', () => {
    const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(fc.array(number), (numbers) => {
        const writer = new ByteWriter();
        for (const one of numbers) writer.varint(one);
        const reader = new ByteReader(writer.finish());
        expect(numbers.map(() => reader.varint())).toEqual(numbers);
      }),
    );
  });
});

describe('stored items', () => {
  const item = { pk: 'p', sk: 's', v: 1, n: 7, t: 'x', b: new Uint8Array([1]) };

  it('give what is in them, and throw for what is not', () => {
    expect([numberIn(item, 'n'), textIn(item, 't'), bytesIn(item, 'b')]).toEqual([7, 'x', item.b]);
    expect(() => numberIn(item, 't')).toThrow(InvariantError);
    expect(() => textIn(item, 'missing')).toThrow(InvariantError);
    expect(() => bytesIn(item, 'n')).toThrow(InvariantError);
    expect(() => checkVersion(item, 2)).toThrow(InvariantError);
  });
});

describe('messages', () => {
  it.each([
    [undefined, 'undefined'],
    ['a', "'a'"],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [7n, '7n'],
    [() => 1, 'a function'],
    [{ a: [1] }, '{"a":[1]}'],
  ])('show a value (%#)', (value, text) => {
    expect(show(value)).toBe(text);
  });

  it('are short and survive what has no JSON', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(show(circle)).toBe('[object Object]');
    expect(show('x'.repeat(500)).length).toBe(80);
  });
});

it.each([
  '5',
  '5 minute s',
  '-1 hours',
  '1 fortnight',
  '1e3 seconds',
  '',
  'hour',
  '0.0001 milliseconds',
])('%j is no duration', (text) => {
  expect(() => durationMs('x', text)).toThrow(DefinitionError);
});

it.each(['', '1:2', '1:02:0', 'a:1:0', '1:1:0 '])('%j is no position', (text) => {
  expect(() => decodePosition(text)).toThrow(InvariantError);
});

it('a shard has its number', () => {
  expect(shardNumber('shardId-000000000042')).toBe(42);
  expect(() => shardNumber('shard-1')).toThrow(InvariantError);
});
