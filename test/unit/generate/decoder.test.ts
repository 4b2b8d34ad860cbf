import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { definePipeline } from '#millrace';
import { decode } from '../../../src/core/decode.ts';
import type { AnyPipeline } from '../../../src/core/pipeline/types.ts';
import type { Program } from '../../../src/core/program.ts';
import { loadDecoder } from '../../../src/project/decoder.ts';
import { loadPipeline } from '../../../src/project/discover.ts';
import { DocumentFuzz, FuzzDice, mutate } from '../../helpers/fuzz-documents.ts';
import { ROOT } from '../../helpers/sources.ts';
import { withDecoder } from '../../helpers/with-decoder.ts';

/** Documents in all; MILLRACE_FUZZ=1000000 for a long run. */
const DOCUMENTS = Number(process.env.MILLRACE_FUZZ ?? 50_000);

const windows = ({
  tumbling,
  count,
}: Parameters<Parameters<typeof definePipeline>[0]['windows']>[0]) => ({
  all: tumbling('1 day', { keep: { events: count() } }),
});

/** Every part of zod that is known, and some that are not. */
const zodPipeline = definePipeline({
  name: 'of-zod',
  key: (event) => event.code,
  time: (event) => event.at.getTime(),
  windows,
  schema: z.object({
    code: z.string().length(3),
    at: z.iso.datetime().transform((text) => new Date(text)),
    name: z.string().min(1).max(64).optional(),
    plate: z.string().regex(/^[A-Z]+-?\d*$/),
    whole: z.int(),
    ratio: z.number().min(0).max(1),
    above: z.number().gt(-5).lt(1e300),
    kind: z.enum(['one', 'two', '']),
    fixed: z.literal('1.0'),
    yes: z.boolean(),
    maybe: z.nullable(z.number()),
    inner: z.object({ deep: z.string(), '1': z.number().optional() }),
    either: z.union([z.string(), z.number()]),
    list: z.array(z.number()),
    trimmed: z.string().trim(),
  }),
});

const valibotPipeline = definePipeline({
  name: 'of-valibot',
  format: 'json',
  id: 'code',
  key: 'code',
  time: 'at',
  windows,
  schema: v.object({
    code: v.pipe(v.string(), v.minLength(1), v.maxLength(70)),
    at: v.pipe(v.number(), v.minValue(0), v.maxValue(1e300)),
    place: v.object({ where: v.tuple([v.number(), v.nullable(v.string())]), flag: v.boolean() }),
    doubled: v.pipe(
      v.number(),
      v.transform((value) => value * 2),
    ),
    kind: v.picklist(['one', 'two']),
    note: v.optional(v.string()),
    later: v.optional(v.string(), 'never'),
    any: v.union([v.string(), v.null()]),
    safe: v.pipe(v.number(), v.safeInteger()),
    plate: v.pipe(v.string(), v.regex(/^[A-Z]+$/)),
  }),
});

const envelope = (data: object) => ({
  specversion: '1.0',
  id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  source: '/airline/ops',
  type: 'com.example.event.v1',
  subject: 'ATL-SFO',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  data,
});

const flight = {
  date: '2001-01-01T10:00:00.000Z',
  delay: -12,
  distance: 405.5,
  origin: 'ATL',
  destination: 'SFO',
};

const quake = {
  properties: {
    mag: 1.25,
    time: 1_528_000_000_000,
    place: '5km N of Willow',
    net: 'ak',
    type: 'earthquake',
    tsunami: 0,
  },
  geometry: { coordinates: [-116.5, 33.4, 3.2] },
};

const strike = {
  report: '17',
  day: 631_152_000_000,
  airport: 'BARKSDALE',
  state: 'Louisiana',
  phase: 'Climb',
  species: 'Owl',
  damage: 'None',
  cost: 0,
  speed: null,
};

const ofZod = {
  ...{
    code: 'ABC',
    at: '2026-01-01T00:00:00.000Z',
    name: 'n',
    plate: 'AB-12',
    whole: -7,
    ratio: 0.5,
  },
  ...{ above: 3, kind: 'two', fixed: '1.0', yes: true, maybe: null, inner: { deep: 'x', '1': 2 } },
  ...{ either: 5, list: [1, 2.5], trimmed: ' y ' },
};

