import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { definePipeline, reference } from '#millrace';
import { compile } from '../../../src/core/compile.ts';
import { DefinitionError } from '../../../src/core/errors.ts';

const schema = z.object({ place: z.string(), at: z.date(), amount: z.number(), note: z.string() });

function options() {
  return {
    name: 'sales',
    schema,
    key: 'place',
    time: 'at',
    windows: ({
      tumbling,
      count,
    }: Parameters<Parameters<typeof definePipeline>[0]['windows']>[0]) => ({
      hours: tumbling('1 hour', { keep: { sales: count() } }),
    }),
  } as const;
}

describe('definePipeline', () => {
  it.each([
    ['name', { name: 'Sales' }, "'Sales'"],
    ['schema', { schema: {} }, 'Standard Schema'],
    ['key', { key: 7 }, 'name of a field'],
    ['time', { time: null }, 'name of a field'],
    ['partitions', { partitions: 0 }, '1 to 1024'],
    ['partitions', { partitions: 2.5 }, '1 to 1024'],
    ['format', { format: 'xml' }, "'cloudevents' or 'json'"],
    ['id', { id: 'note' }, "no id with format 'cloudevents'"],
    ['lateness', { lateness: '1 fortnight' }, "'1 fortnight'"],
    ['deduplication', { deduplication: '2 days' }, "at most the stream's retention"],
    ['lateness', { lateness: '60 days' }, 'at most retention.windows'],
    ['retention.stream', { retention: { stream: '1 hour' } }, "'1 hour'"],
    ['retention', { retention: { window: '1 day' } }, 'windows'],
    ['retention.archive', { retention: { archive: '1 day' } }, "'2 days', or false for no archive"],
    ['objectives.quarantine.max', { objectives: { quarantine: { max: '0 %' } } }, "'0 %'"],
    ['windows', { windows: () => ({}) }, 'at least one window'],
    ['transform', { transform: () => 7 }, 'chain'],
    ['latness', { latness: '1 hour' }, 'lateness'],
  ])('refuses a wrong %s and says what was got and what is allowed', (path, wrong, says) => {
    const define = () => definePipeline({ ...options(), ...wrong } as never);
    expect(define).toThrow(DefinitionError);
    expect(define).toThrow(path);
    expect(define).toThrow(says);
  });

  it('refuses a window of a size that is no time', () => {
    const define = () =>
      definePipeline({
        ...options(),
        windows: ({ tumbling, count }) => ({
          hours: tumbling('-1 hours', { keep: { sales: count() } }),
        }),
      });
    expect(define).toThrow(/sales\.windows\.hours.*'-1 hours'/);
  });

  it('types flow from the schema through the transform into windows', () => {
    definePipeline({
      ...options(),
      transform: (sales) =>
        sales.map(({ place, amount }) => {
          expectTypeOf(amount).toEqualTypeOf<number>();
          return { place, tax: amount * 0.2 };
        }),
      windows: ({ tumbling, sum, mean }) => ({
        places: tumbling('1 day', {
          by: 'place',
          keep: {
            tax: sum('tax'),
            // @ts-expect-error: the transform left no amount
            amount: sum('amount'),
            // @ts-expect-error: a text has no mean
            mean: mean('place'),
          },
        }),
        // @ts-expect-error: no such field to group by
        others: tumbling('1 day', { by: 'plaice', keep: { tax: sum('tax') } }),
      }),
    });
  });

  it('a key or time that is no field is a compile error', () => {
    const define = () => {
      // @ts-expect-error: a Date is no key
      definePipeline({ ...options(), key: 'at' });
      // @ts-expect-error: a text is no time
      definePipeline({ ...options(), time: 'place' });
    };
    expect(define).not.toThrow();
  });

  it('enriches with the row of a reference, whose fields are typed', () => {
    const shops = reference({
      name: 'shops',
      file: 'shops.json',
      key: 'place',
      schema: v.object({ place: v.string(), region: v.string() }),
    });
    const pipeline = definePipeline({
      ...options(),
      transform: (sales) =>
        sales.enrich('shop', shops, { on: 'place' }).map(({ shop, amount }) => {
          expectTypeOf(shop.region).toEqualTypeOf<string>();
          return { region: shop.region, amount };
        }),
      windows: ({ tumbling, sum }) => ({
        regions: tumbling('1 day', { by: 'region', keep: { amount: sum('amount') } }),
      }),
    });
    const rows = new Map([['shops', [{ fromMs: 0, rows: [{ place: 'a', region: 'north' }] }]]]);
    const program = compile(pipeline, rows);

    expect(program.transform({ place: 'a', amount: 1 }, 0)).toEqual([
      { region: 'north', amount: 1 },
    ]);
    expect(() => program.transform({ place: 'b', amount: 1 }, 0)).toThrow('shops');
  });

  it('filters and multiplies rows', () => {
    const pipeline = definePipeline({
      ...options(),
      transform: (sales) =>
        sales
          .filter(({ amount }) => amount > 0)
          .flatMap(({ place, amount }) => [
            { place, amount },
            { place: 'all', amount },
          ]),
      windows: ({ tumbling, count }) => ({
        places: tumbling('1 day', { by: 'place', keep: { sales: count() } }),
      }),
    });
    const { transform } = compile(pipeline);
    expect(transform({ place: 'a', amount: -1 }, 0)).toEqual([]);
    expect(transform({ place: 'a', amount: 2 }, 0)).toEqual([
      { place: 'a', amount: 2 },
      { place: 'all', amount: 2 },
    ]);
  });

  it('takes zod and valibot alike, and a changed window changes the fingerprint', () => {
    const withValibot = definePipeline({
      ...options(),
      schema: v.object({ place: v.string(), at: v.date(), amount: v.number(), note: v.string() }),
    });
    const other = definePipeline({
      ...options(),
      windows: ({ tumbling, count }) => ({
        hours: tumbling('2 hours', { keep: { sales: count() } }),
      }),
    });
    const good = { place: 'a', at: new Date(0), amount: 1, note: '' };
    expect(compile(withValibot).validate(good)).toEqual({ ok: true, event: good });
    expect(compile(withValibot).validate({ ...good, amount: '1' })).toMatchObject({
      ok: false,
      issues: [{ path: 'amount' }],
    });
    expect(compile(other).fingerprint).not.toBe(compile(withValibot).fingerprint);
  });
});
