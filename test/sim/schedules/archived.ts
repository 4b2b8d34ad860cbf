import { zstdDecompressSync } from 'node:zlib';
import { InvariantError } from '../../../src/core/errors.ts';
import { record } from '../../helpers/world.ts';
import { known, versions } from './archived-tails.ts';
import {
  HOUR_MS,
  keyOf,
  PUT_MS,
  reportOf,
  START_MS,
  STREAM_MS,
  setUp,
  tailOf,
} from './archived-world.ts';
import type { Schedule } from './schedule.ts';
import { attributes, differs, outside } from './stored/facts.ts';

const CASES: readonly (() => Promise<readonly string[]>)[] = [
  whole,
  repeats,
  forgets,
  stops,
  overtaken,
  lost,
  refuses,
  slow,
  known,
  versions,
];

/** The archiver step by step: names, lines, tails, reports, and what it does about each trouble. */
export const ARCHIVED: Schedule = {
  name: 'archived',
  scene: true,
  seeds: CASES.length,
  run: async (seed) => CASES[seed % CASES.length]?.() ?? [],
};

/** Objects by hour, each named after what it follows, and the tail at the last of them. */
async function whole(): Promise<readonly string[]> {
  const world = setUp();
  const result = await world.run([5, 10, 11]);
  const hour13 = keyOf('13', ['002-10', '002-11', '001-5']);
  const lines = zstdDecompressSync(world.archive.objects.get(hour13) ?? Buffer.alloc(0)).toString();
  const line = {
    shard: 3,
    sequence: '10',
    arrival_ms: START_MS + 100,
    partition_key: 'p-0',
    text: 'r10',
  };
  const bytes = [...world.archive.objects.values()].reduce((sum, { length }) => sum + length, 0);
  const tail = tailOf(world);
  const { f, b, p, a, k, v, sk } = tail ?? { pk: '', sk: '' };
  return [
    ...differs('answer', result.response, { batchItemFailures: [] }),
    ...reportOf(result, { archived: 3, objects: 2, unconnected: 1 }),
    ...differs(
      'bytes',
      [result.report.received, result.report.rawBytes, result.report.bytes],
      [3, 8, bytes],
    ),
    ...differs('time', result.report.timeToArchiveMs, 2 * PUT_MS),
    ...differs(
      'objects',
      [...world.archive.objects.keys()],
      [keyOf('12', ['001-5', '001-5', 'unknown']), hour13],
    ),
    ...differs(
      'lines',
      [lines.split('\n').length, lines.split('\n')[0]],
      [3, JSON.stringify(line)],
    ),
    ...attributes('tail', tail ?? {}, ['pk', 'sk', 'v', 'f', 'b', 'p', 'a', 'k']),
    ...differs(
      'tail',
      [sk, v, f, b, p, a, k],
      ['000000000003', 1, '5', START_MS, '11', START_MS + 200, START_MS + 200],
    ),
  ];
}

/** What is archived already isn't again, and what comes first stays first. */
async function repeats(): Promise<readonly string[]> {
  const world = setUp();
  await world.run([5, 6]);
  const again = await world.run([5, 6]);
  const some = await world.run([6, 7]);
  const older = await world.run([3]);
  const tail = tailOf(world);
  return [
    ...reportOf(again, { repeated: 2 }),
    ...differs(
      'again',
      [again.response, again.report.timeToArchiveMs],
      [{ batchItemFailures: [] }, 0],
    ),
    ...reportOf(some, { repeated: 1, archived: 1, objects: 1 }),
    ...reportOf(older, { repeated: 1 }),
    ...differs('tail', [tail?.f, tail?.p], ['5', '7']),
    ...differs('objects', world.archive.objects.size, 3),
  ];
}

