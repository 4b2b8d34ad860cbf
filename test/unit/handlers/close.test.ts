import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { makeMemoryPublisher } from '../../../src/adapters/memory/publisher.ts';
import { rowStates, type WindowEvent } from '../../../src/core/closing.ts';
import { compile } from '../../../src/core/compile.ts';
import { packParts } from '../../../src/core/layout.ts';
import { mergePages } from '../../../src/core/read.ts';
import { REGISTRY_KEY, registryItem } from '../../../src/core/registry.ts';
import { makeClose } from '../../../src/handlers/close.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { readRevisions } from '../../../src/handlers/read-revisions.ts';
import type { Publisher } from '../../../src/ports/publisher.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const pipeline = definePipeline({
  name: 'closing',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.number() }),
  key: 'place',
  time: 'at',
  partitions: 2,
  lateness: '10 minutes',
  deduplication: '30 minutes',
  windows: ({ tumbling, session, count, sum }) => ({
    hours: tumbling('1 hour', { by: 'place', keep: { events: count(), total: sum('amount') } }),
    runs: session('5 minutes', { max: '6 hours', by: 'place', keep: { events: count() } }),
    unwatched: tumbling('1 hour', { keep: { events: count() } }),
  }),
  closing: { windows: ['hours', 'runs'], idle: '10 minutes' },
});

const program = compile(pipeline);

/** A world with a consumer and a closer, and a clock that goes with the events. */
function setUp(startMs = NOON_MS) {
  const world = makeWorld(startMs);
  const publisher = makeMemoryPublisher();
  const consume = makeConsume(world, program);
  let sequence = 0;
  return {
    world,
    publisher,
    close: (to: Publisher = publisher) =>
      makeClose({ ...world, publisher: to }, program)(invocation(world)),
    send: async (minutes: number, place = 'ATL', partition = 0) => {
      sequence += 1;
      const data = { place, at: NOON_MS + minutes * MINUTE_MS, amount: sequence };
      const arrivalMs = world.clock.now();
      const one = record({ sequence, data, partitionKey: `p-${partition}`, arrivalMs });
      await consume({ Records: [one] }, invocation(world));
    },
  };
}

function ofWindow(events: readonly WindowEvent[], window: string) {
  return events.filter((event) => event.window === window);
}

/** What somebody knows who has read every event. */
function told(events: readonly WindowEvent[], window: string) {
  const known = new Map<string, unknown>();
  for (const { start, group, result } of ofWindow(events, window)) {
    const key = `${start} ${Object.values(group).join()}`;
    if (result === null) known.delete(key);
    else known.set(key, result);
  }
  return known;
}

/** What the cells hold. */
function stored(world: World, window: string) {
  const aggregate = program.aggregates.find(({ name }) => name === window);
  if (aggregate === undefined) throw new Error(window);
  const pages = world.aggregates
    .items()
    .filter(({ pk }) => packParts(pk).aggregate === window && pk.includes('.p'));
  const rows = mergePages(aggregate, pages).map(
    ({ startMs, group, columns }) =>
      [`${new Date(startMs).toISOString()} ${group.join()}`, columns] as const,
  );
  return new Map<string, unknown>(rows);
}

