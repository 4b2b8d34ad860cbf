import * as v from 'valibot';
import { expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { makeMemoryPublisher } from '../../../src/adapters/memory/publisher.ts';
import { REVISION_REQUESTS, type WindowEvent } from '../../../src/core/closing.ts';
import { compile } from '../../../src/core/compile.ts';
import { makeClose } from '../../../src/handlers/close.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { Publisher } from '../../../src/ports/publisher.ts';
import type { Table } from '../../../src/ports/table.ts';
import { invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const pipeline = definePipeline({
  name: 'closing',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.number() }),
  key: 'place',
  time: 'at',
  partitions: 3,
  lateness: '10 minutes',
  deduplication: '30 minutes',
  windows: ({ tumbling, session, count }) => ({
    hours: tumbling('1 hour', { by: 'place', keep: { events: count() } }),
    runs: session('5 minutes', { max: '6 hours', by: 'place', keep: { events: count() } }),
  }),
  closing: { windows: ['hours', 'runs'], idle: '10 minutes' },
});

const program = compile(pipeline);

/** A world in which the window of noon was closed, with one event, without waiting for partition 1. */
async function setUp() {
  const world = makeWorld(NOON_MS + HOUR_MS);
  const publisher = makeMemoryPublisher();
  const consume = makeConsume(world, program);
  let sequence = 0;
  const send = async (minutes: number, partition: number, place = 'SFO') => {
    sequence += 1;
    const data = { place, at: NOON_MS + minutes * MINUTE_MS, amount: sequence };
    const arrivalMs = world.clock.now();
    const one = record({ sequence, data, partitionKey: `p-${partition}`, arrivalMs });
    await consume({ Records: [one] }, invocation(world));
  };
  const close = (over: { readonly aggregates?: Table; readonly publisher?: Publisher } = {}) =>
    makeClose({ ...world, publisher, ...over }, program)(invocation(world));
  await send(5, 1);
  world.clock.advance(15 * MINUTE_MS);
  await send(71, 0, 'ATL');
  await close();
  return { world, publisher, send, close };
}

/** What somebody knows of the window of noon who has read every event. */
function told(events: readonly WindowEvent[]): unknown {
  return events.findLast(({ window, group }) => window === 'hours' && group.place === 'SFO')
    ?.result;
}

/** Does something once, when a run of the closer has read what partition 1 folded into a window. */
function afterCells(table: Table, then: () => Promise<void>): Table {
  let left = true;
  return {
    ...table,
    query: async (query, options) => {
      const page = await table.query(query, options);
      if (!left || !/\|hours\|.*\.p1\|/.test(query.pk)) return page;
      left = false;
      await then();
      return page;
    },
  };
}

it('a run that read the cells before another one told more takes nothing back', async () => {
  const { world, publisher, send, close } = await setUp();
  await send(30, 1);
  await close({
    aggregates: afterCells(world.aggregates, async () => {
      await send(31, 1);
      await close();
    }),
  });
  expect(told(publisher.events)).toEqual({ events: 3 });
  await close();
  expect(told(publisher.events)).toEqual({ events: 3 });
});

/** Marks requests as done, whatever has become of them. */
function withoutCondition(table: Table): Table {
  return {
    ...table,
    putIf: (writes, options) =>
      writes.every(({ item }) => item.pk === REVISION_REQUESTS)
        ? table.putAll(
            writes.map(({ item }) => item),
            options,
          )
        : table.putIf(writes, options),
  };
}

it.each([
  ['stays open', (table: Table) => table, 3],
  ['would be lost if it were marked without a condition', withoutCondition, 2],
])('a request that is made anew while its window is looked at %s', async (_, plant, events) => {
  const { world, publisher, send, close } = await setUp();
  await send(30, 1);
  let left = true;
  const slow: Publisher = {
    publish: async (some, options) => {
      const results = await publisher.publish(some, options);
      if (left) await send(31, 1);
      left = false;
      return results;
    },
  };
  await close({ publisher: slow, aggregates: plant(world.aggregates) });
  expect(told(publisher.events)).toEqual({ events: 2 });
  await close();
  expect(told(publisher.events)).toEqual({ events });
});