const ofValibot = {
  ...{ code: 'c1', at: 5, place: { where: [1, null], flag: false }, doubled: 4.5, kind: 'one' },
  ...{ note: 'n', later: 'l', any: null, safe: 12, plate: 'AB' },
};

async function projectProgram(name: string): Promise<Program> {
  const { pipeline } = await loadPipeline(ROOT, name);
  return withDecoder({ ...pipeline, steps: [] });
}

const SUBJECTS: readonly (readonly [name: string, document: object, program: Program])[] = [
  ['flights', envelope(flight), await projectProgram('flights')],
  ['earthquakes', envelope(quake), await projectProgram('earthquakes')],
  ['birdstrikes', strike, await projectProgram('birdstrikes')],
  ['a schema of zod', envelope(ofZod), await withDecoder(zodPipeline as unknown as AnyPipeline)],
  ['a schema of valibot', ofValibot, await withDecoder(valibotPipeline as unknown as AnyPipeline)],
];

/** What the reference path gives; undefined where it refuses. */
function reference(program: Program, bytes: Uint8Array) {
  try {
    const { data, id, source, originMs } = decode(bytes, program.format);
    const validation = program.validate(data);
    if (!validation.ok || originMs !== undefined) return undefined;
    return { event: validation.event, id, source };
  } catch {
    return undefined;
  }
}

describe.each(SUBJECTS)('the generated decoder of %s', (_name, document, program) => {
  const decodeQuickly = (bytes: Uint8Array) => program.decodeQuickly?.(bytes);

  it('takes what JSON.stringify writes, and gives what the reference path gives', () => {
    const bytes = Buffer.from(JSON.stringify(document));

    const quick = decodeQuickly(bytes);

    expect(quick).toBeDefined();
    expect(isDeepStrictEqual(quick, reference(program, bytes))).toBe(true);
  });

  it('gives nothing, or what the reference path gives, for any document', () => {
    let answered = 0;
    for (let seed = 1; seed <= DOCUMENTS / SUBJECTS.length; seed += 1) {
      const dice = new FuzzDice(seed);
      const fuzz = new DocumentFuzz(dice, dice.one([0, 0.3, 1]));
      const bytes = mutate(Buffer.from(fuzz.text(document)), dice);
      const quick = decodeQuickly(bytes);
      if (quick === undefined) continue;
      answered += 1;
      const expected = reference(program, bytes);
      if (isDeepStrictEqual(quick, expected)) continue;
      expect.fail(
        `seed ${seed}: ${bytes.toString()} gives ${JSON.stringify(quick)}, not ${JSON.stringify(expected)}`,
      );
    }
    // A decoder that never answers would agree as well.
    expect(answered).toBeGreaterThan(DOCUMENTS / SUBJECTS.length / 5);
  }, 600_000);
});

it('tells what goes to the schema library, and why', async () => {
  const { fallbacks } = await loadDecoder(zodPipeline as unknown as AnyPipeline);
  expect(fallbacks).toEqual([
    "either (zod's union, or a check of it)",
    "list (zod's array, or a check of it)",
    "trimmed (zod's string, or a check of it)",
  ]);
  const strange = { ...valibotPipeline, schema: v.object({ toString: v.string() }) };
  expect((await loadDecoder(strange as unknown as AnyPipeline)).fallbacks).toEqual([
    'the whole (a member called toString)',
  ]);
});

it('leaves what an unknown library checks to it', async () => {
  const schema = {
    '~standard': {
      version: 1 as const,
      vendor: 'own',
      validate: (value: unknown) =>
        value === 1 ? { value: { one: 1 } } : { issues: [{ message: 'no' }] },
    },
  };
  const program = await withDecoder({ ...smallJson, schema } as unknown as AnyPipeline);
  expect(program.decodeQuickly?.(Buffer.from('1,'))).toBeUndefined();
  expect(program.decodeQuickly?.(Buffer.from('1'))).toMatchObject({ event: { one: 1 } });
  expect(program.decodeQuickly?.(Buffer.from('2'))).toBeUndefined();
});

const smallJson = { ...valibotPipeline, format: 'json' as const };