/** A tail so old that the stream may have forgotten what came after it: the next object doesn't say what it follows. */
async function forgets(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [offMs, unconnected] of [
    [-1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    const world = setUp();
    await world.run([5]);
    world.clock.advance(STREAM_MS - HOUR_MS + offMs + START_MS - world.clock.now());
    const result = await world.run([6]);
    found.push(...differs(`unconnected after ${offMs}`, result.report.unconnected, unconnected));
  }
  return found;
}

/** The second object fails: the first is acknowledged, and the rest comes again. */
async function stops(): Promise<readonly string[]> {
  const world = setUp();
  world.trouble.put = 7;
  const result = await world.run([5, 6, 7], 30_000, HOUR_MS);
  const tail = tailOf(world);
  world.trouble.put = 0;
  const again = await world.run([5, 6, 7], 30_000, HOUR_MS);
  world.trouble.put = 8;
  const none = await world.run([8]);
  return [
    ...differs('answer', result.response, { batchItemFailures: [{ itemIdentifier: '7' }] }),
    ...reportOf(result, {
      archived: 2,
      objects: 2,
      unfinished: 1,
      unconnected: 1,
      stops: ['TransientError: refused'],
    }),
    ...differs('tail', [tail?.f, tail?.p], ['5', '6']),
    ...reportOf(again, { repeated: 2, archived: 1, objects: 1 }),
    ...differs('nothing', none.response, { batchItemFailures: [{ itemIdentifier: '8' }] }),
    ...reportOf(none, { unfinished: 1, stops: ['TransientError: refused'] }),
  ];
}

/** Another archiver moves the tail first: this one goes on from there, up to twenty times. */
async function overtaken(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [times, isLost] of [
    [1, false],
    [19, false],
    [20, true],
    [25, true],
  ] as const) {
    const world = setUp();
    world.trouble.overtaken = times;
    const result = await world.run([99_999]);
    const tail = tailOf(world);
    found.push(
      ...differs(`overtaken ${times} times`, result.report.unfinished, isLost ? 1 : 0),
      ...(isLost
        ? differs('stop', /lost 20 times/.test(result.report.stops[0] ?? ''), true)
        : differs('tail', [tail?.p, tail?.k], ['99999', START_MS])),
    );
  }
  const world = setUp();
  await world.run([50]);
  world.trouble.overtaken = 1;
  const result = await world.run([60]);
  return [
    ...found,
    ...reportOf(result, { archived: 1, objects: 1 }),
    ...differs('tail', tailOf(world)?.p, '99'),
  ];
}

/** The tail's answer is lost once, or each time. */
async function lost(): Promise<readonly string[]> {
  const world = setUp();
  world.trouble.lost = 1;
  const once = await world.run([5]);
  world.trouble.lost = 1_000;
  const always = await world.run([6]);
  return [
    ...reportOf(once, { archived: 1, objects: 1, unconnected: 1 }),
    ...differs('answer', always.response, { batchItemFailures: [{ itemIdentifier: '6' }] }),
    ...reportOf(always, { objects: 1, unfinished: 1, stops: ['TransientError: lost'] }),
  ];
}

/** What is not as it should be is refused before anything is written. */
async function refuses(): Promise<readonly string[]> {
  const world = setUp();
  const empty = await world.handler({ Records: [] }, { requestId: 'r', deadlineMs: START_MS + 9 });
  const twice = [record({ sequence: 5 }), record({ sequence: 5 })];
  const bad = [{ ...record({ sequence: 5 }), eventID: 'x:5' }];
  const errors: unknown[] = [];
  for (const Records of [twice, bad]) {
    await world.handler({ Records }, { requestId: 'r', deadlineMs: START_MS + 9_000 }).then(
      () => errors.push('taken'),
      (error: unknown) => errors.push(error instanceof InvariantError ? 'refused' : error),
    );
  }
  const shards = [
    record({ sequence: 9, shard: 1 }),
    record({ sequence: 8, shard: 0 }),
    record({ sequence: 7, shard: 1 }),
  ];
  world.trouble.put = 9;
  const { response } = await world.handler(
    { Records: shards },
    { requestId: 'r', deadlineMs: START_MS + 30_000 },
  );
  // The last record of one shard, and the only one of another: the lower one comes first.
  world.trouble.put = 0;
  const spread = [
    [21, 1, 0],
    [22, 0, 1],
    [23, 1, 2],
  ] as const;
  const Spread = spread.map(([sequence, shard, hours]) =>
    record({ sequence, shard, arrivalMs: START_MS + hours * HOUR_MS }),
  );
  world.trouble.after = 1;
  const both = await world.handler(
    { Records: Spread },
    { requestId: 'r', deadlineMs: START_MS + 30_000 },
  );
  return [
    ...differs('both', both.response, { batchItemFailures: [{ itemIdentifier: '22' }] }),
    ...differs('empty', empty.response, { batchItemFailures: [] }),
    ...reportOf(empty, {}),
    ...differs('errors', errors, ['refused', 'refused']),
    ...differs('shards', response, { batchItemFailures: [{ itemIdentifier: '7' }] }),
  ];
}

/** The end of an invocation is kept: for the answer, and before it for the tail. */
async function slow(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [ms, tailMs] of [
    [30_000, 2_000],
    [3_500, 1_000],
  ] as const) {
    const world = setUp();
    const startMs = world.clock.now();
    await world.run([5], ms);
    found.push(
      ...differs('tail', world.deadlines.ledger, startMs + ms - 500),
      ...outside('objects', world.deadlines.archive, [
        startMs + ms - 500 - tailMs,
        startMs + ms - 500 - tailMs,
      ]),
    );
  }
  return found;
}
