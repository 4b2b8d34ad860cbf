import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArchiveGap, gapsOf, mergeIntervals } from '../../../src/core/archive-coverage.ts';
import type { ArchiveInterval } from '../../../src/core/archive-object.ts';

const sequences = (count: number) =>
  Array.from({ length: count }, (_, index) => `${7 + 5 * index}`);

/** One object of a try: which records of the stream it holds, and whether it says what it follows. */
interface Written {
  readonly from: number;
  readonly count: number;
  readonly connected: boolean;
  readonly kept: boolean;
}

/** Tries over a shard of `count` records: each starts at or before where the one before ended. */
function archiveOf(count: number): fc.Arbitrary<readonly Written[]> {
  const step = fc.record({
    back: fc.integer({ min: 0, max: 4 }),
    count: fc.integer({ min: 1, max: 6 }),
    connected: fc.integer({ min: 0, max: 9 }).map((chance) => chance > 0),
    kept: fc.integer({ min: 0, max: 3 }).map((chance) => chance > 0),
  });
  return fc.array(step, { minLength: count, maxLength: count }).map((steps) => {
    const written: Written[] = [];
    let reached = 0;
    for (const one of steps) {
      if (reached >= count) break;
      const from = Math.max(0, reached - one.back);
      const size = Math.min(one.count, count - from);
      written.push({ ...one, from, count: size });
      reached = Math.max(reached, from + size);
    }
    return written;
  });
}

function intervalOf({ from, count, connected }: Written, all: readonly string[]): ArchiveInterval {
  return {
    after: connected && from > 0 ? all[from - 1] : undefined,
    first: all[from] ?? '',
    last: all[from + count - 1] ?? '',
  };
}

/** The records that lie in a gap. */
function inGap(gap: ArchiveGap, all: readonly string[]): readonly string[] {
  return all.filter((sequence) => {
    const n = Number(sequence);
    const until = Number(gap.until);
    return n > Number(gap.after ?? 0) && (gap.certain ? n <= until : n < until);
  });
}

describe('coverage', () => {
  it('tells exactly the records that are in no object, by names alone', () => {
    const count = 25;
    const all = sequences(count);
    fc.assert(
      fc.property(archiveOf(count), fc.integer({ min: 0, max: 1e6 }), (written, seed) => {
        const kept = written.filter(({ kept: isKept }) => isKept);
        const shuffled = [...kept].sort(
          (left, right) => ((left.from * seed) % 7) - ((right.from * seed) % 7),
        );
        const held = new Set(kept.flatMap(({ from, count: size }) => all.slice(from, from + size)));
        const reached = Math.max(0, ...written.map(({ from, count: size }) => from + size));

        const gaps = gapsOf(
          shuffled.map((one) => intervalOf(one, all)),
          { first: all[0], last: all[reached - 1] },
        );

        const missing = all.slice(0, reached).filter((sequence) => !held.has(sequence));
        expect(gaps.flatMap((gap) => inGap(gap, all))).toEqual(missing);
        // A gap without a record is told only where an object doesn't say what it follows.
        for (const gap of gaps) expect(gap.certain && inGap(gap, all).length === 0).toBe(false);
      }),
    );
  });

  it('merges intervals into fewer that cover the same', () => {
    const all = sequences(25);
    fc.assert(
      fc.property(archiveOf(25), (written) => {
        const intervals = written.map((one) => intervalOf(one, all));
        const merged = mergeIntervals(intervals);
        expect(mergeIntervals(merged)).toEqual(merged);
        expect(mergeIntervals([...merged, ...intervals])).toEqual(merged);
        expect(gapsOf(merged)).toEqual(gapsOf(intervals));
      }),
    );
  });

  it('compares sequence numbers as numbers, whatever their length', () => {
    const [short, long]: ArchiveInterval[] = [
      { after: undefined, first: '9', last: '99' },
      { after: '99', first: '100', last: '101' },
    ];
    expect(mergeIntervals([long, short].flatMap((one) => one ?? []))).toEqual([
      { after: undefined, first: '9', last: '101' },
    ]);
  });

  it('doubts what an object that doesn’t say what it follows stands behind', () => {
    const intervals = [
      { after: undefined, first: '1', last: '5' },
      { after: undefined, first: '6', last: '9' },
    ];
    expect(gapsOf(intervals)).toEqual([{ after: '5', until: '6', certain: false }]);
  });

  it('is one gap when nothing is left', () => {
    expect(gapsOf([], { first: '3', last: '8' })).toEqual([
      { after: undefined, until: '8', certain: true },
    ]);
    expect(gapsOf([])).toEqual([]);
  });

  it('knows that the end is missing', () => {
    const intervals = [{ after: '1', first: '2', last: '5' }];
    expect(gapsOf(intervals, { last: '8' })).toEqual([{ after: '5', until: '8', certain: true }]);
    expect(gapsOf(intervals, { last: '5' })).toEqual([]);
  });
});
