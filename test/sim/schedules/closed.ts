import { zstdDecompressSync } from 'node:zlib';
import { rowStates } from '../../../src/core/closing.ts';
import { packParts } from '../../../src/core/layout.ts';
import { mergePages } from '../../../src/core/read.ts';
import { readRevisions } from '../../../src/handlers/read-revisions.ts';
import type { Item } from '../../../src/ports/table.ts';
import { invocation, NOON_MS } from '../../helpers/world.ts';
import { CLOSED_TROUBLES } from './closed-troubles.ts';
import {
  HOUR_MS,
  IDLE_MS,
  LATENESS_MS,
  MINUTE_MS,
  program,
  RETENTION_MS,
  setUp,
} from './closed-world.ts';
import type { Schedule } from './schedule.ts';
import { iso, rowHash, tokenOf } from './stored/closing.ts';
import { attributes, differs, outside } from './stored/facts.ts';

const CASES: readonly (() => Promise<readonly string[]>)[] = [
  whole,
  corrected,
  withdrawn,
  states,
  ...CLOSED_TROUBLES,
];

/** The closer step by step: what it publishes and stores, what it reports, and what it does about trouble. */
export const CLOSED: Schedule = {
  name: 'closed',
  scene: true,
  seeds: CASES.length,
  run: async (seed) => CASES[seed % CASES.length]?.() ?? [],
};

const NOTHING = { windows: 0, rows: 0, corrections: 0, forced: 0 };

/** An event of a window's row, as it is published. */
function eventOf(
  row: {
    place: string;
    events: number | null;
    startMs?: number;
    endMs?: number;
    window?: string;
    slotMs?: number;
  },
  [type, revision, replaces]: readonly [string, number, number],
): object {
  const {
    place,
    events,
    startMs = NOON_MS,
    endMs = NOON_MS + HOUR_MS,
    window = 'hours',
    slotMs = startMs,
  } = row;
  return {
    id: `1.${window}.${iso(slotMs)}.${rowHash(startMs, [place])}.${revision}`,
    type: `window.${type}`,
    window,
    start: iso(startMs),
    end: iso(endMs),
    group: { place },
    result: events === null ? null : { events },
    revision,
    replaces,
  };
}

function published(
  events: readonly { readonly window: string }[],
  window: string,
  expected: readonly object[],
) {
  return differs(
    `published ${window}`,
    events.filter((one) => one.window === window),
    expected,
  );
}

/** A window is published when every writer has passed it and its lateness, to the millisecond. */
async function whole(): Promise<readonly string[]> {
  const world = setUp();
  const { send, close, events, items, deadlines } = world;
  await send([5, 'ATL'], [6, 'ORD'], [20, 'SFO', 1]);
  const none = await close();
  const before = (HOUR_MS + LATENESS_MS - 1) / MINUTE_MS;
  await send([before, 'ATL'], [75, 'SFO', 1]);
  const early = await close();
  const silent = events().filter(({ window }) => window === 'hours').length;
  await send([70, 'ATL']);
  deadlines.clear();
  const ends = world.world.clock.now() + 60_000;
  const report = await close();
  const told = [...deadlines];
  const again = await close();
  const rows = ['ATL', 'ORD', 'SFO'].map((place) => ({ place, events: 1 }));
  const delayMs = world.world.clock.now() - NOON_MS - HOUR_MS;
  return [
    ...differs('deadlines', told, [ends - 500]),
    ...differs('first report', none, { ...NOTHING, throughMs: NOON_MS + 6 * MINUTE_MS }),
    ...differs('early', [silent, early.throughMs], [0, NOON_MS + 69 * MINUTE_MS]),
    ...published(
      events(),
      'hours',
      rows.map((row) => eventOf(row, ['closed', 1, 0])),
    ),
    ...differs(
      'report',
      [report.windows, report.rows, report.corrections, report.forced],
      [1, 3, 0, 0],
    ),
    ...outside('delay', report.delayMs, [delayMs - 2_000, delayMs]),
    ...differs('through', report.throughMs, NOON_MS + 70 * MINUTE_MS),
    ...differs('again', again, { ...NOTHING, throughMs: NOON_MS + 70 * MINUTE_MS }),
    ...differs('unwatched', events().filter(({ window }) => window === 'unwatched').length, 0),
    ...checkRevision(items('1|final|hours'), [1, rows.map((row) => stored(row))]),
    ...checkThrough(items('1|closed'), NOON_MS + 70 * MINUTE_MS),
    ...differs('requests', items('1|revise').length, 0),
  ];
}

