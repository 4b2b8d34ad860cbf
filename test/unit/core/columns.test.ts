import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Bucket, definePipeline, type Scope, type TopEntry } from '#millrace';
import { compile } from '../../../src/core/compile.ts';
import { DefinitionError } from '../../../src/core/errors.ts';
import { makeScope } from '../../../src/core/pipeline/scope.ts';

interface Row {
  readonly place: 'here' | 'there' | null;
  readonly amount: number | null;
  readonly good: boolean;
  readonly when: Date;
}

type Keep = (scope: Scope<Row>) => object;

function pipelineOf(keep: Keep) {
  return definePipeline({
    name: 'sales',
    schema: v.object({ at: v.number() }),
    key: 'at',
    time: 'at',
    windows: (scope) => ({
      hours: scope.tumbling('1 hour', { keep: { column: keep(scope as never) as never } }),
    }),
  });
}

/** What a JavaScript user can write. */
type Loose = Record<
  'topK' | 'percentiles' | 'histogram' | 'variance' | 'use',
  (...given: unknown[]) => object
>;

function loosely(make: (scope: Loose) => object): () => unknown {
  return () => pipelineOf((scope) => make(scope as unknown as Loose));
}

const accumulator = {
  name: 'own-1',
  empty: () => 0,
  add: () => 0,
  merge: () => 0,
  encode: () => 0,
  decode: () => 0,
  result: () => 0,
};

describe('a column that is wrong', () => {
  it.each([
    ['k', '0', loosely(({ topK }) => topK('place', { k: 0 }))],
    ['k', '101', loosely(({ topK }) => topK('place', { k: 101 }))],
    ['k', '2.5', loosely(({ topK }) => topK('place', { k: 2.5 }))],
    ['weigth', 'weight', loosely(({ topK }) => topK('place', { k: 1, weigth: 'amount' }))],
    ['weight', '7', loosely(({ topK }) => topK('place', { k: 1, weight: 7 }))],
    ['topK', 'undefined', loosely(({ topK }) => topK('place'))],
    ['percents', '[]', loosely(({ percentiles }) => percentiles('amount', []))],
    ['percents', '50', loosely(({ percentiles }) => percentiles('amount', 50))],
    ['percents', '[50,50]', loosely(({ percentiles }) => percentiles('amount', [50, 50]))],
    ['percents', '[-1]', loosely(({ percentiles }) => percentiles('amount', [-1]))],
    ['percents', '[100.1]', loosely(({ percentiles }) => percentiles('amount', [100.1]))],
    ['percents', '[null]', loosely(({ percentiles }) => percentiles('amount', [Number.NaN]))],
    ['bounds', '[]', loosely(({ histogram }) => histogram('amount', []))],
    ['bounds', '[2,1]', loosely(({ histogram }) => histogram('amount', [2, 1]))],
    ['bounds', '[1,1]', loosely(({ histogram }) => histogram('amount', [1, 1]))],
    ['bounds', '[0,null]', loosely(({ histogram }) => histogram('amount', [0, Infinity]))],
    ['sample', "'yes'", loosely(({ variance }) => variance('amount', { sample: 'yes' }))],
    ['sampl', 'sample', loosely(({ variance }) => variance('amount', { sampl: true }))],
    ['column', '7', loosely(({ variance }) => variance(7))],
    ['column', "''", loosely(({ variance }) => variance(''))],
    ['column', 'undefined', loosely(({ use }) => use(undefined, 'amount'))],
    ['merge', '7', loosely(({ use }) => use({ ...accumulator, merge: 7 }, 'amount'))],
    [
      'size',
      'typical',
      loosely(({ use }) => use({ ...accumulator, size: { typical: 9, max: 8 } }, 'amount')),
    ],
    [
      'size',
      '100000',
      loosely(({ use }) => use({ ...accumulator, size: { typical: 9, max: 1e6 } }, 'amount')),
    ],
    ['column', 'count()', loosely(() => ({ kind: 'median', of: 'amount' }))],
    ['column', 'count()', loosely(() => ({ kind: 'toString', of: 'amount' }))],
  ])('is refused with its path, %s, and what was got: %s', (path, got, define) => {
    expect(define).toThrow(DefinitionError);
    expect(define).toThrow(path);
    expect(define).toThrow(got);
    expect(define).toThrow(/sales\.windows/);
  });

  it('may have as many percents and bounds as are allowed', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index);
    const percents = hundred.slice(0, 20);
    expect(loosely(({ percentiles }) => percentiles('amount', percents))).not.toThrow();
    expect(loosely(({ percentiles }) => percentiles('amount', [...percents, 99]))).toThrow(
      '1 to 20',
    );
    expect(loosely(({ histogram }) => histogram('amount', hundred))).not.toThrow();
    expect(loosely(({ histogram }) => histogram('amount', [...hundred, 100]))).toThrow('1 to 100');
  });
});

