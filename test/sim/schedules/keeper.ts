import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../../src/adapters/memory/table.ts';
import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { makeKeep } from '../../../src/handlers/keep.ts';
import type { KeepPorts } from '../../../src/handlers/ports.ts';
import type { Item, SendOptions, Table } from '../../../src/ports/table.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { NOON_MS } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';
import { differs, outside } from './stored/facts.ts';
import { sipHash24 } from './stored/hashes.ts';

const { settings } = compile(smallPipeline);
const HOUR_MS = 3_600_000;
const LIFE_MS = settings.horizonMs + settings.retention.streamMs;
const ARN = 'arn:aws:kinesis:eu-west-1:111122223333:stream/kept';
const CREATED_MS = 1_700_000_000_123;

/** What goes wrong besides. */
const TROUBLES = ['none', 'refused', 'lost', 'overtaken', 'down', 'foreign', 'unwritable'] as const;

type Trouble = (typeof TROUBLES)[number];

/**
 * The keeper over hundreds of writers: it renews those whose newest entry is past half of its life, and
 * no others, with a marker that says the same as the entry, and gives up the writers of a stream that is gone.
 */
export const KEEPER: Schedule = {
  name: 'keeper',
  scene: true,
  seeds: 2 * TROUBLES.length,
  run: async (seed) => {
    const trouble = TROUBLES[seed % TROUBLES.length] ?? 'none';
    const random = makeSeededRandom(seed);
    const ledger = makeMemoryTable();
    const writers = Array.from({ length: seed === TROUBLES.length ? 1_100 : 25 }, (_, index) => ({
      name: `${index % 7 === 3 ? 'oldone-00000000' : epoch()}.p${index}`,
      ageMs: agesOf(random.next(), trouble)[index % 8] ?? 0,
      entries: index % 8 === 5 ? 0 : 1 + (index % 3),
      quiet: index % 5 === 4,
    }));
    const items = writers.flatMap(itemsOf);
    await ledger.putAll(items, { deadlineMs: Number.POSITIVE_INFINITY });
    const before = ledger.items();
    const clock = makeSkippingClock(NOON_MS);
    const stream = makeMemoryStream({ arn: ARN, createdMs: CREATED_MS });
    const ports = { clock, random, stream, ledger: troubled(ledger, trouble) };
    const outcome = await outcomeOf(ports);
    const added = ledger
      .items()
      .filter(({ pk, sk }) => !before.some((item) => item.pk === pk && item.sk === sk));
    return check({ writers, before, added, outcome, trouble, endMs: clock.now() }).map(
      (text) => `${trouble}: ${text}`,
    );
  },
};

/** Ages on both sides of half a life; the margin of an hour is the keeper's own. */
function agesOf(chance: number, trouble: Trouble): readonly number[] {
  const half = (LIFE_MS + HOUR_MS) / 2;
  // Where requests are refused time goes on.
  const before = half - (trouble === 'none' || trouble === 'overtaken' ? 1 : HOUR_MS);
  return [0, before, half, half + 1, 2 * half, before, chance * before, 1.5 * half];
}

interface Writer {
  readonly name: string;
  readonly ageMs: number;
  readonly entries: number;
  /** Has nothing but what a marker before the first record has. */
  readonly quiet: boolean;
}

function epoch(): string {
  const hash = sipHash24(Buffer.from('millrace epoch 1'), Buffer.from(`${ARN} ${CREATED_MS}`));
  const high = (hash >> 32n).toString(16).padStart(8, '0');
  return `${Math.floor(CREATED_MS / 1000).toString(36)}-${high}`;
}

/** A writer in the registry, with its chain and its attempt, as they are stored. */
function itemsOf({ name, ageMs, entries, quiet }: Writer): readonly Item[] {
  const written = NOON_MS - ageMs;
  const pk = `1|${name}`;
  return [
    { pk: '1|registry', sk: name, v: 1, t: written - HOUR_MS },
    { pk, sk: 'attempt', v: 1, r: 1 },
    ...Array.from({ length: entries }, (_, index) => ({
      pk,
      sk: `e#${String(index + 1).padStart(12, '0')}`,
      v: 1,
      a: written - 5_000,
      f: 'fedcba9876543210',
      // Those before are older still.
      t: written - (entries - 1 - index) * HOUR_MS,
      ttl: Math.ceil((written + LIFE_MS) / 1000),
      ...(quiet ? {} : { p: `0:${100 + index}:0`, w: written - 60_000, c: written - 90_000 }),
      ...(quiet ? {} : { i: Uint8Array.from([1, 0, 1, ...Array<number>(11).fill(7)]) }),
    })),
  ];
}

