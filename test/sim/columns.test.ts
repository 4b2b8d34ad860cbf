import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { type Accumulator, definePipeline } from '#millrace';
import { simulatePipeline } from '#millrace/testing';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';

/** The longest text: an accumulator of a user. */
const longest: Accumulator<string, number, number> = {
  name: 'longest-1',
  size: { typical: 2, max: 4 },
  empty: () => 0,
  add: (state, input) => Math.max(state, input.length),
  merge: (left, right) => Math.max(left, right),
  encode: (state) => state,
  decode: Number,
  result: (state) => state,
};

function everything(format: 'cloudevents' | 'json') {
  return definePipeline({
    name: `everything-${format}`,
    format,
    schema: v.object({
      at: v.number(),
      key: v.string(),
      amount: v.nullable(v.number()),
      good: v.nullable(v.boolean()),
      text: v.string(),
    }),
    key: 'key',
    time: 'at',
    partitions: 2,
    windows: ({ tumbling, hopping, session, ...keep }) => {
      const columns = {
        rows: keep.count(),
        large: keep.count(({ amount }) => amount === null || amount > 1e6),
        good: keep.share('good'),
        sum: keep.sum('amount'),
        mean: keep.mean('amount'),
        min: keep.min('amount'),
        max: keep.max('amount'),
        variance: keep.variance('amount', { sample: true }),
        stddev: keep.stddev('amount'),
        percentiles: keep.percentiles('amount', [0, 50, 99, 99.9]),
        histogram: keep.histogram('amount', [-10, 0, 1e6]),
        texts: keep.distinct('text'),
        top: keep.topK('text', { k: 5 }),
        heaviest: keep.topK('text', {
          k: 5,
          weight: ({ amount }) => Math.min(1e9, Math.abs(Math.trunc(amount ?? 0))),
        }),
        first: keep.first('text'),
        last: keep.last('amount'),
        longest: keep.use(longest, 'text'),
      };
      // A slot's sessions share an item, so that large states don't fit in side by side.
      const { percentiles, top, heaviest, ...others } = columns;
      const runs = { max: '2 minutes', by: 'key' } as const;
      return {
        all: tumbling('1 day', { keep: columns }),
        keys: hopping('2 hours', { every: '1 hour', by: 'key', keep: columns }),
        runs: session('1 minute', { ...runs, keep: others }),
        runsOfPercentiles: session('1 minute', { ...runs, keep: { percentiles } }),
        runsOfTops: session('1 minute', { ...runs, keep: { top } }),
      };
    },
    lateness: '1 day',
  });
}

const DAY_MS = Date.UTC(2026, 10, 24);

/** Several events come at the same time, so that ids have to decide between them. */
function events(count: number, text: (index: number) => string) {
  const random = makeSeededRandom(5);
  const number = () => (random.next() - 0.5) * 10 ** (random.next() * 20 - 5);
  return Array.from({ length: count }, (_, index) => ({
    id: `e${index}`,
    data: {
      at: DAY_MS + Math.floor(random.next() * 40) * 90_000,
      key: ['a', 'b', 'c'][index % 3],
      amount: random.next() < 0.1 ? null : number(),
      good: random.next() < 0.1 ? null : random.next() < 0.7,
      text: text(index),
    },
  }));
}

const startMs = DAY_MS + 7_200_000;

describe('every kind of column', () => {
  it('equals the batch computation to the bit under all faults', async () => {
    const { windows } = await simulatePipeline(everything('cloudevents'), {
      events: events(120, (index) => `text ${index % 17}`),
      startMs,
      faults: 'all',
      seeds: 4,
    });
    expect(windows['all']).toHaveLength(1);
    expect(windows['all']?.[0]).toMatchObject({ rows: 120, texts: 17, longest: 7 });
    expect(windows['runs']?.length).toBeGreaterThan(3);
  });

  it('does so for events without ids, whose positions decide', async () => {
    const { windows } = await simulatePipeline(everything('json'), {
      events: events(60, (index) => `text ${index}`),
      startMs,
      faults: ['crash', 'loseAnswer'],
      seeds: 2,
    });
    expect(windows['all']?.[0]).toMatchObject({ rows: 60, texts: 60 });
  });

  it('does so where a sketch stands for too many texts', async () => {
    const { windows } = await simulatePipeline(everything('cloudevents'), {
      events: events(400, (index) => `${index % 350}`.padStart(200, '.')),
      startMs,
      faults: ['crash', 'loseAnswer', 'reshard'],
      seeds: 1,
    });
    const [row] = windows['all'] ?? [];
    expect(Math.abs(Number(row?.['texts']) - 350)).toBeLessThan(50);
    const sketched = {
      key: expect.any(String),
      weight: expect.any(Number),
      error: expect.any(Number),
    };
    expect(row?.['top']).toEqual([sketched, sketched, sketched, sketched, sketched]);
    expect(row?.['top']).not.toContainEqual({ ...sketched, error: 0 });
  });

  it('quarantines an event that a column cannot take, in both', async () => {
    const fussy = definePipeline({
      name: 'fussy',
      schema: v.object({ at: v.number(), text: v.string() }),
      key: 'text',
      time: 'at',
      windows: ({ tumbling, sum, share, distinct, topK, last, use }) => ({
        days: tumbling('1 day', {
          keep: {
            sum: sum(({ text }) => (text === 'number' ? Number.NaN : 1)),
            share: share(({ text }) => (text === 'flag' ? ('yes' as never) : true)),
            distinct: distinct(({ text }) => (text === 'scalar' ? ([] as never) : text)),
            top: topK(({ text }) => text.slice(0, 257), { k: 1 }),
            weighed: topK('text', {
              k: 1,
              weight: ({ text }) =>
                ({ negative: -1, tiny: 1e-300, huge: 1e300, none: 0 })[text] ?? 1,
            }),
            last: last('text'),
            own: use({ ...longest, encode: (state) => (state === 6 ? Number.NaN : state) }, 'text'),
          },
        }),
      }),
    });
    const bad = [
      'number',
      'flag',
      'scalar',
      'x'.repeat(257),
      'ü'.repeat(129),
      'negative',
      'tiny',
      'huge',
      'stored',
    ];
    const good = ['a', 'none', 'x'.repeat(256)];
    const { windows, quarantined } = await simulatePipeline(fussy, {
      events: [...bad, ...good].map((text) => ({
        id: text.slice(0, 9),
        data: { at: DAY_MS, text },
      })),
    });
    expect(quarantined.map(({ reason }) => reason)).toEqual(bad.map(() => 'transform'));
    expect(windows['days']).toMatchObject([{ sum: 3, distinct: 3, last: 'x'.repeat(256) }]);
  });
});
