import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneCheckout } from '../helpers/clone.ts';
import { SlowTable } from '../helpers/slow-table.ts';
import { startRun } from '../helpers/start-run.ts';

let clone = '';
let table: SlowTable;

beforeAll(async () => {
  clone = cloneCheckout();
  const note = path.join(clone, '.millrace', 'local', 'emulator.json');
  const upstream = () => JSON.parse(readFileSync(note, 'utf8')).endpoint;
  table = new SlowTable({ upstream, healthy: 25, troubleMs: 10_500, slowMs: 12_000 });
  writePipeline(await table.start());
  shortenTimeout();
});

afterAll(async () => {
  await table?.stop();
  rmSync(clone, { recursive: true, force: true });
});

/** Within the function, its process ends the first two times that it meets a rainy day, and its tables are slow. */
function writePipeline(endpoint: string): void {
  const folder = path.join(clone, 'pipelines', 'stormy');
  const deaths = path.join(clone, '.millrace', 'deaths');
  mkdirSync(folder);
  writeFileSync(
    path.join(folder, 'pipeline.ts'),
    `import { z } from 'zod';
     import { definePipeline } from '#millrace';
     const deployed = process.env.AWS_LAMBDA_FUNCTION_NAME !== undefined;
     if (deployed) process.env.AWS_ENDPOINT_URL_DYNAMODB = '${endpoint}';
     export default definePipeline({
       name: 'stormy',
       schema: z.object({ at: z.number(), place: z.string(), rain: z.number() }),
       key: 'place', time: 'at', partitions: 4, lateness: '2 days',
       transform: (days) => days.map((day) => {
         if (deployed && day.rain > 0) {
           const fs = process.getBuiltinModule('node:fs');
           const died = fs.existsSync('${deaths}') ? fs.readFileSync('${deaths}', 'utf8').length : 0;
           if (died < 2) { fs.appendFileSync('${deaths}', 'x'); process.exit(1); }
         }
         return day;
       }),
       windows: ({ tumbling, count, sum }) => ({
         weeks: tumbling('7 days', { by: 'place', keep: { days: count(), rain: sum('rain') } }),
       }),
       retention: { windows: '3000 days', events: '7 days' },
     });`,
  );
  writeFileSync(
    path.join(folder, 'feed.ts'),
    `import { defineFeed } from '#millrace';
     export default defineFeed<{ location: string; date: string; precipitation: string }>({
       file: '../../node_modules/vega-datasets/data/weather.csv',
       time: (row) => new Date(row.date),
       data: (row, { timeMs }) => ({ at: timeMs, place: row.location, rain: Number(row.precipitation) }),
     });`,
  );
}

/** As short as the rules allow, so that the trouble outlasts what is left of an invocation. */
function shortenTimeout(): void {
  writeFileSync(
    path.join(clone, 'millrace.config.ts'),
    `import { DEV } from './lib/config/environment.ts';
     const consumer = { ...DEV.consumer, timeoutSeconds: 10, batchSize: 250 };
     export default { dev: { ...DEV, consumer } };`,
  );
}

interface Result {
  readonly differences: readonly unknown[];
  readonly accepted: number;
  readonly quarantined: Readonly<Record<string, number>>;
  readonly troubled: number;
  readonly givenUp: number;
}

// Against another local cloud, functions may run where they reach nothing of this machine.
it.runIf(process.env.AWS_ENDPOINT_URL === undefined)(
  'poison records, a function that dies and slow tables cost no result',
  async () => {
    const flags = ['--pipeline', 'stormy', '--events', '1500', '--bad', '5', '--duplicates', '5'];
    const result = await startRun<Result>(clone, flags);

    expect(result.differences).toEqual([]);
    expect(result.accepted).toBeGreaterThan(1_000);
    expect(Object.keys(result.quarantined).length).toBeGreaterThan(2);
    expect(readFileSync(path.join(clone, '.millrace', 'deaths'), 'utf8')).toBe('xx');
    expect(result.givenUp).toBe(0);
    for (const fault of ['throttle', 'loseAnswer', 'slow'] as const) {
      expect(table.counts[fault], fault).toBeGreaterThan(0);
    }
    // Two deaths, and at least one invocation that the tables left unfinished.
    expect(result.troubled).toBeGreaterThan(2);
  },
  180_000,
);
