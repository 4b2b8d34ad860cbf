import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isGroupAlive } from '../../src/local/child.ts';
import { cloneCheckout, copyPipeline, NAME_END } from '../helpers/clone.ts';
import { keptPid, startRun, stopKept } from '../helpers/start-run.ts';

/** Run by hand against another local cloud: there is no emulator of ours then. */
const EXTERNAL = process.env.AWS_ENDPOINT_URL !== undefined;
const FLIGHTS = `flights${NAME_END}`;
const DELAYS = `delays${NAME_END}`;
const WEATHER = `weather${NAME_END}`;
const RAIN = `rain${NAME_END}`;
let clone = '';

beforeAll(() => {
  clone = cloneCheckout();
  writePipeline();
  writeStage();
  if (!EXTERNAL) return;
  rewrite(copyPipeline(clone, 'delays', DELAYS), "fedBy: ['flights']", `fedBy: ['${FLIGHTS}']`);
  rewrite(copyPipeline(clone, 'flights', FLIGHTS), "to('delays'", `to('${DELAYS}'`);
});

afterAll(async () => {
  stopKept(clone);
  rmSync(clone, { recursive: true, force: true });
});

function rewrite(file: string, from: string, to: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}

/** A folder with a data set that no other pipeline has: all that a new pipeline takes. */
function writePipeline(): void {
  const folder = path.join(clone, 'pipelines', WEATHER);
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'pipeline.ts'),
    `import { z } from 'zod';
     import { type Accumulator, definePipeline } from '#millrace';
     const hottest: Accumulator<number, number, number> = {
       name: 'hottest-1', size: { typical: 9, max: 9 }, empty: () => -1000,
       add: (state, input) => Math.max(state, input), merge: Math.max,
       encode: (state) => state, decode: Number, result: (state) => state,
     };
     export default definePipeline({
       name: '${WEATHER}',
       schema: z.object({ at: z.number(), place: z.string(), rain: z.number(), high: z.number(), kind: z.string() }),
       key: 'place', time: 'at', partitions: 2, lateness: '2 days',
       outputs: ({ to }) => ({
         wet: to('${RAIN}', { where: ({ rain }) => rain > 0, key: 'kind', event: ({ at, place, rain, kind }) => ({ at, place, rain, kind }) }),
       }),
       windows: ({ tumbling, hopping, session, count, share, sum, mean, min, max, variance, stddev, percentiles,
         histogram, distinct, topK, first, last, use }) => ({
         fortnights: hopping('14 days', { every: '7 days', by: 'kind', keep: {
           days: count(), wet: share(({ rain }) => rain > 0), spread: variance('high'), deviation: stddev('high'),
           highs: percentiles('high', [5, 50, 95]), bars: histogram('high', [0, 10, 20, 30]),
           places: distinct('place'), top: topK('place', { k: 3, weight: 'rain' }), first: first('place'),
           last: last('high'), hottest: use(hottest, 'high'),
         } }),
         spells: session('36 hours', { max: '3 days', by: 'place', where: ({ rain }) => rain > 0, keep: {
           days: count(), rain: sum('rain'), began: first('kind'), ended: last('kind'), rains: percentiles('rain', [50]),
         } }),
         weeks: tumbling('7 days', { by: 'kind', keep: { days: count(), rain: sum('rain'), high: mean('high') } }),
         places: tumbling('30 days', { by: ['place', 'kind'], keep: { coldest: min('high'), hottest: max('high') } }),
       }),
       retention: { windows: '3000 days', events: '7 days' },
     });`,
  );
  writeFileSync(
    path.join(folder, 'feed.ts'),
    `import { defineFeed } from '#millrace';
     export default defineFeed<{ location: string; date: string; precipitation: string; temp_max: string; weather: string }>({
       file: '../../node_modules/vega-datasets/data/weather.csv',
       time: (row) => new Date(row.date),
       data: (row, { timeMs }) => ({ at: timeMs, place: row.location, rain: Number(row.precipitation),
         high: Number(row.temp_max), kind: row.weather }),
     });`,
  );
}

/** What the days with rain go to: a folder without a feed. */
function writeStage(): void {
  const folder = path.join(clone, 'pipelines', RAIN);
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'pipeline.ts'),
    `import { z } from 'zod';
     import { definePipeline } from '#millrace';
     export default definePipeline({
       name: '${RAIN}',
       schema: z.object({ at: z.number(), place: z.string(), rain: z.number(), kind: z.string() }),
       key: 'kind', time: 'at', partitions: 3, lateness: '5 days', fedBy: ['${WEATHER}'],
       windows: ({ tumbling, count, sum }) => ({
         months: tumbling('28 days', { by: 'kind', keep: { days: count(), rain: sum('rain') } }),
       }),
       retention: { windows: '3000 days' },
     });`,
  );
}

