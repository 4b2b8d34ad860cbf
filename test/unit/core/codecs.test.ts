import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attempt, decodeAttempt, encodeAttempt } from '../../../src/core/attempt.ts';
import { decodeGroup, encodeGroup } from '../../../src/core/cell.ts';
import { durationMs, durationText } from '../../../src/core/duration.ts';
import { decodeIds, encodeIds } from '../../../src/core/folded-ids.ts';
import { decodeEntry, encodeEntry, entryKey, type LedgerEntry } from '../../../src/core/ledger.ts';
import {
  comparePositions,
  decodePosition,
  encodePosition,
  type Position,
  packPosition,
  sortablePosition,
  unpackPosition,
} from '../../../src/core/position.ts';
import { decodeRegistered, registryItem } from '../../../src/core/registry.ts';

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const timeMs = fc.integer({ min: 0, max: 4e12 });
const sequence = fc.bigInt({ min: 0n, max: 10n ** 60n }).map(String);
const position: fc.Arbitrary<Position> = fc.record({
  shard: fc.nat({ max: 1e11 }),
  sequence,
  index: fc.nat({ max: 1e8 }),
});
const foldedId = fc.record({
  high: uint32,
  low: uint32,
  check: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
  arrivalMs: timeMs,
});
const entry: fc.Arbitrary<LedgerEntry> = fc
  .record({
    writer: fc.constantFrom('abc-1.p0', 'abc-1.s7'),
    n: fc.integer({ min: 1, max: 1e11 }),
    position: fc.option(position, { nil: undefined }),
    watermarkMs: fc.option(timeMs, { nil: undefined }),
    highArrivalMs: timeMs,
    ids: fc.array(foldedId, { maxLength: 20 }),
    closedThroughMs: fc.option(timeMs, { nil: undefined }),
    fingerprint: fc.constant('0123456789abcdef'),
    writtenMs: timeMs,
    ttlSeconds: fc.nat(),
  })
  .map((one) => ({
    ...one,
    ids: one.ids.map((id) => ({ ...id, arrivalMs: Math.min(id.arrivalMs, one.highArrivalMs) })),
  }));

describe('decode(encode(x)) = x', () => {
  it('for positions', () => {
    fc.assert(
      fc.property(position, (one) => {
        expect(decodePosition(encodePosition(one))).toEqual(one);
      }),
    );
  });

  it('for ledger entries', () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(decodeEntry(encodeEntry(one))).toEqual(one);
      }),
    );
  });

  it('for the ids of an entry', () => {
    fc.assert(
      fc.property(fc.array(foldedId), (ids) => {
        const baseMs = Math.max(0, ...ids.map(({ arrivalMs }) => arrivalMs));
        expect(decodeIds(encodeIds(ids, baseMs), baseMs)).toEqual(ids);
      }),
    );
  });

  it('for packed positions', () => {
    fc.assert(
      fc.property(position, (one) => {
        expect(unpackPosition(packPosition(one))).toEqual(one);
      }),
    );
  });

  it('for groups', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    );
    fc.assert(
      fc.property(fc.array(value), (group) => {
        expect(decodeGroup(encodeGroup(group))).toEqual(group);
      }),
    );
  });

  it('for attempts', () => {
    const attempt: fc.Arbitrary<Attempt> = fc.record({
      writer: fc.constant('abc-1.p0'),
      revision: fc.nat(),
      base: fc.option(position.map(encodePosition), { nil: '' }),
      owner: fc.constant('00ff'),
      suspectThrough: fc.option(position.map(encodePosition), { nil: '' }),
      range: fc.nat(),
      deaths: fc.nat(),
      phase: fc.constantFrom('computing', 'writing'),
      through: position.map(encodePosition),
      computedThrough: fc.option(position.map(encodePosition), { nil: '' }),
      firstMs: timeMs,
      ttlSeconds: fc.nat(),
    });
    fc.assert(
      fc.property(attempt, (one) => {
        expect(decodeAttempt(one.writer, encodeAttempt(one))).toEqual(one);
      }),
    );
  });

  it('for registered writers', () => {
    expect(decodeRegistered(registryItem('abc-1.p3', 7))).toEqual({
      writer: 'abc-1.p3',
      epoch: 'abc-1',
      sinceMs: 7,
    });
  });

  it('for durations', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e8 }), (minutes) => {
        const ms = minutes * 60_000;
        expect(durationMs('x', durationText(ms), { maxMs: Number.MAX_SAFE_INTEGER })).toBe(ms);
      }),
    );
  });
});

describe('the orders of keys', () => {
  const sign = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);

  it('that of sort keys is that of positions', () => {
    fc.assert(
      fc.property(position, position, (left, right) => {
        expect(sign(sortablePosition(left), sortablePosition(right))).toBe(
          Math.sign(comparePositions(left, right)),
        );
      }),
    );
  });

  it('that of entry keys is that of numbers', () => {
    const number = fc.nat({ max: 1e11 });
    fc.assert(
      fc.property(number, number, (left, right) => {
        expect(sign(entryKey(left), entryKey(right))).toBe(Math.sign(left - right));
      }),
    );
  });
});

it('bytes that are cut off are refused, and not misread', () => {
  fc.assert(
    fc.property(fc.array(foldedId, { minLength: 1 }), (ids) => {
      const bytes = encodeIds(ids, 4e12);
      expect(() => decodeIds(bytes.subarray(0, bytes.length - 1), 4e12)).toThrow();
    }),
  );
});

it('an item of another format version is refused', () => {
  const item = encodeEntry({ ...fc.sample(entry, { numRuns: 1, seed: 1 })[0] } as LedgerEntry);
  expect(() => decodeEntry({ ...item, v: 99 })).toThrow('99');
});
