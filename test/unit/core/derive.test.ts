import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { compile } from '../../../src/core/compile.ts';
import { decode } from '../../../src/core/decode.ts';
import {
  DERIVED_BYTES_MAX,
  DERIVED_ID_BYTES_MAX,
  derive,
  derivedId,
} from '../../../src/core/derive.ts';
import { Refusal } from '../../../src/core/rejection.ts';
import { fedPipeline, feedingPipeline } from '../../helpers/stage-pipelines.ts';
import { NOON_MS } from '../../helpers/world.ts';

const program = compile(feedingPipeline);
const SOURCE = { name: 'urn:test e1', timeMs: NOON_MS, arrivalMs: NOON_MS + 5 };
const row = (amount: number, place = 'ATL') => ({ place, at: NOON_MS, amount });

/** Sources have no spaces in them, ids may. */
const names = fc
  .tuple(
    fc.stringMatching(/^[^\s]{0,40}$/),
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 250, maxLength: 300 })),
  )
  .map(([source, id]) => `${source} ${id}`)
  .filter((name) => name.isWellFormed());

function refusal(run: () => unknown): Refusal['rejection'] | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.rejection;
    throw error;
  }
}

describe('derived ids', () => {
  it('are the same for the same event and row, short, and distinct otherwise', () => {
    const index = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(names, index, names, index, (name, at, other, otherAt) => {
        const id = derivedId(name, at);
        expect(derivedId(name, at)).toBe(id);
        expect(Buffer.byteLength(id)).toBeLessThanOrEqual(DERIVED_ID_BYTES_MAX);
        const same = name === other && at === otherAt;
        expect(derivedId(other, otherAt) === id).toBe(same);
      }),
    );
  });

  it('name their event as long as it is short, and never meet a hashed one', () => {
    expect(derivedId('urn:test e1', 0)).toBe('urn:test e1 0');
    const hashed = derivedId(`urn:test ${'x'.repeat(300)}`, 3);
    expect(hashed).toMatch(/^[0-9a-f]{32} 3$/);
    // An event without a source whose id is that hash.
    expect(derivedId(` ${hashed.slice(0, 32)}`, 3)).not.toBe(hashed);
  });
});

describe('derived events', () => {
  it('are CloudEvents with the data, key and origin of their row', () => {
    const [event, ...rest] = derive(program, SOURCE, [row(10), row(35.5)]);

    expect(rest).toEqual([]);
    expect(event).toMatchObject({ output: 'large', key: '3' });
    expect(JSON.parse(Buffer.from(event?.bytes ?? []).toString())).toEqual({
      specversion: '1.0',
      id: 'urn:test e1 1',
      source: 'urn:millrace:feeding:large',
      type: 'feeding.large',
      time: new Date(NOON_MS).toISOString(),
      datacontenttype: 'application/json',
      originms: String(NOON_MS + 5),
      data: { place: 'ATL', at: NOON_MS, tens: 3, amount: 35.5 },
    });
  });

  it('are read by the pipeline that is fed, with their origin', () => {
    const [event] = derive(program, SOURCE, [row(35)]);
    expect(decode(event?.bytes ?? new Uint8Array(), 'cloudevents')).toMatchObject({
      id: 'urn:test e1 0',
      source: 'urn:millrace:feeding:large',
      originMs: NOON_MS + 5,
    });
  });

  it('are the same bytes whenever they are made', () => {
    const rows = fc.array(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => row(one)),
    );
    fc.assert(
      fc.property(rows, (some) => {
        expect(derive(program, SOURCE, some)).toEqual(derive(program, SOURCE, some));
      }),
    );
  });

  it.each<[string, object, string]>([
    ['a function that throws', { event: () => JSON.parse('{') }, 'transform'],
    ['data that is no object', { event: () => 7 }, 'transform'],
    ['data that JSON has no form of', { event: () => ({ big: 1n }) }, 'transform'],
    ['a key that is none', { key: () => Number.NaN }, 'transform'],
    ['too much', { event: () => ({ text: 'x'.repeat(DERIVED_BYTES_MAX) }) }, 'too-large'],
  ])('refuse their source event: %s', (_name, over, reason) => {
    const { large } = feedingPipeline.outputs;
    const broken = compile({
      ...feedingPipeline,
      outputs: { large: { ...large, ...over } as never },
    });
    expect(refusal(() => derive(broken, SOURCE, [row(35)]))).toMatchObject({ reason });
  });
});