describe('what a column is told', () => {
  it('is plain data that the fingerprint covers', () => {
    const keeps: readonly Keep[] = [
      ({ percentiles }) => percentiles('amount', [50]),
      ({ percentiles }) => percentiles('amount', [51]),
      ({ histogram }) => histogram('amount', [1]),
      ({ histogram }) => histogram('amount', [2]),
      ({ topK }) => topK('place', { k: 1 }),
      ({ topK }) => topK('place', { k: 2 }),
      ({ topK }) => topK('place', { k: 2, weight: 'amount' }),
      ({ variance }) => variance('amount'),
      ({ variance }) => variance('amount', { sample: true }),
      ({ stddev }) => stddev('amount'),
    ];
    const prints = keeps.map((keep) => compile(pipelineOf(keep)).fingerprint);
    expect(new Set(prints).size).toBe(keeps.length);
    const [, , , , , , top] = keeps.map((keep) => pipelineOf(keep).windows.hours.keep['column']);
    expect(JSON.parse(JSON.stringify(top))).toEqual({
      kind: 'topK',
      of: 'place',
      weight: 'amount',
      options: { k: 2 },
    });
  });
});

describe('the types', () => {
  const scope = makeScope<Row>('types');
  const { count, share, sum, variance, stddev, percentiles } = scope;
  const { histogram, distinct, topK, first, last } = scope;

  it('of results follow from the columns', () => {
    const { keep } = {
      keep: {
        p: percentiles('amount', [50, 99.9]),
        h: histogram('amount', [1]),
        d: distinct('place'),
        t: topK('place', { k: 1 }),
        g: topK(({ good }) => good, { k: 1, weight: ({ amount }) => amount }),
        f: first('place'),
        l: last(({ amount }) => amount),
        s: share('good'),
        x: stddev('amount'),
      },
    };
    type ResultOf<N extends keyof typeof keep> = NonNullable<(typeof keep)[N]['Result']> | null;
    expectTypeOf<ResultOf<'p'>>().toEqualTypeOf<{
      readonly p50: number | null;
      readonly 'p99.9': number | null;
    } | null>();
    expectTypeOf<ResultOf<'h'>>().toEqualTypeOf<readonly Bucket[] | null>();
    expectTypeOf<ResultOf<'d'>>().toEqualTypeOf<number | null>();
    expectTypeOf<ResultOf<'t'>>().toEqualTypeOf<readonly TopEntry<'here' | 'there'>[] | null>();
    expectTypeOf<ResultOf<'g'>>().toEqualTypeOf<readonly TopEntry<boolean>[] | null>();
    expectTypeOf<ResultOf<'f'>>().toEqualTypeOf<'here' | 'there' | null>();
    expectTypeOf<ResultOf<'l'>>().toEqualTypeOf<number | null>();
    expectTypeOf<ResultOf<'s'>>().toEqualTypeOf<number | null>();
    expectTypeOf<ResultOf<'x'>>().toEqualTypeOf<number | null>();
  });

  it('find a wrong field at the word', () => {
    // @ts-expect-error: no such field
    sum('amuont');
    // @ts-expect-error: a text has no variance
    variance('place');
    // @ts-expect-error: a text has no percentiles
    percentiles('place', [50]);
    // @ts-expect-error: a boolean has no histogram
    histogram('good', [1]);
    // @ts-expect-error: a Date is no value to count
    distinct('when');
    // @ts-expect-error: a Date is no key
    topK('when', { k: 1 });
    // @ts-expect-error: a text is no weight
    topK('place', { k: 1, weight: 'place' });
    // @ts-expect-error: k is missing
    expect(() => topK('place', {})).not.toThrow();
    // @ts-expect-error: no such field
    first('plaice');
    // @ts-expect-error: a Date is not kept
    last('when');
    // @ts-expect-error: a number is no share
    share('amount');
    // @ts-expect-error: a function of a row gives a number here
    stddev(({ place }) => place);
    // @ts-expect-error: a function of a row says true or false here
    count(({ amount }) => amount);
  });
});
