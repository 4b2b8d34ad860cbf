import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { sessionsCell } from '../../../src/core/cell.ts';
import { compile } from '../../../src/core/compile.ts';
import {
  blockKey,
  blockOf,
  bucketOf,
  layoutOf,
  packPartition,
  packParts,
  pageKey,
  pageNumber,
} from '../../../src/core/layout.ts';
import { decodePage, encodePage, PAGE_BYTES } from '../../../src/core/page.ts';
import type { Aggregate } from '../../../src/core/program.ts';
import { hoppingSpans } from '../../../src/core/window.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';

const HOUR_MS = 3_600_000;
const aggregates = compile(smallPipeline).aggregates;
const timeMs = fc.integer({ min: -1e13, max: 1e13 });
const facts = fc.record({
  gridMs: fc.integer({ min: 1_000, max: 31 * 24 * HOUR_MS }),
  groups: fc.integer({ min: 1, max: 100_000_000 }),
  cellBytes: fc.integer({ min: 1, max: 5_000 }),
  retentionMs: fc.integer({ min: HOUR_MS, max: 3_650 * 24 * HOUR_MS }),
});

function aggregate(name: string): Aggregate {
  const found = aggregates.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}

describe('a layout', () => {
  it('holds every window start in one block, on one grid', () => {
    fc.assert(
      fc.property(facts, fc.integer({ min: -1_000, max: 1_000 }), (given, number) => {
        const layout = layoutOf(given);
        const startMs = number * layout.gridMs;
        const block = blockOf(layout, startMs);
        expect(block.startMs <= startMs && startMs < block.endMs).toBe(true);
        expect((startMs - block.startMs) % layout.gridMs).toBe(0);
        expect((startMs - block.startMs) / layout.gridMs).toBeLessThan(layout.windows);
      }),
    );
  });

  it('keeps its bounds whatever is expected', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const { windows, buckets } = layoutOf(given);
        expect(windows >= 1 && windows <= 48).toBe(true);
        expect(buckets >= 1 && buckets <= 4_096).toBe(true);
        expect(windows === 1 || windows * given.gridMs <= given.retentionMs / 4).toBe(true);
      }),
    );
  });

  it('puts few small cells of many windows together, and many groups into buckets', () => {
    const common = { gridMs: HOUR_MS, cellBytes: 20, retentionMs: 90 * 24 * HOUR_MS };
    expect(layoutOf({ ...common, groups: 10 })).toMatchObject({ windows: 48, buckets: 1 });
    expect(layoutOf({ ...common, groups: 1_000 })).toMatchObject({ windows: 48, buckets: 32 });
    expect(layoutOf({ ...common, groups: 1e6, cellBytes: 500 })).toMatchObject({ buckets: 4_096 });
  });

  it('spreads groups over all buckets', () => {
    const layout = { gridMs: 1, windows: 1, buckets: 8 };
    const used = new Set(
      Array.from({ length: 200 }, (_, index) => bucketOf(layout, JSON.stringify([`g${index}`]))),
    );
    expect([...used].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('has keys that tell their parts, in the order of pages', () => {
    expect(packParts(packPartition('origins', 'abc-1.p3', 17))).toEqual({
      aggregate: 'origins',
      writer: 'abc-1.p3',
      bucket: 17,
    });
    const block = blockKey(0);
    const numbers = [0, 9, 10, 35, 36, 1_295, 1_296, 2 ** 24];
    const keys = numbers.map((number) => pageKey(block, number));
    expect([...keys].sort()).toEqual(keys);
    expect(keys.map(pageNumber)).toEqual(numbers);
  });
});

describe('a page', () => {
  const places = aggregate('places');
  const row = fc.record({
    window: fc.nat({ max: places.layout.windows - 1 }),
    place: fc.string({ unit: 'binary' }),
    amounts: fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }))),
  });

  it('comes back with every cell, position and flag', () => {
    fc.assert(
      fc.property(fc.array(row), fc.boolean(), timeMs, (rows, sealed, atMs) => {
        const block = blockOf(places.layout, atMs);
        const cells = rows.map(({ window, place, amounts }) => ({
          startMs: block.startMs + window * places.layout.gridMs,
          group: JSON.stringify([place]),
          state: amounts.reduce<unknown>(
            (state, amount) =>
              places.cell.add(state, {
                inputs: [true, amount, amount, amount, amount],
                timeMs: 0,
                name: '',
              }),
            places.cell.empty(),
          ),
        }));
        const page = {
          position: { shard: 3, sequence: '49590338271490256608559692538361571095921', index: 2 },
          sealed,
          cells,
          ttlSeconds: 7,
        };
        const key = { pk: 'pk', sk: pageKey(blockKey(block.startMs), 0) };
        expect(decodePage(places, encodePage(places, key, page))).toEqual(page);
      }),
    );
  });

  it('of other columns is refused with what to do', () => {
    const key = { pk: 'pk', sk: pageKey(blockKey(0), 0) };
    const cell = { startMs: 0, group: '[]', state: places.cell.empty() };
    const page = {
      position: { shard: 0, sequence: '1', index: 0 },
      sealed: false,
      cells: [cell],
      ttlSeconds: 1,
    };
    const item = encodePage(places, key, page);
    expect(() => decodePage(aggregate('days'), item)).toThrow('needs a new name');
    expect(() => decodePage(places, { ...item, v: 1 })).toThrow('format version');
  });
});

