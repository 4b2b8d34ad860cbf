import * as v from 'valibot';
import { definePipeline } from '#millrace';
import type { AnyPipeline } from '../../../src/core/pipeline/types.ts';
import { NOON_MS } from '../../helpers/world.ts';

/** What an event says; the transform does with it as it says. */
interface Asked {
  readonly key?: string;
  readonly at?: unknown;
  readonly label?: string;
  readonly amount?: unknown;
  readonly note?: string;
  readonly copies?: number;
  readonly fails?: 'error' | 'text' | 'bigint' | 'where' | 'key' | 'nan';
}

const schema = v.looseObject({ key: v.string(), at: v.any() });

/** A pipeline whose events say what goes wrong with them. */
export const shapesPipeline = definePipeline({
  name: 'shapes',
  schema,
  key: (event) => (event.fails === 'key' ? ({} as never) : event.key),
  time: (event) => event.at,
  partitions: 1,
  lateness: '1 hour',
  transform: (events) =>
    events.flatMap((event): Asked[] => {
      if (event.fails === 'error') throw new RangeError('x'.repeat(400));
      // biome-ignore lint/style/useThrowOnlyError: users throw what they like.
      if (event.fails === 'text') throw 'text';
      const row: Asked = {
        ...event,
        ...(event.fails === 'nan' ? { label: Number.NaN as never } : {}),
      };
      const rows = Array.from({ length: Number(event.copies ?? 1) }, () => row);
      return event.fails === 'bigint' ? [{ ...row, amount: 1, note: 1n as never }] : rows;
    }),
  windows: ({ tumbling, count, sum }) => ({
    labels: tumbling('1 hour', {
      by: 'label' as never,
      where: ({ fails }) => {
        if (fails === 'where') throw new Error('where');
        return true;
      },
      keep: { events: count(), total: sum('amount' as never) },
    }),
  }),
  retention: { events: '1 day' },
});

const strict = definePipeline({
  name: 'strict',
  schema: v.strictObject(
    Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`f${index}`, v.number()])),
  ),
  key: () => 'one',
  time: () => NOON_MS,
  partitions: 1,
  windows: ({ tumbling, count }) => ({ all: tumbling('1 hour', { keep: { events: count() } }) }),
});

const waiting = definePipeline({
  name: 'waiting',
  schema: v.pipeAsync(
    v.object({ at: v.number() }),
    v.checkAsync(async () => true),
  ),
  key: () => 'one',
  time: 'at',
  partitions: 1,
  windows: ({ tumbling, count }) => ({ all: tumbling('1 hour', { keep: { events: count() } }) }),
});

const bare = definePipeline({
  name: 'bare',
  format: 'json',
  schema: v.looseObject({ at: v.number() }),
  id: 'name' as never,
  key: () => 'one',
  time: 'at',
  partitions: 1,
  windows: ({ tumbling, count }) => ({ all: tumbling('1 hour', { keep: { events: count() } }) }),
  retention: { events: '1 day' },
});

/** What is expected of a record: accepted, a repeat, or refused: why, where, which path. */
type Expected = 'accepted' | 'repeat' | readonly [reason: string, stage: string, path: string];

/** A record, and what has to become of it. */
export interface Case {
  readonly bytes: Uint8Array;
  readonly expected: Expected;
  /** Default `p-0`. */
  readonly partitionKey?: string;
  /** Default noon. */
  readonly arrivalMs?: number;
  /** What the document says besides; default: source and id of the envelope, and the time. */
  readonly tells?: Readonly<Record<string, unknown>>;
}

const TIME_MAX_MS = 8.64e15 - 3.2e12;
const ROWS_BYTES = 390 * 1024;
const LONE = '\ud800';

/** Numbers the ids of one batch. */
let made = 0;

function event(
  asked: Asked,
  expected: Expected,
  over: Readonly<Record<string, unknown>> = {},
): Case {
  made += 1;
  const data = { key: 'k', at: NOON_MS, label: 'a', amount: 1, ...asked };
  const whole = {
    specversion: '1.0',
    id: `e${made}`,
    source: 'urn:test',
    type: 'test',
    data,
    ...over,
  };
  const at = Number(data.at);
  const isTime = Number.isSafeInteger(at) && Math.abs(at) <= 8.64e15;
  const { source, id } = whole;
  return {
    bytes: Buffer.from(JSON.stringify(whole)),
    expected,
    tells: {
      ...(isTime ? { eventTime: new Date(at).toISOString() } : {}),
      source: String(source).slice(0, 300),
      id: String(id).slice(0, 300),
    },
  };
}