function stored({ place, events }: { place: string; events: number }, replaces = 0): object {
  return {
    group: [place],
    startMs: NOON_MS,
    endMs: NOON_MS + HOUR_MS,
    columns: { events },
    replaces,
  };
}

/** A revision's header, which names the parts that hold its rows. */
function checkRevision(
  items: readonly Item[],
  [number, rows]: readonly [number, readonly object[]],
): readonly string[] {
  const text = JSON.stringify(rows);
  const token = tokenOf([text]);
  const start = `${iso(NOON_MS)}|${String(number).padStart(6, '0')}`;
  const header = items.find(({ sk }) => sk === `${start}|~`);
  const part = items.find(({ sk }) => sk === `${start}|${token}|00000`);
  if (header === undefined || part === undefined) return [`revision ${number}: is missing`];
  const { n, s, c, k, v } = header;
  const lifeMs = Number(header.ttl) * 1000 - NOON_MS - HOUR_MS - RETENTION_MS;
  return [
    ...attributes('header', header, ['pk', 'sk', 'v', 'ttl', 'n', 's', 'c', 'k']),
    ...attributes('part', part, ['pk', 'sk', 'v', 'ttl', 'd']),
    ...differs('header', [v, n, s, c, k], [1, number, 'closed', 1, token]),
    ...differs('part', [part.v, zstdDecompressSync(part.d as Uint8Array).toString()], [1, text]),
    ...outside('life', lifeMs, [0, 3 * HOUR_MS]),
  ];
}

/** How far all windows are, and each aggregate's. */
function checkThrough(items: readonly Item[], throughMs: number): readonly string[] {
  const told = items.map(({ sk, v, t }) => [sk, v, t]);
  return differs(
    'closed',
    told,
    ['*', 'hours', 'runs'].map((sk) => [sk, 1, throughMs]),
  );
}

/** A writer that is idle is told, and what it folds after that is published as a correction. */
async function corrected(): Promise<readonly string[]> {
  const { world, send, close, events, items, chain } = setUp(NOON_MS + HOUR_MS);
  await send([5, 'SFO', 1]);
  world.clock.advance(IDLE_MS - 1_000);
  await send([71, 'ATL']);
  const waits = await close();
  world.clock.advance(1_000);
  const forced = await close();
  const marker = chain('p1').at(-1);
  const entry = chain('p1').at(-2);
  const { report } = await send([30, 'SFO', 1], [31, 'SFO', 1], [75, 'SFO', 1]);
  const request = items('1|revise').map(({ sk, s, p, v }) => [sk.split('|').slice(0, 2), s, p, v]);
  const later = await close();
  const done = items('1|revise').map(({ s }) => s);
  const { sk: _sk, t: _t, ttl, i: _i, c, ...told } = marker ?? { pk: '', sk: '' };
  const { sk: _sk2, t: _t2, ttl: life, i: _i2, ...kept } = entry ?? { pk: '', sk: '' };
  return [
    ...differs('waits', [waits.forced, waits.throughMs], [0, NOON_MS + 5 * MINUTE_MS]),
    ...differs(
      'forced',
      [forced.forced, forced.throughMs, forced.windows],
      [1, NOON_MS + 71 * MINUTE_MS, 2],
    ),
    ...differs('marker', told, kept),
    ...differs(
      'marker: closed',
      [c, chain('p1').length, chain('p0').length],
      [NOON_MS + 71 * MINUTE_MS, 3, 1],
    ),
    ...outside('marker: life', Number(ttl) - Number(life), [
      IDLE_MS / 1000 - 2,
      IDLE_MS / 1000 + 60,
    ]),
    ...differs('accepted', [report.accepted, report.unfinished], [3, 0]),
    ...differs('requests', request, [
      [['hours', iso(NOON_MS)], 'open', '0.5', 1],
      [['runs', iso(NOON_MS)], 'open', '0.5', 1],
    ]),
    ...differs('done', done, ['done', 'open']),
    ...differs(
      'corrected',
      [later.windows, later.rows, later.corrections, later.forced],
      [2, 2, 1, 0],
    ),
    ...published(events(), 'hours', [
      eventOf({ place: 'SFO', events: 1 }, ['closed', 1, 0]),
      eventOf({ place: 'SFO', events: 3 }, ['corrected', 2, 1]),
    ]),
    ...checkRevision(items('1|final|hours'), [2, [stored({ place: 'SFO', events: 3 }, 1)]]),
    ...differs('new entry', chain('p1').at(-1)?.c, NOON_MS + 71 * MINUTE_MS),
  ];
}