describe('hopping windows', () => {
  it('are size / every, in order, each holding the time', () => {
    const hops = fc.record({
      everyMs: fc.integer({ min: 1, max: 1e8 }),
      count: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(timeMs, hops, (atMs, { everyMs, count }) => {
        const spans = hoppingSpans(atMs, { sizeMs: everyMs * count, everyMs });
        expect(spans).toHaveLength(count);
        for (const [index, { startMs, endMs }] of spans.entries()) {
          expect(startMs <= atMs && atMs < endMs).toBe(true);
          expect(Math.abs(startMs % everyMs)).toBe(0);
          expect(startMs).toBe((spans[0]?.startMs ?? 0) + index * everyMs);
        }
      }),
    );
  });
});

describe('sessions', () => {
  const { columns } = aggregate('places');
  const cell = sessionsCell('sessions', columns, 1_000);
  const span = { startMs: 0, endMs: 100_000 };
  const events = fc.array(fc.record({ at: fc.nat({ max: 99_999 }), amount: fc.integer() }));
  type Event = { readonly at: number; readonly amount: number };
  const fold = (state: unknown, { at, amount }: Event) =>
    cell.add(state, { inputs: [true, amount, amount, amount, amount], timeMs: at, name: '' });
  const foldAll = (some: readonly Event[]) => some.reduce(fold, cell.empty());

  it('are the runs of sorted times, in any order and however they are split and merged', () => {
    fc.assert(
      fc.property(events, fc.array(fc.nat({ max: 3 })), (some, parts) => {
        const sorted = [...some].sort((left, right) => left.at - right.at);
        const runs: Event[][] = [];
        for (const event of sorted) {
          const before = runs.at(-1);
          if (before === undefined || event.at - (before.at(-1)?.at ?? 0) >= 1_000)
            runs.push([event]);
          else before.push(event);
        }
        const expected = runs.map((run) => ({
          startMs: run[0]?.at,
          endMs: run.at(-1)?.at,
          events: run.length,
          total: run.reduce((sum, { amount }) => sum + amount, 0),
        }));
        const states = [0, 1, 2, 3].map((part) =>
          foldAll(some.filter((_, index) => (parts[index] ?? 0) === part)),
        );
        const merged = [
          states.reduce(cell.merge),
          states.reduceRight(cell.merge),
          foldAll(some),
          cell.decode(cell.encode(foldAll([...some].reverse()))),
        ];
        for (const state of merged) {
          const results = cell.results(state, span).map(({ startMs, endMs, columns: found }) => ({
            startMs,
            endMs,
            events: found.events,
            total: found.total,
          }));
          expect(results).toEqual(expected);
        }
      }),
    );
  });
});

describe('columns whose states grow', () => {
  const make = (max: '1 hour' | '2 hours' | '2 days') =>
    definePipeline({
      name: 'grown',
      schema: v.object({ place: v.string(), at: v.number() }),
      key: 'place',
      time: 'at',
      windows: ({ session, topK }) => ({
        runs: session('30 minutes', { max, by: 'place', keep: { top: topK('place', { k: 3 }) } }),
      }),
    });

  it('are refused where an item could not hold them, with what to do', () => {
    expect(() => compile(make('2 days'))).toThrow('a shorter `max` of sessions');
    expect(() => compile(make('1 hour'))).not.toThrow();
  });

  it('share a page with fewer where more could outgrow an item', () => {
    const cellsOf = (max: Parameters<typeof make>[0]) => {
      const [{ stateBytes = 0 } = {}] = compile(make(max)).aggregates;
      return Math.ceil(PAGE_BYTES / (stateBytes + 2));
    };
    // So many sessions of at most 57 KB, which all stand in one cell.
    expect(cellsOf('1 hour') * 3 * 57_000).toBeLessThan(400_000);
    expect(cellsOf('2 hours') * 5 * 57_000).toBeLessThan(400_000);
    expect([cellsOf('1 hour'), cellsOf('2 hours')]).toEqual([2, 1]);
  });
});
