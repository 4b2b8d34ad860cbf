import { compile } from '../../../src/core/compile.ts';
import { DefinitionError } from '../../../src/core/errors.ts';
import { type Consume, makeConsume } from '../../../src/handlers/consume.ts';
import type { ConsumePorts } from '../../../src/handlers/ports.ts';
import type { TableQuery } from '../../../src/ports/table.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import {
  envelope,
  invocation,
  makeWorld,
  NOON_MS,
  record,
  type World,
} from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';
import { idsIn } from './stored/ledger.ts';

const program = compile(smallPipeline);
const MINUTE_MS = 60_000;
const ENTRIES = 250;

const CASES: readonly (() => Promise<readonly string[]>)[] = [
  chain,
  covered,
  holes,
  references,
  runs,
];

/** What a container reads of a ledger that it doesn't know, or that it knows in part. */
export const COLD: Schedule = {
  name: 'cold',
  scene: true,
  seeds: CASES.length,
  run: async (seed) => CASES[seed % CASES.length]?.() ?? [],
};

/** An event whose id is its number, which arrives when it is sent. */
function batchOf(number: number, arrivalMs: number, sequence = number) {
  const data = { place: 'ATL', at: NOON_MS, amount: 1 };
  const bytes = envelope({ sequence: number, data, id: `e${number}` });
  return { Records: [record({ sequence, bytes, arrivalMs })] };
}

/** A ledger of a minute an entry, and a count of the queries that are asked of it. */
async function longLedger(minutes = 1) {
  const world = makeWorld();
  const first = makeConsume(world, program);
  for (let number = 1; number <= ENTRIES; number += 1) {
    await first(batchOf(number, world.clock.now()), invocation(world));
    world.clock.advance(minutes * MINUTE_MS);
  }
  const queries: TableQuery[] = [];
  const query: World['ledger']['query'] = (asked, options) => {
    if (asked.pk !== '1|registry') queries.push(asked);
    return world.ledger.query(asked, options);
  };
  const ports: ConsumePorts = { ...world, ledger: { ...world.ledger, query } };
  return { world, queries, consume: makeConsume(ports, program) };
}

async function countOf(consume: Consume, world: World, batch: ReturnType<typeof batchOf>) {
  const { report } = await consume(batch, invocation(world));
  return report.duplicates;
}

/** As much of the chain as the horizon needs, newest first: a page, where the whole has three. */
async function chain(): Promise<readonly string[]> {
  const { world, queries, consume } = await longLedger();
  const nowMs = world.clock.now();
  // The last within the horizon, and the first beyond.
  const within = await countOf(consume, world, batchOf(ENTRIES - 29, nowMs, 1_001));
  const beyond = await countOf(consume, world, batchOf(ENTRIES - 31, nowMs, 1_002));
  const { world: dense, queries: all, consume: reader } = await longLedger(0.1);
  const far = await countOf(reader, dense, batchOf(1, dense.clock.now(), 1_001));
  return [
    ...differs('repeats', [within, beyond, far], [1, 0, 1]),
    ...differs(
      'queries',
      queries.map(({ descending, limit }) => [descending, limit]),
      [[true, 100]],
    ),
    ...differs('queries of a dense chain', all.length, 3),
  ];
}

/** Records that arrived a little earlier than those before: what is known reaches back far enough, or is loaded anew. */
async function covered(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [offMs, loads] of [
    [0, 1],
    [-1, 2],
  ] as const) {
    const { world, queries, consume } = await longLedger();
    const nowMs = world.clock.now();
    await consume(batchOf(2_000, nowMs, 2_000), invocation(world));
    // Known is a horizon before the earliest arrival and five minutes more, to the millisecond.
    const known = batchOf(ENTRIES + 1 - 35, nowMs - 5 * MINUTE_MS + offMs, 2_001);
    const duplicates = await countOf(consume, world, known);
    found.push(
      ...differs(`loads and repeats at ${offMs}`, [queries.length, duplicates], [loads, 1]),
    );
  }
  return found;
}

