import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { type Sample, sampleOf } from '../../../src/plan/sample.ts';
import { PROFILES, peakOf, withKeys } from '../../../src/plan/traffic.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { envelope, NOON_MS } from '../../helpers/world.ts';

const program = compile(smallPipeline);

/** Half of the events are of one place, the others of two. */
function sample(): Sample {
  const places = ['ATL', 'ATL', 'BOS', 'DEN'];
  const sent = Array.from({ length: 400 }, (_, index) => ({
    timeMs: NOON_MS,
    bytes: envelope({
      sequence: index,
      data: { place: places[index % 4], at: NOON_MS, amount: index },
    }),
  }));
  return sampleOf(program, sent);
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

describe('a sample', () => {
  it('has the shares of keys and groups', () => {
    const { keys, windows, events } = sample();
    expect(events).toHaveLength(400);
    expect([...keys]).toEqual([
      ['ATL', 0.5],
      ['BOS', 0.25],
      ['DEN', 0.25],
    ]);
    const [places, days] = windows;
    expect(places?.shares).toContainEqual({ key: 'ATL', group: '["ATL"]', weight: 0.5 });
    expect(days?.shares.map(({ group }) => group)).toEqual(['[]', '[]', '[]']);
  });

  it('leaves out what the pipeline would refuse', () => {
    const bytes = envelope({ sequence: 1, data: { place: 7 } });
    expect(sampleOf(program, [{ bytes, timeMs: NOON_MS }]).events).toEqual([]);
  });
});

describe('keys', () => {
  it.each([1, 2, 3, 4, 10, 1_000])('are %s when so many are asked for', (keys) => {
    const changed = withKeys(sample(), { keys, field: 'place' });
    expect(changed.keys.size).toBe(keys);
    expect(sum(changed.keys.values())).toBeCloseTo(1);
    const [places] = changed.windows;
    expect(new Set(places?.shares.map(({ group }) => group)).size).toBe(keys);
    expect(sum(places?.shares.map(({ weight }) => weight) ?? [])).toBeCloseTo(1);
  });

  it('keep the groups of windows that are not by key', () => {
    const [, days] = withKeys(sample(), { keys: 30, field: 'place' }).windows;
    expect(new Set(days?.shares.map(({ group }) => group))).toEqual(new Set(['[]']));
  });

  it('can be hot: the busiest one gets its share, the others keep their proportion', () => {
    const { keys, windows } = withKeys(sample(), { hot: 0.9, field: 'place' });
    expect(keys.get('ATL')).toBeCloseTo(0.9);
    expect(keys.get('BOS')).toBeCloseTo(0.05);
    expect(windows[0]?.shares.find(({ key }) => key === 'ATL')?.weight).toBeCloseTo(0.9);
  });

  it('refuse what is no number of keys and no share', () => {
    expect(() => withKeys(sample(), { keys: 0, field: 'place' })).toThrow('whole number from 1 on');
    expect(() => withKeys(sample(), { hot: 1.5, field: 'place' })).toThrow('up to 1');
  });
});

describe('profiles', () => {
  it.each(Object.entries(PROFILES))('%s has a mean of 1', (_, levels) => {
    expect(sum(levels.map(({ share }) => share))).toBeCloseTo(1);
    expect(sum(levels.map(({ share, factor }) => share * factor))).toBeCloseTo(1);
  });

  it('peaks higher the less even it is', () => {
    const peaks = [PROFILES.flat, PROFILES.daily, PROFILES.bursts].map(peakOf);
    expect([...peaks].sort((left, right) => left - right)).toEqual(peaks);
    expect(peaks[2]).toBeGreaterThan(5);
  });
});
