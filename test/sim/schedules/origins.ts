import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { compile } from '../../../src/core/compile.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';
import { murmur3of32, sipHash24 } from './stored/hashes.ts';
import { idsIn } from './stored/ledger.ts';

const MINUTE_MS = 60_000;
const HORIZON_MS = 10 * MINUTE_MS;
/** How far the clocks of two streams may differ. */
const SKEW_MS = 5 * MINUTE_MS;
/** A stream's retention, and half an hour under way. */
const LOOKBACK_MS = 24.5 * 60 * MINUTE_MS;
const BELIEVED = 'urn:millrace:feeding:large';

const program = compile(
  definePipeline({
    name: 'fed',
    schema: v.object({ place: v.string(), at: v.number() }),
    key: 'place',
    time: 'at',
    partitions: 2,
    lateness: '7 days',
    deduplication: '10 minutes',
    fedBy: ['other', 'feeding'],
    windows: ({ tumbling, count }) => ({ days: tumbling('1 day', { keep: { events: count() } }) }),
  }),
);

const CASES: readonly (() => Promise<readonly string[]>)[] = [
  borders,
  sources,
  forms,
  contents,
  together,
  reading,
];

/** Copies of derived events, on both sides of each border of how far back they are looked for. */
export const ORIGINS: Schedule = {
  name: 'origins',
  scene: true,
  seeds: CASES.length,
  run: async (seed) => CASES[seed % CASES.length]?.() ?? [],
};

interface Derived {
  readonly arrivalMs: number;
  readonly id?: string;
  readonly source?: string;
  readonly origin?: unknown;
  readonly place?: string;
}

function recordOf({ arrivalMs, id = 'a', source = BELIEVED, origin, place = 'ATL' }: Derived) {
  const data = { place, at: NOON_MS };
  const event = { specversion: '1.0', id, source, type: 't', originms: origin, data };
  return record({ sequence: arrivalMs, bytes: Buffer.from(JSON.stringify(event)), arrivalMs });
}

/** A container that knows nothing, at the time at which the last one arrives. */
async function take(world: World, ...events: readonly Derived[]) {
  const lastMs = Math.max(...events.map(({ arrivalMs }) => arrivalMs));
  world.clock.advance(Math.max(0, lastMs - world.clock.now()));
  const Records = events.map(recordOf);
  const { report } = await makeConsume(world, program)({ Records }, invocation(world));
  return report;
}

/** What becomes of a copy after its first one, with an entry of another event in between. */
async function copy(first: Derived, second: Derived): Promise<string> {
  const world = makeWorld();
  await take(world, first);
  await take(world, { arrivalMs: first.arrivalMs + 1, id: 'b', source: 'urn:test' });
  const { duplicates, accepted, quarantined } = await take(world, second);
  if (quarantined > 0) return 'conflict';
  return duplicates === 1 && accepted === 0 ? 'repeat' : 'new';
}

/** The origin, or none, and how long before the copy the first one came at most. */
const BORDERS: readonly (readonly [originAgeMs: number | undefined, backMs: number])[] = [
  [undefined, HORIZON_MS],
  [MINUTE_MS, HORIZON_MS],
  [SKEW_MS, HORIZON_MS],
  [SKEW_MS + 1, HORIZON_MS + 1],
  [3 * HORIZON_MS, 3 * HORIZON_MS + SKEW_MS],
  [LOOKBACK_MS - SKEW_MS, LOOKBACK_MS],
  [LOOKBACK_MS, LOOKBACK_MS],
  [NOON_MS, LOOKBACK_MS],
  [-MINUTE_MS, HORIZON_MS],
];

async function borders(): Promise<readonly string[]> {
  const arrivalMs = NOON_MS + LOOKBACK_MS;
  const found: string[] = [];
  for (const [originAgeMs, backMs] of BORDERS) {
    const origin = originAgeMs === undefined ? undefined : String(arrivalMs - originAgeMs);
    for (const [offMs, expected] of [
      [0, 'repeat'],
      [1, 'new'],
    ] as const) {
      const first = { arrivalMs: arrivalMs - backMs - offMs, origin };
      const became = await copy(first, { arrivalMs, origin });
      found.push(...differs(`made ${originAgeMs} ms ago, ${backMs + offMs} ms`, became, expected));
    }
  }
  return found;
}

/** An origin counts of the pipelines that feed this one, and of nobody else. */
async function sources(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [source, expected] of [
    ['urn:millrace:feeding:large', 'repeat'],
    ['urn:millrace:other:', 'repeat'],
    ['urn:millrace:feeding', 'new'],
    ['urn:millrace:feed:large', 'new'],
    ['x-urn:millrace:feeding:', 'new'],
    ['urn:test', 'new'],
  ] as const) {
    const one = { source, origin: String(NOON_MS), arrivalMs: NOON_MS };
    const became = await copy(one, { ...one, arrivalMs: NOON_MS + 3 * HORIZON_MS });
    found.push(...differs(`of ${source}`, became, expected));
  }
  return found;
}