/** Sessions that a late event joins: the first goes on, the other is withdrawn. */
async function withdrawn(): Promise<readonly string[]> {
  const { world, send, close, events } = setUp(NOON_MS + HOUR_MS);
  for (const minutes of [0, 4, 12]) await send([minutes, 'SFO', 1]);
  world.clock.advance(IDLE_MS);
  await send([40, 'ATL']);
  await close();
  await send([8, 'SFO', 1]);
  await close();
  const session = (from: number, to: number, count: number | null) => ({
    place: 'SFO',
    events: count,
    startMs: NOON_MS + from * MINUTE_MS,
    endMs: NOON_MS + to * MINUTE_MS,
    window: 'runs',
    slotMs: NOON_MS,
  });
  return published(events(), 'runs', [
    eventOf(session(0, 4, 2), ['closed', 1, 0]),
    eventOf(session(12, 12, 1), ['closed', 1, 0]),
    eventOf(session(0, 12, 4), ['corrected', 2, 1]),
    eventOf(session(12, 12, null), ['withdrawn', 2, 1]),
  ]);
}

/** What readers are told of a row: whether it still changes, and whether it did. */
async function states(): Promise<readonly string[]> {
  const { world, send, close } = setUp(NOON_MS + HOUR_MS);
  const [aggregate] = program.aggregates;
  if (aggregate === undefined) return ['no window'];
  const told: unknown[] = [];
  const note = async () => {
    const pages = world.aggregates
      .items()
      .filter(({ pk }) => packParts(pk).aggregate === 'hours' && pk.includes('.p'));
    const rows = mergePages(aggregate, pages, (startMs) => startMs === NOON_MS);
    const source = { table: world.aggregates, aggregate, windowMs: NOON_MS };
    const revisions = await readRevisions(source, { ...world, ...invocation(world) });
    told.push(rowStates(rows, revisions));
    const unpublished = revisions.map((one) => ({ ...one, published: false }));
    if (unpublished.length > 0) told.push(rowStates(rows, unpublished));
  };
  await send([5, 'SFO', 1]);
  await note();
  world.clock.advance(IDLE_MS);
  await send([71, 'ATL']);
  await close();
  await note();
  await send([30, 'SFO', 1], [31, 'ORD', 1]);
  await note();
  await close();
  await note();
  return differs('states', told, [
    ['open'],
    ['closed'],
    ['open'],
    ['open', 'changing'],
    ['open', 'open'],
    ['closed', 'corrected'],
    ['open', 'open'],
  ]);
}