/** Results within half a second, out of batches that are collected for a whole one. */
function writeUnsafePipeline(): void {
  const file = copyPipeline(clone, WEATHER, 'unsafe');
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace("key: 'place',", "objectives: { latency: { p99: '500 milliseconds' } }, $&"),
  );
}

interface Result {
  readonly sent: number;
  readonly accepted: number;
  readonly repeats: number;
  readonly quarantined: Readonly<Record<string, number>>;
  readonly cells: number;
  readonly equal: boolean;
  readonly differences: readonly unknown[];
  readonly closing: { readonly windows: number; readonly heard: number } | null;
  readonly archive: { readonly records: number; readonly equal: boolean } | null;
  readonly stages: readonly {
    readonly pipeline: string;
    readonly events: number;
    readonly cells: number;
    readonly differences: readonly unknown[];
  }[];
}

const start = (...flags: string[]) => startRun<Result>(clone, flags);

/** True while the emulator that a run left lives. */
function isKept(): boolean {
  const pid = keptPid(clone);
  return pid !== undefined && isGroupAlive(pid);
}

it('flights with bad and repeated events equal the batch computation, cell by cell', async () => {
  const result = await start(
    '--pipeline',
    FLIGHTS,
    '--events',
    '6000',
    '--bad',
    '5',
    '--duplicates',
    '5',
  );

  expect(result.differences).toEqual([]);
  expect(result).toMatchObject({ equal: true });
  expect(result.cells).toBeGreaterThan(500);
  // What a listener heard of closed windows is what is stored, and what the batch computation has.
  expect(result.closing).toMatchObject({ differences: [] });
  expect(result.closing?.windows).toBeGreaterThan(2);
  expect(result.closing?.heard).toBeGreaterThan(10);
  expect(result.repeats).toBeGreaterThan(100);
  for (const reason of ['not-decodable', 'schema', 'late', 'future', 'id-conflict']) {
    expect(result.quarantined[reason], reason).toBeGreaterThan(0);
  }
  const [delays] = result.stages;
  expect(delays).toMatchObject({ pipeline: DELAYS, differences: [] });
  expect(delays?.events).toBeGreaterThan(500);
  expect(delays?.cells).toBeGreaterThan(500);
}, 300_000);

it('a new folder under pipelines/ runs with nothing else changed, and stays when it is kept', async () => {
  const flags = ['--pipeline', WEATHER, '--bad', '5', '--duplicates', '5', '--keep'];
  const first = await start(...flags);
  expect(first.differences).toEqual([]);
  expect(first.closing).toBeNull();
  expect(first.cells).toBeGreaterThan(100);
  expect(first.stages).toMatchObject([{ pipeline: RAIN, differences: [] }]);
  expect(first.stages[0]?.events).toBeGreaterThan(100);
  if (!EXTERNAL) expect(isKept()).toBe(true);

  // A pipeline whose settings don't go together is told what to mend, and takes nothing along.
  writeUnsafePipeline();
  await expect(start('--pipeline', 'unsafe', '--keep')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/longer than the batching window: got .*; collect for less time/),
  });
  if (!EXTERNAL) expect(isKept()).toBe(true);

  // The checkpoint is lost: all records of the first run come again, in other batches.
  const [history = ''] = globSync('.millrace/local/runs/*.json', { cwd: clone })
    .map((file) => path.join(clone, file))
    .filter((file) => readFileSync(file, 'utf8').includes(`"${WEATHER}"`));
  const kept = JSON.parse(readFileSync(history, 'utf8'));
  expect(kept.checkpoints).not.toEqual({});
  writeFileSync(history, JSON.stringify({ ...kept, checkpoints: {}, archiveCheckpoints: {} }));

  // Tables that hold what nobody knows can't be compared with anything.
  const runs = path.join(clone, '.millrace', 'local', 'runs');
  renameSync(runs, `${runs}.aside`);
  await expect(start(...flags)).rejects.toMatchObject({
    code: 4,
    stderr: expect.stringContaining('runs that this checkout does not know'),
  });
  rmSync(runs, { recursive: true, force: true });
  renameSync(`${runs}.aside`, runs);

  const second = await start(...flags, '--seed', '2', '--events', '500');
  expect(second.differences).toEqual([]);
  expect(second.accepted).toBeGreaterThanOrEqual(first.accepted);
  expect(second.stages).toMatchObject([{ pipeline: RAIN, differences: [] }]);
  expect(second.archive).toMatchObject({ records: second.sent, equal: true });
}, 300_000);