function raw(bytes: Uint8Array, expected: Expected, tells: Case['tells'] = {}): Case {
  return { bytes, expected, tells };
}

/** A note that makes the rows' JSON so many bytes. */
function noted(bytes: number, character = 'x'): Asked {
  const row = { key: 'k', at: NOON_MS, label: 'a', amount: 1, note: '' };
  const room = bytes - Buffer.byteLength(JSON.stringify([row]));
  const count = Math.floor(room / Buffer.byteLength(character));
  return {
    note: character.repeat(count) + 'x'.repeat(room - count * Buffer.byteLength(character)),
  };
}

const UNDECODABLE: Expected = ['not-decodable', 'decode', ''];

function limits(): readonly Case[] {
  const envelope = (over: object) =>
    event({}, ['not-decodable', 'decode', Object.keys(over)[0] ?? ''], { ...over });
  const without = ({ bytes, expected }: Case): Case => raw(bytes, expected);
  const labelled = (label: string, expected: Expected) => event({ label }, expected);
  const named = (length: number, expected: Expected, character = 'i') =>
    event({}, expected, { id: character.repeat(length / character.length) });
  const tooLong: Expected = ['too-large', 'plan', 'label'];
  return [
    raw(Buffer.from('{"half'), UNDECODABLE),
    raw(Buffer.from([0x7b, 0xff, 0x7d]), UNDECODABLE),
    raw(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), UNDECODABLE),
    raw(Buffer.from('[]'), UNDECODABLE),
    without(envelope({ specversion: '0.3' })),
    without(envelope({ id: 7 })),
    without(envelope({ id: LONE })),
    without(envelope({ source: '' })),
    without(envelope({ source: 'a b' })),
    without(envelope({ type: undefined })),
    without(envelope({ data: undefined })),
    // The earliest time first: it is late for nothing yet.
    event({ at: -TIME_MAX_MS }, 'accepted'),
    event({ at: -TIME_MAX_MS - 1 }, ['transform', 'time', '']),
    event({ at: 'noon' }, ['transform', 'time', '']),
    event({ at: NOON_MS + 0.5 }, 'accepted'),
    event({ at: NOON_MS + 300_000 }, 'accepted'),
    event({ at: NOON_MS + 300_001 }, ['future', 'time', '']),
    event({ at: NOON_MS - 7_200_000 - 1 }, ['late', 'plan', '']),
    event({ at: NOON_MS - 7_200_000, copies: 0 }, 'accepted'),
    labelled('x'.repeat(1_020), 'accepted'),
    labelled('x'.repeat(1_021), tooLong),
    labelled('é'.repeat(510), 'accepted'),
    labelled(`${'é'.repeat(510)}x`, tooLong),
    labelled('日'.repeat(340), 'accepted'),
    labelled(`${'日'.repeat(340)}x`, tooLong),
    labelled('日'.repeat(400), tooLong),
    named(2_039, 'accepted'),
    named(2_040, ['too-large', 'plan', 'id']),
    named(1_020, ['too-large', 'plan', 'id'], 'ééé'),
    event(noted(ROWS_BYTES), 'accepted'),
    event(noted(ROWS_BYTES + 1), ['too-large', 'plan', '']),
    event(noted(ROWS_BYTES, '日'), 'accepted'),
    event(noted(ROWS_BYTES + 1, '日'), ['too-large', 'plan', '']),
    event({ note: LONE }, 'accepted'),
    event({ key: `k${LONE}` }, ['schema', 'plan', '']),
    event({ fails: 'error' }, ['transform', 'transform', '']),
    event({ fails: 'text' }, ['transform', 'transform', '']),
    event({ fails: 'bigint' }, ['transform', 'transform', '']),
    event({ fails: 'where' }, ['transform', 'transform', '']),
    event({ fails: 'key' }, ['transform', 'transform', '']),
    event({ fails: 'nan' }, ['transform', 'transform', '']),
    event({ label: 7.5 as never }, 'accepted'),
    event({ label: true as never }, 'accepted'),
    event({ label: null as never }, 'accepted'),
    event({ label: ['list'] as never }, ['transform', 'transform', '']),
    event({ amount: 'much' }, ['transform', 'transform', '']),
    event({ label: LONE }, 'accepted'),
    event({ key: 7 as never }, ['schema', 'validate', 'key']),
    ...['p-1', 'p-00', 'p-', 'p-0 ', ' p-0', 'q-0', 'p--1', 'p-10000', ''].map((partitionKey) =>
      stray(event({}, ['unknown-partition', 'decode', 'partitionKey']), partitionKey),
    ),
  ].map((one) =>
    one.expected !== 'accepted' && one.expected[1] === 'validate' ? withoutTime(one) : one,
  );
}