/** What is no time in digits is no origin. */
async function forms(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [origin, expected] of [
    ['000000000000000', 'repeat'],
    [`00${NOON_MS}`, 'repeat'],
    ['0', 'repeat'],
    [`000${NOON_MS}`, 'new'],
    [NOON_MS, 'new'],
    ['', 'new'],
    [` ${NOON_MS}`, 'new'],
    [`${NOON_MS}x`, 'new'],
    ['999999999999999', 'new'],
  ] as const) {
    const one = { origin, arrivalMs: NOON_MS };
    const became = await copy(one, { ...one, arrivalMs: NOON_MS + 3 * HORIZON_MS });
    found.push(...differs(`an origin of ${JSON.stringify(origin)}`, became, expected));
  }
  return found;
}

/** A derived event is its data, another one its bytes; the ledger has a check of either. */
async function contents(): Promise<readonly string[]> {
  const found: string[] = [];
  const at = { arrivalMs: NOON_MS, origin: String(NOON_MS) };
  const later = { arrivalMs: NOON_MS + 5, origin: String(NOON_MS + 5) };
  for (const [name, first, second, expected] of [
    ['another origin', at, later, 'repeat'],
    ['other data', at, { ...later, place: 'ORD' }, 'conflict'],
    ['other data under one hash', at, { ...at, arrivalMs: NOON_MS + 5, place: 'ORD' }, 'conflict'],
    ['of others', { ...at, source: 'urn:x' }, { ...later, source: 'urn:x' }, 'conflict'],
  ] as const) {
    found.push(...differs(name, await copy(first, second), expected));
  }
  const world = makeWorld();
  await take(world, at, { ...later, id: 'b', origin: undefined });
  const items = world.ledger.items();
  const key = items.find(({ pk }) => pk === 'id-key')?.k;
  const entry = items.find(({ sk }) => sk.startsWith('e#'));
  if (!(key instanceof Uint8Array)) return ['no key of ids'];
  const id = (name: string, bytes: Uint8Array, arrivalMs: number) => [
    sipHash24(key, Buffer.from(`${BELIEVED} ${name}`)).toString(16),
    murmur3of32(bytes) >>> 8,
    arrivalMs,
  ];
  const whole = recordOf({ ...later, id: 'b', origin: undefined }).kinesis.data;
  return [
    ...found,
    ...differs('ids', idsIn(entry?.i, Number(entry?.a)), [
      id('a', Buffer.from(JSON.stringify({ place: 'ATL', at: NOON_MS })), NOON_MS),
      id('b', Buffer.from(whole, 'base64'), NOON_MS + 5),
    ]),
  ];
}

/** Copies that reach back differently far, in one batch: each is found, or new, by its own origin. */
async function together(): Promise<readonly string[]> {
  const world = makeWorld();
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const atMs = (index: number) => NOON_MS + 2 * index * HORIZON_MS;
  for (const [index, id] of ids.entries()) {
    await take(world, { id, arrivalMs: atMs(index), origin: String(atMs(index)) });
  }
  const arrivalMs = atMs(ids.length + 1);
  const copies = ids.map((id, index) => ({
    id,
    arrivalMs: arrivalMs + index,
    // Those of the second and fourth are made long after their first ones came.
    origin: String(atMs(index) + (index % 2) * 1.5 * HORIZON_MS),
  }));
  const fresh = { id: 'f', arrivalMs: arrivalMs + 9, origin: String(NOON_MS) };
  const { accepted, duplicates } = await take(world, ...copies, fresh);
  return differs('together', { accepted, duplicates }, { accepted: 3, duplicates: 3 });
}

/** Nothing is read that can't matter: a page of a hundred entries where the copy is near, and once for all. */
async function reading(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [entriesBack, queries] of [
    [40, 2],
    [150, 3],
  ] as const) {
    const world = makeWorld();
    for (let n = 0; n < 250; n += 1) {
      const arrivalMs = NOON_MS + n * MINUTE_MS;
      await take(world, { id: `n${n}`, arrivalMs, origin: String(arrivalMs) });
    }
    let asked = 0;
    const query: World['ledger']['query'] = (one, options) => {
      if (one.descending === true) asked += 1;
      return world.ledger.query(one, options);
    };
    const watched = { ...world, ledger: { ...world.ledger, query } };
    const back = 249 - entriesBack;
    const again = [back, back + 5].map((n) => ({
      id: `n${n}`,
      arrivalMs: NOON_MS + 250 * MINUTE_MS + n,
      origin: String(NOON_MS + n * MINUTE_MS),
    }));
    const { duplicates } = await take(watched, ...again);
    found.push(...differs(`${entriesBack} entries back`, [duplicates, asked], [2, queries]));
  }
  return found;
}
