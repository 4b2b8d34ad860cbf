import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideScaling,
  type MinuteLoad,
  type ScalingRange,
  type ScalingState,
  SHARD_LIMITS,
} from '../../../src/core/scaling.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_800_000_000_000;

const RANGE: ScalingRange = {
  least: 2,
  most: 16,
  partitions: 16,
  readers: 2,
  limits: SHARD_LIMITS,
};

/** An hour of minutes, all with so many records a second; the last two with others. */
function hour(perSecond: number, last: Partial<MinuteLoad> = {}): readonly MinuteLoad[] {
  return Array.from({ length: 60 }, (_, index) => ({
    startMs: NOW_MS - (60 - index) * MINUTE_MS,
    records: perSecond * 60,
    bytes: perSecond * 60 * 100,
    throttled: 0,
    ...(index >= 58 ? last : {}),
  }));
}

function decide(over: Partial<ScalingState>, range: Partial<ScalingRange> = {}) {
  const state = { shards: 4, nowMs: NOW_MS, minutes: hour(1_000), changesMs: [], ...over };
  return decideScaling({ ...RANGE, ...range }, state);
}

describe('scaling', () => {
  it.each([
    ['stays between the bounds of use', { minutes: hour(2_500) }, { to: 4, because: 'fits' }],
    ['doubles from 70 % on', { minutes: hour(2_800) }, { to: 8, because: 'busy' }],
    [
      'doubles when records were refused, however little comes',
      { minutes: hour(1_000, { throttled: 1 }) },
      { to: 8, because: 'throttled' },
    ],
    ['halves after an hour of little', { minutes: hour(900) }, { to: 2, because: 'idle' }],
    ['does not halve to what would be half full', { minutes: hour(1_000) }, { to: 4 }],
    ['halves where nothing came at all', { minutes: [] }, { to: 2, because: 'idle' }],
    ['does not go below the least', { shards: 2, minutes: [] }, { to: 2, because: 'fits' }],
    [
      'does not go above the most',
      { shards: 16, minutes: hour(16_000) },
      { to: 16, because: 'fits' },
    ],
    [
      'waits to see what a change did',
      { minutes: hour(4_000), changesMs: [NOW_MS - 2 * MINUTE_MS] },
      { to: 4, because: 'waits' },
    ],
    [
      'does not halve within an hour of a change',
      { minutes: [], changesMs: [NOW_MS - 59 * MINUTE_MS] },
      { to: 4, because: 'fits' },
    ],
    [
      'stops at the calls that a day allows',
      {
        minutes: hour(4_000),
        changesMs: Array.from({ length: 10 }, (_, index) => NOW_MS - (index + 2) * 3_600_000),
      },
      { to: 4, because: 'spent' },
    ],
  ] as const)('%s', (_, state, expected) => {
    expect(decide(state)).toMatchObject(expected);
  });

  it('counts bytes in, and bytes out to every reader', () => {
    const minutes = hour(1, { records: 60, bytes: 60 * 3 * 1_048_576 });
    expect(decide({ minutes }).because).toBe('busy');
    const few = hour(1, { records: 60, bytes: 60 * 2.5 * 1_048_576 });
    expect(decide({ minutes: few }).because).toBe('fits');
    expect(decide({ minutes: few }, { readers: 3 }).because).toBe('busy');
  });

  it('looks at the shard that has most partitions where they do not come out even', () => {
    // Of 6 partitions on 4 shards one shard has 2: a third of the records.
    const minutes = hour(2_200);
    expect(decide({ minutes }, { partitions: 6 }).because).toBe('busy');
    expect(decide({ minutes }).because).toBe('fits');
  });

  it('never has more shards than partitions', () => {
    expect(decide({ minutes: hour(9_000) }, { partitions: 6 }).to).toBe(6);
    expect(decide({ minutes: hour(9_000) }, { partitions: undefined }).to).toBe(8);
  });

  it('keeps within bounds, doubles or halves, and always can grow to the most again', () => {
    const loads = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { maxLength: 40 });
    fc.assert(
      fc.property(loads, (hours) => {
        let shards = 2;
        const changesMs: number[] = [];
        for (const [index, rate] of hours.entries()) {
          const nowMs = NOW_MS + index * 20 * MINUTE_MS;
          const minutes = hour(rate).map((one) => ({
            ...one,
            startMs: one.startMs + nowMs - NOW_MS,
          }));
          const { to } = decideScaling(RANGE, { shards, nowMs, minutes, changesMs });
          expect([shards / 2, shards, shards * 2]).toContain(to);
          expect(to).toBeGreaterThanOrEqual(RANGE.least);
          expect(to).toBeLessThanOrEqual(RANGE.most);
          if (to !== shards) changesMs.push(nowMs);
          if (to < shards) {
            const today = changesMs.filter((ms) => ms > nowMs - 86_400_000).length;
            expect(10 - today).toBeGreaterThanOrEqual(Math.log2(RANGE.most / to));
          }
          shards = to;
        }
      }),
      { numRuns: 300 },
    );
  });
});
