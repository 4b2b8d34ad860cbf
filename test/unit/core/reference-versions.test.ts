import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline, reference } from '#millrace';
import { compile } from '../../../src/core/compile.ts';
import { effectiveVersion, type VersionRows } from '../../../src/core/reference.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { simulatePipeline } from '../../../src/sim/testing.ts';
import { invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';

const HOUR_MS = 3_600_000;
const rowsOf = (region: string) => [{ place: 'ATL', region }];
const FIRST: VersionRows = { fromMs: 0, rows: rowsOf('old') };
const NEXT: VersionRows = { fromMs: NOON_MS, rows: rowsOf('new') };

function pipelineWith(versions: readonly { from: string; file: string }[]) {
  const places = reference({
    name: 'places',
    file: 'places.csv',
    key: 'place',
    schema: v.object({ place: v.string(), region: v.string() }),
    versions,
  });
  return definePipeline({
    name: 'small',
    schema: v.object({ place: v.string(), at: v.number() }),
    key: 'place',
    time: 'at',
    partitions: 1,
    transform: (events) =>
      events.enrich('of', places, { on: 'place' }).map(({ of, at }) => ({ region: of.region, at })),
    windows: ({ tumbling, count }) => ({
      regions: tumbling('1 day', { by: 'region', keep: { events: count() } }),
    }),
  });
}

const pipeline = pipelineWith([{ from: new Date(NOON_MS).toISOString(), file: 'next.csv' }]);
const before = compile(pipelineWith([]), new Map([['places', [FIRST]]]));
const program = compile(pipeline, new Map([['places', [FIRST, NEXT]]]));

describe('a version of a reference', () => {
  it('is effective from an arrival time on', () => {
    expect(effectiveVersion([FIRST, NEXT], NOON_MS - 1)).toBe(FIRST);
    expect(effectiveVersion([FIRST, NEXT], NOON_MS)).toBe(NEXT);
    expect(program.transform({ place: 'ATL', at: 0 }, NOON_MS - 1)).toMatchObject([
      { region: 'old' },
    ]);
    expect(program.transform({ place: 'ATL', at: 0 }, NOON_MS)).toMatchObject([{ region: 'new' }]);
  });

  it('that is announced changes no fingerprint before its time, and that one after it', () => {
    expect(program.fingerprintAt(NOON_MS - 1)).toBe(before.fingerprintAt(NOON_MS - 1));
    expect(program.fingerprintAt(NOON_MS)).not.toBe(before.fingerprintAt(NOON_MS));
    expect(program.fingerprintAt(NOON_MS)).toContain(program.fingerprint);
  });

  it.each([
    ['without a zone', [{ from: '2026-12-01T00:00:00', file: 'a.csv' }], 'zone'],
    [
      'out of order',
      [
        { from: '2026-12-01T00:00:00Z', file: 'a.csv' },
        { from: '2026-11-01T00:00:00Z', file: 'b.csv' },
      ],
      'later than',
    ],
    ['of another kind of file', [{ from: '2026-12-01T00:00:00Z', file: 'a.xml' }], '.csv'],
  ])('%s is refused', (_name, versions, says) => {
    expect(() => pipelineWith(versions)).toThrow(says);
  });

  it('decides by arrival in every try: results under faults are those without', async () => {
    const references = new Map([['places', [FIRST, NEXT]]]);
    const events = Array.from({ length: 20 }, (_, index) => ({
      data: { place: 'ATL', at: NOON_MS - HOUR_MS + index },
    }));
    const test = { events, references, startMs: NOON_MS - 1_000 };
    const calm = await simulatePipeline(pipeline, test);
    expect(calm.windows.regions).toMatchObject([
      { region: 'new', events: 10 },
      { region: 'old', events: 10 },
    ]);
    expect(calm.windows).toEqual(
      (await simulatePipeline(pipeline, { ...test, faults: 'all' })).windows,
    );
  }, 60_000);

  it('that was deployed too late is refused before anything is written', async () => {
    const world = makeWorld(NOON_MS + HOUR_MS);
    const event = (sequence: number, arrivalMs: number) =>
      record({ sequence, arrivalMs, data: { place: 'ATL', at: NOON_MS } });
    await makeConsume(world, before)({ Records: [event(1, NOON_MS + 5)] }, invocation(world));
    const stored = world.aggregates.items();

    const late = makeConsume(world, program);
    const batch = { Records: [event(2, NOON_MS + 10)] };
    await expect(late(batch, invocation(world))).rejects.toThrow('later `from`');
    expect(world.aggregates.items()).toEqual(stored);
  });

  it('that was deployed in time goes on', async () => {
    const world = makeWorld(NOON_MS + HOUR_MS);
    const event = (sequence: number, arrivalMs: number) =>
      record({ sequence, arrivalMs, data: { place: 'ATL', at: NOON_MS - HOUR_MS } });
    await makeConsume(world, before)({ Records: [event(1, NOON_MS - 5)] }, invocation(world));
    const { report } = await makeConsume(world, program)(
      { Records: [event(2, NOON_MS + 5)] },
      invocation(world),
    );
    expect(report.accepted).toBe(1);
  });
});
