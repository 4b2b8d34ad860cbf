import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import type { Accumulator, Encoded } from '../../../src/core/accumulator.ts';
import { compile } from '../../../src/core/compile.ts';
import { InvariantError } from '../../../src/core/errors.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { onlyFaults } from '../../../src/sim/faults.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import { envelope, invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';
import { differs, factsOf } from './stored/facts.ts';
import { checkLedger } from './stored/ledger.ts';
import { checkPages, type ExpectedLayout, type StateOf } from './stored/pages.ts';

/** Lists within lists; a state stands in the list of its window's columns, so one less than eight fit. */
function nested(depth: number): Encoded {
  return depth === 0 ? 7 : [nested(depth - 1)];
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Values on both sides of every border of their stored form. */
const VALUES: readonly Encoded[] = [
  ...[0, 1, 126, 127, 128, 129, 255, 256, 16_511, 16_512, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53],
  ...[-1, -2, -127, -128, -129, -16_512, -(2 ** 53) + 1, -(2 ** 53), -0, 0.5, -0.5, 1e300, 5e-324],
  ...['', 'a', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(15), 'é'.repeat(16), 'x'.repeat(300)],
  ...['\ufeffx', '\ud800', 'a\udfff\ud800', '日本', '"', '|'],
  ...[null, true, false],
  ...[new Uint8Array(), Uint8Array.from([0]), Uint8Array.from(numbers(200))],
  ...[[], [1], numbers(14), numbers(15), numbers(16), numbers(17), numbers(200)],
  ...[nested(2), nested(7), [null, [true, 'x'], -1]],
];

/** Counts around, and is stored as the value that stands there. */
const echo: Accumulator<number, number, number> = {
  name: 'echo-1',
  empty: () => 0,
  add: (state, input) => (state + input) % VALUES.length,
  merge: (left, right) => (left + right) % VALUES.length,
  encode: (state) => VALUES[state] ?? null,
  decode: (encoded) => {
    const found = VALUES.findIndex((value) => isDeepStrictEqual(value, encoded));
    if (found < 0)
      throw new RangeError(`echo: got ${JSON.stringify(encoded)}, which is no value of it`);
    return found;
  },
  result: (state) => state,
};

const LABELS = [
  '',
  'x'.repeat(28),
  'x'.repeat(29),
  'x'.repeat(30),
  'é'.repeat(14),
  '\ud800',
  '"\\',
];

const pipeline = definePipeline({
  name: 'values',
  schema: v.object({ label: v.string(), at: v.number(), number: v.number() }),
  key: () => 'one',
  time: 'at',
  partitions: 2,
  lateness: '1 hour',
  windows: ({ tumbling, use }) => {
    const columns = (count: number) =>
      Object.fromEntries(
        numbers(count).map((index) => [
          `c${index}`,
          use(echo, ({ number }: { number: number }) => number + index * 7),
        ]),
      );
    return {
      one: tumbling('1 hour', { by: 'label', keep: columns(1) }),
      fifteen: tumbling('1 hour', { by: 'label', keep: columns(15) }),
      sixteen: tumbling('1 day', { keep: columns(16) }),
      short: tumbling('1 hour', { retention: '7 hours', keep: columns(1) }),
    };
  },
});

const program = compile(pipeline);
const HOUR_MS = 3_600_000;

const LAYOUTS: Readonly<Record<string, ExpectedLayout>> = {
  one: { gridMs: HOUR_MS, windows: 48, buckets: 4 },
  fifteen: { gridMs: HOUR_MS, windows: 48, buckets: 39 },
  sixteen: { gridMs: 24 * HOUR_MS, windows: 6, buckets: 1 },
  short: { gridMs: HOUR_MS, windows: 1, buckets: 1 },
};

const stateOf: StateOf = (_accumulator, result) => [VALUES[Number(result)]];

/** Every kind of value as the state of a user's accumulator: written as documented, and read back. */
export const STORED_VALUES: Schedule = {
  name: 'stored values',
  seeds: 6,
  run: async (seed) => {
    const result = await simulateSmall(seed, {
      pipeline,
      program: () => program,
      events: eventsOf(seed),
      faults: onlyFaults(['coldStart', 'loseAnswer', 'refuse']),
    });
    const facts = factsOf(result, pipeline, program);
    return [...result.violations, ...checkLedger(facts), ...checkPages(facts, LAYOUTS, stateOf)];
  },
};

/** What an accumulator must not give, and what then becomes of the record: nothing of it is ever stored. */
const UNSTORABLE: readonly (readonly [value: Encoded, outcome: string])[] = [
  [Number.NaN, 'quarantined'],
  [Number.POSITIVE_INFINITY, 'quarantined'],
  [nested(8), 'refused'],
  [nested(20), 'refused'],
];

/** A user's accumulator that gives what can't be stored. */
export const UNSTORABLE_VALUES: Schedule = {
  name: 'unstorable values',
  seeds: UNSTORABLE.length,
  run: async (seed) => {
    const [value = null, expected] = UNSTORABLE[seed % UNSTORABLE.length] ?? [];
    const world = makeWorld();
    const bad: Accumulator<unknown, number, number> = {
      ...echo,
      add: () => 1,
      encode: () => value,
    };
    const { one } = pipeline.windows;
    const keep = { c0: { ...one.keep.c0, accumulator: bad } } as never;
    const of = { ...pipeline, windows: { one: { ...one, keep } } };
    const data = { label: 'a', at: NOON_MS, number: 1 };
    const batch = { Records: [record({ sequence: 1, data })] };
    const outcome = await makeConsume(world, compile(of))(batch, invocation(world)).then(
      ({ report }) => (report.reasons.transform === 1 ? 'quarantined' : 'taken'),
      (error: unknown) => (error instanceof InvariantError ? 'refused' : String(error)),
    );
    return [
      ...differs('outcome', outcome, expected),
      ...differs('cells', world.aggregates.items().length, 0),
    ];
  },
};

function eventsOf(seed: number): readonly SimEvent[] {
  const random = makeSeededRandom(seed);
  return numbers(60).map((index) => {
    const partition = index % 2;
    const data = {
      label: LABELS[Math.floor(random.next() * LABELS.length)],
      at: NOON_MS - Math.floor(random.next() * 3 * HOUR_MS),
      number: Math.floor(random.next() * 1_000),
    };
    return {
      atMs: NOON_MS + index * 200,
      partitionKey: `p-${partition}`,
      explicitHashKey: explicitHashKey(partition, 2),
      bytes: envelope({ sequence: index, data }),
    };
  });
}