describe('closing', () => {
  it('publishes each group once when every writer has passed the window and its lateness', async () => {
    const { send, close, publisher, world } = setUp(NOON_MS + 2 * HOUR_MS);
    await send(5);
    await send(6, 'ORD');
    await send(20, 'SFO', 1);
    await close();
    expect(ofWindow(publisher.events, 'hours')).toEqual([]);

    await send(70);
    await close();
    expect(ofWindow(publisher.events, 'hours')).toEqual([]);

    await send(70, 'SFO', 1);
    const report = await close();
    await close();

    expect(ofWindow(publisher.events, 'hours')).toMatchObject([
      { type: 'window.closed', group: { place: 'ATL' }, result: { events: 1 }, revision: 1 },
      { type: 'window.closed', group: { place: 'ORD' }, result: { events: 1 }, revision: 1 },
      { type: 'window.closed', group: { place: 'SFO' }, result: { events: 1 }, revision: 1 },
    ]);
    expect(report).toMatchObject({ forced: 0, throughMs: NOON_MS + 70 * MINUTE_MS });
    expect(ofWindow(publisher.events, 'unwatched')).toEqual([]);
    expect(world.aggregates.items().filter(({ pk }) => pk === '1|revise')).toEqual([]);
  });

  it('does not wait for a writer that is idle, and corrects what that one folds later', async () => {
    const { send, close, publisher, world } = setUp(NOON_MS + HOUR_MS);
    await send(5, 'SFO', 1);
    world.clock.advance(15 * MINUTE_MS);
    await send(71);
    const { forced } = await close();
    await send(30, 'SFO', 1);
    await close();
    await close();

    expect(forced).toBe(1);
    expect(ofWindow(publisher.events, 'hours')).toMatchObject([
      { type: 'window.closed', group: { place: 'SFO' }, result: { events: 1 }, replaces: 0 },
      { type: 'window.corrected', result: { events: 2 }, revision: 2, replaces: 1 },
    ]);
  });

  it('corrects what a writer folds that was not known when the window was closed', async () => {
    const { send, close, publisher } = setUp(NOON_MS + 2 * HOUR_MS);
    await send(5);
    await send(75);
    await close();
    await send(10, 'SFO', 1);
    await close();

    expect(ofWindow(publisher.events, 'hours')).toMatchObject([
      { group: { place: 'ATL' }, revision: 1 },
      { type: 'window.closed', group: { place: 'SFO' }, revision: 2 },
    ]);
  });

  it('tells a writer without an entry at least what was closed before', async () => {
    const { send, close, publisher, world } = setUp(NOON_MS + 68 * MINUTE_MS);
    await send(5);
    await send(71);
    await close();
    // A try of the other partition that registered it and died.
    const [epoch] = world.ledger.items().flatMap(({ pk, sk }) => (pk === REGISTRY_KEY ? [sk] : []));
    const other = registryItem(String(epoch).replace('.p0', '.p1'), world.clock.now());
    await world.ledger.putAll([other], invocation(world));
    // All are idle, and the clock is behind the event time through which windows are closed.
    world.clock.advance(10.5 * MINUTE_MS);
    const { forced, throughMs } = await close();
    await send(10, 'SFO', 1);
    await close();

    expect({ forced, throughMs }).toEqual({ forced: 1, throughMs: NOON_MS + 68 * MINUTE_MS });
    expect(ofWindow(publisher.events, 'hours')).toMatchObject([
      { group: { place: 'ATL' }, revision: 1 },
      { type: 'window.closed', group: { place: 'SFO' }, revision: 2 },
    ]);
  });

  it('closes windows with the clock where no event arrives any more', async () => {
    const { send, close, publisher, world } = setUp(NOON_MS + HOUR_MS);
    await send(59);
    await close();
    world.clock.advance(10 * MINUTE_MS);
    await close();
    expect(publisher.events).toEqual([]);
    world.clock.advance(11 * MINUTE_MS);
    await close();
    expect(ofWindow(publisher.events, 'hours')).toMatchObject([{ result: { events: 1 } }]);
  });

  it('publishes a session when it is over, and withdraws those that a late event joins', async () => {
    const { send, close, publisher, world } = setUp(NOON_MS + HOUR_MS);
    for (const minutes of [0, 4, 12]) await send(minutes, 'SFO', 1);
    world.clock.advance(15 * MINUTE_MS);
    await send(40);
    await close();
    expect(ofWindow(publisher.events, 'runs').map(({ result }) => result)).toEqual([
      { events: 2 },
      { events: 1 },
    ]);
    await send(8, 'SFO', 1);
    await close();

    const [, , ...later] = ofWindow(publisher.events, 'runs');
    expect(later).toMatchObject([
      { type: 'window.corrected', result: { events: 4 }, replaces: 1 },
      { type: 'window.withdrawn', result: null, replaces: 1 },
    ]);
  });

  it('lets readers tell what is open, closed, changing and corrected', async () => {
    const { send, close, world } = setUp(NOON_MS + HOUR_MS);
    const states = async () => {
      const aggregate = program.aggregates[0];
      if (aggregate === undefined) throw new Error('no window');
      const pages = world.aggregates
        .items()
        .filter(({ pk }) => packParts(pk).aggregate === 'hours' && pk.includes('.p'));
      const rows = mergePages(aggregate, pages, (startMs) => startMs === NOON_MS);
      const source = { table: world.aggregates, aggregate, windowMs: NOON_MS };
      return rowStates(rows, await readRevisions(source, { ...world, ...invocation(world) }));
    };
    await send(5, 'SFO', 1);
    const open = await states();
    world.clock.advance(15 * MINUTE_MS);
    await send(71);
    await close();
    const closed = await states();
    await send(30, 'SFO', 1);
    const changing = await states();
    await close();

    expect([open, closed, changing, await states()]).toEqual([
      ['open'],
      ['closed'],
      ['changing'],
      ['corrected'],
    ]);
  });

  it('publishes again what a run left unpublished, with the same ids', async () => {
    const { send, close, publisher } = setUp(NOON_MS + 2 * HOUR_MS);
    await send(5);
    await send(75);
    const asked: WindowEvent[] = [];
    const deaf: Publisher = {
      publish: async (events) => {
        asked.push(...events);
        return events.map(() => ({ status: 'failed', error: new Error('no answer') }));
      },
    };
    await expect(close(deaf)).rejects.toThrow('no answer');
    await send(76, 'SFO', 1);
    await close();
    const first = asked.find(({ window }) => window === 'hours');
    expect(publisher.events.find(({ id }) => id === first?.id)).toEqual(first);
  });

  it('tells in the end what the cells hold, whatever the order of events and runs', async () => {
    const step = fc.oneof(
      fc.record({
        minutes: fc.integer({ min: 0, max: 200 }),
        place: fc.constantFrom('ATL', 'ORD'),
        partition: fc.nat({ max: 1 }),
      }),
      fc.record({ waitMinutes: fc.integer({ min: 1, max: 20 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const { send, close, publisher, world } = setUp(NOON_MS + 4 * HOUR_MS);
        for (const one of steps) {
          if ('waitMinutes' in one) {
            world.clock.advance(one.waitMinutes * MINUTE_MS);
            await close();
          } else await send(one.minutes, one.place, one.partition);
        }
        world.clock.advance(24 * HOUR_MS);
        await close();
        await close();
        expect(await close()).toMatchObject({ windows: 0 });
        for (const { name } of program.aggregates.filter(({ closes }) => closes)) {
          expect(told(publisher.events, name)).toEqual(stored(world, name));
        }
        const ids = publisher.events.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
