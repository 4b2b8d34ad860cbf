import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Encoded } from '../../../src/core/accumulator.ts';
import { readValue, writeValue } from '../../../src/core/value-codec.ts';
import { ByteReader, ByteWriter } from '../../../src/core/varint.ts';

const { value } = fc.letrec<{ value: Encoded }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.string({ minLength: 30, maxLength: 40 }),
    fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 20 }),
  ),
}));

function bytesOf(values: readonly Encoded[]): Uint8Array {
  const writer = new ByteWriter();
  for (const one of values) writeValue(writer, one);
  return writer.finish();
}

describe('values as bytes', () => {
  it('come back as they were, one after the other', () => {
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const reader = new ByteReader(bytesOf(values));
        expect(values.map(() => readValue(reader))).toEqual(values);
        expect(reader.done).toBe(true);
      }),
    );
  });

  it.each([
    [0, 1],
    [127, 1],
    [128, 2],
    [255, 2],
    [256, 3],
    [-1, 2],
    ['ATL', 4],
    [[1, 2], 3],
    [0.5, 9],
    [-0, 9],
    [null, 1],
  ])('%j takes %d bytes', (one, length) => {
    expect(bytesOf([one])).toHaveLength(length);
  });

  it('that are cut off anywhere are refused, never misread', () => {
    fc.assert(
      fc.property(value, fc.double({ min: 0, max: 0.999, noNaN: true }), (one, share) => {
        const bytes = bytesOf([one]);
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        expect(() => readValue(new ByteReader(cut))).toThrow();
      }),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', (one) => {
    expect(() => bytesOf([one])).toThrow('expected a finite number');
  });

  it('of an unknown kind are refused', () => {
    expect(() => readValue(new ByteReader(Uint8Array.of(0xff)))).toThrow('got the kind 255');
  });

  it('nested too deeply are refused, written and read', () => {
    let deep: Encoded = [];
    for (let depth = 0; depth < 8; depth += 1) deep = [deep];
    expect(() => bytesOf([deep])).toThrow('deeper');
    expect(() => readValue(new ByteReader(new Uint8Array(10).fill(0xa1)))).toThrow('deeper');
  });
});
