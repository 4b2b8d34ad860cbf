import * as v from 'valibot';
import { expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { itemBytes } from '../../../src/adapters/memory/units.ts';
import { compile } from '../../../src/core/compile.ts';
import type { StoredItem } from '../../../src/core/item.ts';
import { packPartition, pageKey } from '../../../src/core/layout.ts';
import { encodePage, PAGE_BYTES } from '../../../src/core/page.ts';
import type { Position } from '../../../src/core/position.ts';
import type { Aggregate } from '../../../src/core/program.ts';
import { type LivePage, Pack } from '../../../src/handlers/pack.ts';
import { PackCache } from '../../../src/handlers/pack-cache.ts';

const DAY_MS = 86_400_000;
const GROUPS = 100;

/** Keys that fill what a top keeps: 200 of 100 bytes. */
const KEYS = Array.from({ length: 200 }, (_, index) => String(index).padStart(100, '.'));

const pipeline = definePipeline({
  name: 'packed',
  schema: v.object({ group: v.string(), at: v.number(), key: v.string() }),
  key: 'group',
  time: 'at',
  partitions: 1,
  windows: ({ tumbling, topK }) => ({
    tops: tumbling('1 day', { by: 'group', groups: 20, keep: { top: topK('key', { k: 10 }) } }),
  }),
});
const aggregate = compile(pipeline).aggregates[0] as Aggregate;

const positionOf = (sequence: number): Position => ({
  shard: 0,
  sequence: String(sequence),
  index: 0,
});

function itemOf(page: LivePage, position: Position): StoredItem {
  const key = {
    pk: packPartition('tops', 'epoch.p0', 0),
    sk: pageKey('1970-01-01T00:00:00.000Z', page.number),
  };
  return encodePage(aggregate, key, {
    position,
    sealed: page.full,
    cells: page.cells,
    ttlSeconds: 0,
  });
}

/** One event of a group, written at once, as a batch of its own does. */
function write(pack: Pack, sequence: number): LivePage {
  const name = `["g${sequence % GROUPS}"]`;
  const key = `0 ${name}`;
  const position = positionOf(sequence);
  const cell = { key, group: name, span: { startMs: 0, endMs: DAY_MS }, folds: [] };
  const page = pack.place(cell, position);
  const row = { group: name, at: 0, key: 'a' };
  pack.fold(key, [{ inputs: aggregate.columns.map((one) => one.inputOf(row)), timeMs: 0, name }]);
  const bytes = (itemOf(page, position).d as Uint8Array).length;
  pack.written(page, { position, bytes, sealed: page.full || bytes >= PAGE_BYTES });
  return page;
}

function grow(pages: Iterable<LivePage>): void {
  for (const { cells } of pages) {
    for (const cell of cells) {
      for (const key of KEYS) {
        const inputs = aggregate.columns.map((one) => one.inputOf({ key }));
        cell.state = aggregate.cell.add(cell.state, { inputs, timeMs: 0, name: key });
      }
    }
  }
}

const LIMIT = 400 * 1024;
const last = positionOf(10 ** 6);

it('cells that join a page while they are small still fit it when each has grown', () => {
  const pack = new Pack(aggregate, []);
  const pages = new Set<LivePage>();
  for (let sequence = 1; sequence <= GROUPS; sequence += 1) pages.add(write(pack, sequence));

  grow(pages);
  const sizes = [...pages].map((page) => itemBytes(itemOf(page, last)));

  expect(Math.max(...sizes)).toBeGreaterThan(20_000);
  expect(Math.max(...sizes)).toBeLessThan(LIMIT);
});

it('a container keeps fewer of the packs whose cells have grown', () => {
  const [small, grown] = [new Pack(aggregate, []), new Pack(aggregate, [])];
  write(small, 1);
  const page = write(grown, 1);
  grow([page]);
  const bytes = (itemOf(page, last).d as Uint8Array).length;
  grown.written(page, { position: last, bytes, sealed: true });

  expect([small.weight, grown.weight]).toEqual([1, Math.ceil(bytes / 64)]);
  expect(new Pack(aggregate, [itemOf(page, last)]).weight).toBe(grown.weight);
  const cache = new PackCache(2 * grown.weight);
  for (const key of ['a', 'b', 'c']) cache.put(key, grown);
  expect(cache.size).toBe(2);
  for (let at = 0; at < 10; at += 1) cache.put(`small ${at}`, small);
  expect(cache.size).toBe(11);
  expect([cache.take('b'), cache.take('c')]).toEqual([undefined, grown]);
});

it('the same holds where a container reads the page anew before each of them', () => {
  let items: readonly StoredItem[] = [];
  for (let sequence = 1; sequence <= GROUPS; sequence += 1) {
    const page = write(new Pack(aggregate, items), sequence);
    const item = itemOf(page, positionOf(sequence));
    items = [...items.filter(({ sk }) => sk !== item.sk), item];
  }

  const read = new Pack(aggregate, items);
  const pages = new Set<LivePage>();
  for (let sequence = 1; sequence <= GROUPS; sequence += 1) {
    pages.add(write(read, sequence + GROUPS));
  }
  grow(pages);

  expect(Math.max(...[...pages].map((page) => itemBytes(itemOf(page, last))))).toBeLessThan(LIMIT);
});