/** Entries that expired are deleted in no order: a hole among them is nothing; any other is refused. */
async function holes(): Promise<readonly string[]> {
  const lifeMs = program.settings.horizonMs + program.settings.retention.streamMs + 60 * MINUTE_MS;
  const found: string[] = [];
  for (const [gone, agedMs, expected] of [
    [[2], lifeMs, [1, 1, 0]],
    [[3], lifeMs, [1, 1, 0]],
    [[1, 2, 3], lifeMs, [1, 1, 0]],
    [[], lifeMs, [1, 1, 1]],
    [[2], lifeMs - 1, 'InvariantError'],
    [[4], lifeMs, [1, 0, 0]],
  ] as const) {
    const world = makeWorld();
    const first = makeConsume(world, program);
    // Everything arrived at once; the last two entries were written much later.
    for (const [index, atMs] of [0, 0, 0, agedMs - MINUTE_MS, agedMs - MINUTE_MS].entries()) {
      world.clock.advance(NOON_MS + atMs - world.clock.now());
      await first(batchOf(index + 1, NOON_MS), invocation(world));
    }
    world.clock.advance(MINUTE_MS);
    const isGone = (sk: string) => gone.some((n) => sk === `e#${String(n).padStart(12, '0')}`);
    const query: World['ledger']['query'] = async (asked, options) => {
      const page = await world.ledger.query(asked, options);
      return { ...page, items: page.items.filter(({ sk }) => !isGone(sk)) };
    };
    const consume = makeConsume({ ...world, ledger: { ...world.ledger, query } }, program);
    const repeats = [5, 4, 1].map(
      (number, index) => () => countOf(consume, world, batchOf(number, NOON_MS + 9, 1_001 + index)),
    );
    const counted = await inTurn(repeats).catch((error: unknown) =>
      error instanceof Error ? error.name : 'no error',
    );
    found.push(...differs(`without ${gone} after ${agedMs} ms`, counted, expected));
  }
  return found;
}

async function inTurn(calls: readonly (() => Promise<number>)[]): Promise<readonly number[]> {
  const results: number[] = [];
  for (const call of calls) results.push(await call());
  return results;
}

/** Versions of references that were deployed too late are refused before anything is written. */
async function references(): Promise<readonly string[]> {
  const found: string[] = [];
  const versioned = (at: (arrivalMs: number) => string, print = program.fingerprint) => ({
    ...program,
    fingerprint: print,
    fingerprintAt: (arrivalMs: number) => `${print}${at(arrivalMs)}`,
  });
  const outcomes = [
    ['the same', versioned(() => '.a'), 'taken'],
    ['a later one', versioned((ms) => (ms > NOON_MS ? '.b' : '.a')), 'taken'],
    ['one too early', versioned(() => '.b'), 'refused'],
    ['none any more', versioned(() => ''), 'refused'],
    ['of another version', versioned(() => '.b', 'fedcba9876543210'), 'left'],
  ] as const;
  for (const [name, next, expected] of outcomes) {
    const world = makeWorld();
    await makeConsume(
      world,
      versioned(() => '.a'),
    )(batchOf(1, NOON_MS), invocation(world));
    const before = JSON.stringify([world.ledger.items(), world.aggregates.items()]);
    const outcome = await makeConsume(world, next)(batchOf(2, NOON_MS + 1), invocation(world)).then(
      ({ response }) => (response.batchItemFailures.length === 0 ? 'taken' : 'left'),
      (error: unknown) => (error instanceof DefinitionError ? 'refused' : String(error)),
    );
    const after = JSON.stringify([world.ledger.items(), world.aggregates.items()]);
    found.push(
      ...differs(name, outcome, expected),
      ...differs(`${name}: changed`, before !== after, expected === 'taken'),
    );
  }
  return found;
}

/** Arrivals that go back and forth keep their ids, and are whole milliseconds. */
async function runs(): Promise<readonly string[]> {
  const world = makeWorld();
  const offsets = [5, 6, 5, 5, 4, 6];
  const Records = offsets.flatMap((offMs, index) => batchOf(index + 1, NOON_MS + offMs).Records);
  const [odd] = batchOf(7, NOON_MS).Records;
  if (odd === undefined) return ['no record'];
  const approximateArrivalTimestamp = NOON_MS / 1000 + 0.0076;
  await makeConsume(world, program)(
    { Records: [...Records, { ...odd, kinesis: { ...odd.kinesis, approximateArrivalTimestamp } }] },
    invocation(world),
  );
  const entry = world.ledger.items().find(({ sk }) => sk.startsWith('e#'));
  const arrivals = idsIn(entry?.i, Number(entry?.a)).map((id) => Number([id].flat()[2]) - NOON_MS);
  return [
    ...differs('arrivals', arrivals, [...offsets, 8]),
    ...differs('latest', Number(entry?.a) - NOON_MS, 8),
  ];
}