async function outcomeOf(ports: KeepPorts): Promise<unknown> {
  try {
    return await makeKeep(ports, settings)({ requestId: 'keep', deadlineMs: NOON_MS + 60_000 });
  } catch (error) {
    return error;
  }
}

/** The ledger, which refuses each third call, loses answers, is overtaken by a batch, or is down. */
function troubled(table: Table, trouble: Trouble): Table {
  let calls = 0;
  const error = new TransientError('refused');
  const isDown = ({ deadlineMs }: SendOptions) => {
    if (deadlineMs !== NOON_MS + 59_500) throw new RangeError(`deadline: got ${deadlineMs}`);
    calls += 1;
    return trouble === 'down' || (trouble === 'refused' && calls % 3 === 0);
  };
  return {
    ...table,
    query: async (query, options) => {
      if (isDown(options)) throw error;
      const { items, next } = await table.query(query, options);
      const isForeign = trouble === 'foreign' && query.pk !== '1|registry';
      return {
        items: isForeign ? items.map((item) => ({ ...item, pk: `${item.pk}x` })) : items,
        next,
      };
    },
    putIf: async (writes, options) => {
      if (isDown(options) || trouble === 'unwritable')
        return writes.map(() => ({ status: 'failed', error }));
      if (trouble === 'overtaken')
        await table.putAll(
          writes.map(({ item }) => ({ ...item, f: 'batch' })),
          options,
        );
      const results = await table.putIf(writes, options);
      const isLost = trouble === 'lost' && calls % 2 === 0;
      return isLost ? writes.map(() => ({ status: 'failed', error })) : results;
    },
  };
}

interface Kept {
  readonly writers: readonly Writer[];
  readonly before: readonly Item[];
  readonly added: readonly Item[];
  readonly outcome: unknown;
  readonly trouble: Trouble;
  readonly endMs: number;
}

function check({ writers, before, added, outcome, trouble, endMs }: Kept): readonly string[] {
  const present = writers.filter(({ name }) => name.startsWith(epoch()));
  const due = present.filter(
    ({ ageMs, entries }) => entries > 0 && ageMs >= (LIFE_MS + HOUR_MS) / 2,
  );
  if (trouble === 'down' || trouble === 'foreign' || trouble === 'unwritable') {
    const name = outcome instanceof Error ? outcome.name : 'none';
    const expected = trouble === 'foreign' ? 'InvariantError' : 'TransientError';
    return [...differs('error', name, expected), ...differs('markers', added.length, 0)];
  }
  const report = {
    writers: present.length,
    renewed: trouble === 'overtaken' ? 0 : due.length,
    retired: writers.length - present.length,
  };
  return [
    // Who can't know whether an answer was lost, or another was first, may count less.
    ...(trouble === 'lost' ? [] : differs('report', outcome, report)),
    ...differs(
      'renewed',
      added.map(({ pk }) => pk).sort(),
      due.map(({ name }) => `1|${name}`).sort(),
    ),
    ...added.flatMap((marker) => checkMarker(marker, before, { trouble, endMs })),
  ];
}

function checkMarker(
  marker: Item,
  before: readonly Item[],
  { trouble, endMs }: Pick<Kept, 'trouble' | 'endMs'>,
): readonly string[] {
  const chain = before.filter(({ pk, sk }) => pk === marker.pk && sk.startsWith('e#'));
  const { i: _ids, t: _written, ttl: _life, ...newest } = chain.at(-1) ?? { pk: '', sk: '' };
  const { t, ttl, ...rest } = marker;
  const sk = `e#${String(chain.length + 1).padStart(12, '0')}`;
  const f = trouble === 'overtaken' ? 'batch' : newest.f;
  const sorted = (item: object) => Object.entries(item).sort();
  const lifeMs = Number(t) + LIFE_MS;
  return [
    ...differs(`marker of ${marker.pk}`, sorted(rest), sorted({ ...newest, sk, f })),
    ...outside('written', t, [NOON_MS, endMs]),
    ...outside('life', Number(ttl) * 1000, [lifeMs, lifeMs + 2 * HOUR_MS]),
  ];
}