/** Nothing is read of it. */
function stray(one: Case, partitionKey: string): Case {
  return { ...one, partitionKey, tells: {} };
}

function withoutTime({ tells: { eventTime: _time, ...tells } = {}, ...one }: Case): Case {
  return { ...one, tells };
}

/** A fan-out beside its limit costs much; so it stands alone. */
function fans(): readonly Case[] {
  return [
    event({ copies: 3_000, label: '' }, 'accepted'),
    event({ copies: 10_001, label: 'b' }, ['too-large', 'plan', '']),
    event({ copies: 10_000, label: 'c', fails: 'bigint' }, ['transform', 'transform', '']),
  ];
}

function issues(): readonly Case[] {
  const wrong = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`f${index}`, 'x']));
  const whole = { specversion: '1.0', id: 'wrong', source: 'urn:test', type: 'test', data: wrong };
  const tells = { source: 'urn:test', id: 'wrong' };
  return [raw(Buffer.from(JSON.stringify(whole)), ['schema', 'validate', 'f0'], tells)];
}

function nameless(): readonly Case[] {
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const timed = { eventTime: new Date(NOON_MS).toISOString() };
  return [
    raw(json({ at: NOON_MS }), 'accepted'),
    raw(json({ at: NOON_MS }), 'accepted'),
    raw(json({ at: NOON_MS, name: 'a' }), 'accepted'),
    raw(json({ at: NOON_MS, name: 'a' }), 'repeat'),
    raw(json({ at: NOON_MS, name: 'a', more: 1 }), ['id-conflict', 'deduplicate', 'id'], {
      ...timed,
      id: 'a',
    }),
    raw(json({ at: NOON_MS, name: '' }), ['schema', 'validate', ''], {}),
    raw(json({ at: NOON_MS, name: 7 }), ['schema', 'validate', ''], {}),
    raw(json({ at: NOON_MS }), 'accepted'),
  ];
}

/** The first moments of time. */
function early(): readonly Case[] {
  return [
    { ...event({ at: 1 }, 'accepted'), arrivalMs: 1 },
    { ...event({ at: 300_002 }, 'accepted'), arrivalMs: 2 },
    { ...event({ at: 300_003 }, ['future', 'time', '']), arrivalMs: 2 },
  ];
}

/** More refused bytes than an object of the quarantine holds; what is not large goes along with it. */
function large(): readonly Case[] {
  const bytes = Buffer.alloc(900_000, '{');
  return [
    ...Array.from({ length: 15 }, () => raw(bytes, UNDECODABLE)),
    event({}, 'accepted'),
    ...Array.from({ length: 3 }, () => raw(Buffer.from('{'), UNDECODABLE)),
  ];
}

/** What a handler is given at once, and of which pipeline. */
export interface ShapeBatch {
  readonly pipeline: AnyPipeline;
  readonly cases: readonly Case[];
}

/** Each batch on its own. */
export const SHAPE_BATCHES: readonly ShapeBatch[] = [
  { pipeline: shapesPipeline, cases: limits() },
  { pipeline: shapesPipeline, cases: fans() },
  { pipeline: shapesPipeline, cases: early() },
  { pipeline: shapesPipeline, cases: large() },
  { pipeline: strict, cases: issues() },
  // A schema that answers with a promise can't be asked.
  { pipeline: waiting, cases: [withoutTime(event({}, ['schema', 'validate', '']))] },
  { pipeline: bare, cases: nameless() },
];
