import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CHUNK_EVENTS_MAX,
  CHUNK_SPANS_MS,
  type ChunkEvent,
  chunkClass,
  chunkKey,
  chunksOf,
  chunkTimeKey,
  decodeChunk,
  encodeChunk,
  encodeIdIndex,
  findInIdIndex,
} from '../../../src/core/event-chunk.ts';

const event: fc.Arbitrary<ChunkEvent> = fc.record({
  name: fc.string({ unit: 'binary' }),
  key: fc.string({ unit: 'binary' }),
  timeMs: fc.integer({ min: -1e12, max: 4e12 }),
  arrivalMs: fc.integer({ min: 0, max: 4e12 }),
  position: fc.record({
    shard: fc.nat({ max: 1e9 }),
    sequence: fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String),
    index: fc.nat({ max: 1e6 }),
  }),
  rows: fc.option(fc.string(), { nil: undefined }),
});
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const hash = fc.record({ high: uint32, low: uint32 });

describe('chunks of events', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        expect(decodeChunk(encodeChunk(events))).toEqual(events);
      }),
    );
  });

  it('hold every event once, in the order of time, at most 128 each', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 350 }), (events) => {
        const chunks = chunksOf(events);
        const times = chunks.flat().map(({ timeMs }) => timeMs);
        expect(new Set(chunks.flat())).toEqual(new Set(events));
        expect(chunks.flat()).toHaveLength(events.length);
        expect(times).toEqual([...times].sort((left, right) => left - right));
        expect(chunks.every(({ length }) => length <= CHUNK_EVENTS_MAX)).toBe(true);
      }),
    );
  });

  it('keep large events apart', () => {
    const [sample] = fc.sample(event, 1);
    if (sample === undefined) throw new Error('no event');
    const large = { ...sample, rows: 'x'.repeat(200 * 1024) };
    expect(chunksOf([large, large, large])).toHaveLength(3);
  });

  it('are within the span of their class, and of the least one', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (events) => {
        for (const chunk of chunksOf(events)) {
          const spanMs = (chunk.at(-1)?.timeMs ?? 0) - (chunk[0]?.timeMs ?? 0);
          const found = chunkClass(chunk);
          expect(spanMs).toBeLessThanOrEqual(CHUNK_SPANS_MS[found] ?? -1);
          expect(found === 0 || spanMs > (CHUNK_SPANS_MS[found - 1] ?? 0)).toBe(true);
        }
      }),
    );
  });

  it('have a key that starts with class and time, and tells ranges apart', () => {
    const [first, last] = fc.sample(event, 2);
    if (first === undefined || last === undefined) throw new Error('no event');
    const range = { first: first.position, last: last.position };
    const key = chunkKey([first], range, 0);
    expect(key.startsWith(chunkTimeKey(0, first.timeMs))).toBe(true);
    expect(chunkKey([first], { ...range, last: first.position }, 0)).not.toBe(key);
    expect(chunkKey([first], range, 1)).not.toBe(key);
  });
});

describe('the index of ids', () => {
  it('finds the chunk of every id in it', () => {
    const chunk = fc.record({ sk: fc.string(), ids: fc.array(hash) });
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const bytes = encodeIdIndex(chunks);
        for (const { sk, ids } of chunks) {
          for (const id of ids) expect(findInIdIndex(bytes, id)).toContain(sk);
        }
      }),
    );
  });

  it('finds nothing of an id that is not in it', () => {
    const bytes = encodeIdIndex([{ sk: 'a', ids: [{ high: 1, low: 0x10000 }] }]);
    expect(findInIdIndex(bytes, { high: 1, low: 0x20000 })).toEqual([]);
    expect(findInIdIndex(bytes, { high: 2, low: 0x10000 })).toEqual([]);
    expect(findInIdIndex(bytes, { high: 1, low: 0x1ffff })).toEqual(['a']);
  });
});
