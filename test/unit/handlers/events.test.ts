import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import type { EventLayout, Program } from '../../../src/core/program.ts';
import { REGISTRY_KEY } from '../../../src/core/registry.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { IdKey } from '../../../src/handlers/id-key.ts';
import { eventById, eventsOfKey } from '../../../src/handlers/read-events.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const MINUTE_MS = 60_000;
const compiled = compile(smallPipeline);

function programWith(events: EventLayout): Program {
  return { ...compiled, settings: { ...compiled.settings, events } };
}

function events(from: number, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const sequence = from + index;
    const place = ['ATL', 'ORD', 'SFO'][sequence % 3];
    return record({
      sequence,
      id: `id-${sequence}`,
      data: { place, at: NOON_MS - (sequence % 50) * MINUTE_MS, amount: sequence },
    });
  });
}

async function lookUp(world: World, program: Program) {
  const context = { clock: world.clock, random: world.random, deadlineMs: Infinity };
  const registered = world.ledger.items().filter(({ pk }) => pk === REGISTRY_KEY);
  const source = {
    events: world.events,
    settings: program.settings,
    writers: registered.map(({ sk }) => sk),
  };
  const idKey = await new IdKey(world.ledger, world.random).current(context);
  return {
    byKey: (key: string, fromMs: number, toMs: number) =>
      eventsOfKey(source, { key, fromMs, toMs }, context),
    byId: (id: string) => eventById(source, { source: 'urn:test', id, idKey }, context),
  };
}

const LAYOUTS = [
  { layout: 'each', index: true },
  { layout: 'packed', index: true },
] as const;

describe.each(LAYOUTS)('events kept $layout', (layout) => {
  const program = programWith(layout);

  it('are found by key and time, and by id, also when a try packed them otherwise', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);
    const all = events(1, 330);
    const failing: World = {
      ...world,
      ledger: {
        ...world.ledger,
        putIf: async (writes, options) =>
          writes.some(({ item }) => item.sk.startsWith('e#'))
            ? writes.map(() => ({ status: 'failed', error: new Error('refused') }))
            : world.ledger.putIf(writes, options),
      },
    };
    await makeConsume(failing, program)({ Records: all.slice(0, 170) }, invocation(world, 5_000));
    await consume({ Records: all.slice(0, 200) }, invocation(world));
    await consume({ Records: all.slice(200) }, invocation(world));
    const { byKey, byId } = await lookUp(world, program);

    const found = await byKey('ORD', NOON_MS - 10 * MINUTE_MS, NOON_MS + 1);
    const expected = all.flatMap((_, index) => {
      const sequence = index + 1;
      return sequence % 3 === 1 && sequence % 50 <= 10 ? [`urn:test id-${sequence}`] : [];
    });

    expect(new Set(found.map(({ name }) => name))).toEqual(new Set(expected));
    expect(found).toHaveLength(expected.length);
    expect(JSON.parse((await byId('id-77'))?.rows ?? '')).toMatchObject([{ amount: 77 }]);
    expect(await byId('id-9999')).toBeUndefined();
    expect(await byKey('nowhere', 0, NOON_MS * 2)).toEqual([]);
  });

  it('are not given back once they have expired', async () => {
    const world = makeWorld();
    await makeConsume(world, program)({ Records: events(1, 3) }, invocation(world));
    world.clock.advance(25 * 60 * MINUTE_MS);
    const { byKey, byId } = await lookUp(world, program);
    expect(await byKey('ORD', 0, NOON_MS * 2)).toEqual([]);
    expect(await byId('id-1')).toBeUndefined();
  });
});

it('events far apart in time are in chunks that are still found', async () => {
  const program = programWith({ layout: 'packed', index: true });
  const world = makeWorld();
  const spread = [0, 1, 30, 2_000, 40_000].map((minutes, index) =>
    record({
      sequence: index + 1,
      data: { place: 'ATL', at: NOON_MS - 40_000 * MINUTE_MS + minutes * MINUTE_MS, amount: index },
    }),
  );
  await makeConsume(world, program)({ Records: spread }, invocation(world));
  const { byKey } = await lookUp(world, program);
  const found = await byKey('ATL', NOON_MS - 38_001 * MINUTE_MS, NOON_MS - 37_999 * MINUTE_MS);
  expect(found.map(({ rows }) => JSON.parse(rows))).toMatchObject([[{ amount: 3 }]]);
});

it('an index that is left out costs nothing', async () => {
  const units = async (layout: EventLayout) => {
    const world = makeWorld();
    await makeConsume(world, programWith(layout))({ Records: events(1, 100) }, invocation(world));
    return world.events.usage.writeUnits;
  };
  expect(await units({ layout: 'each', index: false })).toBe(100);
  expect(await units({ layout: 'each', index: true })).toBeGreaterThan(100);
  expect(await units({ layout: 'packed', index: false })).toBeLessThan(
    await units({ layout: 'packed', index: true }),
  );
});