describe('fedBy', () => {
  it.each<[string, object, string]>([
    ['fedBy', { fedBy: 'feeding' }, 'a list of the names of other pipelines'],
    ['fedBy', { fedBy: ['fed'] }, 'a list of the names of other pipelines'],
    ['fedBy', { fedBy: ['Feeding'] }, 'a list of the names of other pipelines'],
    ['format', { fedBy: ['feeding'], format: 'json' }, "'cloudevents' with fedBy"],
    ['partitions', { fedBy: ['feeding'], partitions: 'shard' }, 'a number with fedBy'],
  ])('is refused where %s is wrong, saying what is allowed', (path, wrong, says) => {
    const { name, schema, windows } = fedPipeline;
    const options = { name, schema, key: 'tens', time: 'at', windows: () => windows, ...wrong };
    expect(() => definePipeline(options as never)).toThrow(`fed.${path}: `);
    expect(() => definePipeline(options as never)).toThrow(says);
  });
});

/** A pipeline with outputs that may be wrong on purpose. */
function withOutputs(outputs: unknown) {
  const { name, schema, windows } = feedingPipeline;
  const options = { name, schema, key: 'place', time: 'at', outputs, windows: () => windows };
  return definePipeline(options as never);
}

describe('outputs', () => {
  const { large } = feedingPipeline.outputs;

  it('are typed by the rows of the transform', () => {
    definePipeline({
      name: 'typed',
      schema: v.object({ place: v.string(), at: v.number() }),
      key: 'place',
      time: 'at',
      transform: (events) => events.map(({ place, at }) => ({ town: place, hour: at % 24 })),
      outputs: ({ to }) => ({
        towns: to('other', { key: 'town', event: ({ town, hour }) => ({ town, hour }) }),
        // @ts-expect-error: the transform left no place
        places: to('other', { key: 'place', event: (town) => town }),
        // @ts-expect-error: nor has the row one
        others: to('other', { key: 'town', event: ({ place }) => ({ place }) }),
      }),
      windows: ({ tumbling, count }) => ({
        towns: tumbling('1 hour', { by: 'town', keep: { events: count() } }),
      }),
    });
  });

  it('of a pipeline without transform are typed by the event, and need no windows', () => {
    const { outputs, windows } = definePipeline({
      name: 'bare',
      schema: v.object({ place: v.string(), at: v.number() }),
      key: 'place',
      time: 'at',
      outputs: ({ to }) => ({
        all: to('other', { key: 'place', event: ({ place, at }) => ({ place, at }) }),
      }),
      windows: () => ({}),
    });
    expect(Object.keys(outputs)).toEqual(['all']);
    expect(windows).toEqual({});
  });

  it.each<[string, object, string]>([
    ['outputs.large-ones', { 'large-ones': large }, 'letters and digits'],
    ['outputs.large', { large: { ...large, to: 'Fed' } }, 'the name of another pipeline'],
    ['outputs.large', { large: { ...large, to: 'feeding' } }, 'one that feeds itself'],
    ['outputs.large', { large: null }, 'to(…)'],
    ['outputs.large.where', { large: { ...large, where: 7 } }, 'a function of the row'],
    ['outputs.large.key', { large: { ...large, key: '' } }, 'the name of a field'],
    ['outputs.large.event', { large: { ...large, event: 'place' } }, 'a function of the row'],
    [
      'outputs',
      Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`o${index}`, large])),
      'at most 10',
    ],
    ['outputs', [], 'an object of outputs by name'],
  ])('a wrong %s is refused, saying what is allowed', (path, outputs, says) => {
    expect(() => withOutputs(() => outputs)).toThrow(`feeding.${path}: `);
    expect(() => withOutputs(() => outputs)).toThrow(says);
  });

  it('are a function, whose options are checked', () => {
    expect(() => withOutputs({ large })).toThrow('a function that gives outputs by name');
    const wrong = ({ to }: { to: (...options: unknown[]) => unknown }) => ({
      large: to('fed', { ...large, when: () => true }),
    });
    expect(() => withOutputs(wrong)).toThrow(/options of to.*where/);
  });
});
