/**
 * Sizes of bundles, and the CPU time of a process until a bundle has been evaluated, above that of an empty script:
 * what a cold start pays for code. Processes of all bundles take turns.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { ENV, REFERENCES_FILE } from '../src/core/contract.ts';
import { loadPipeline } from '../src/project/discover.ts';
import { machine, showSpread, spreadOf } from './lib/measure.ts';

const ROOT = path.join(import.meta.dirname, '..');
const ROUNDS = 10;
const directory = mkdtempSync(path.join(tmpdir(), 'millrace-cold-'));

/** Makes a table and nothing else. */
const ADAPTERS = {
  'table by our own client': `
    import { makeLeanClient, dynamoEndpoint, environmentCredentials } from './src/adapters/aws/lean-client.ts';
    import { makeLeanTable } from './src/adapters/aws/lean-table.ts';
    import { makeTransport } from './src/adapters/aws/transport.ts';
    import { systemClock as clock } from './src/adapters/aws/clock.ts';
    const endpoint = dynamoEndpoint('eu-west-1');
    const client = makeLeanClient({ endpoint, region: 'eu-west-1', credentials: environmentCredentials, transport: makeTransport(endpoint), clock });
    export const table = makeLeanTable({ client, tableName: 't', clock });`,
  'table by the SDK': `
    import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
    import { makeAwsTable } from './src/adapters/aws/table.ts';
    import { systemClock as clock } from './src/adapters/aws/clock.ts';
    export const table = makeAwsTable({ client: new DynamoDBClient({ region: 'eu-west-1' }), tableName: 't', clock });`,
} as const;

const folder = await loadPipeline(ROOT, 'flights');
const decoder = path.join(directory, 'decoder.mjs');
writeFileSync(decoder, folder.decoder.source);
writeFileSync(
  path.join(directory, REFERENCES_FILE),
  JSON.stringify(Object.fromEntries(folder.references)),
);

/** As lib/processing bundles functions. */
async function bundle(
  name: string,
  source: { file: string } | { contents: string },
): Promise<string> {
  const outfile = path.join(directory, `${name.replaceAll(' ', '-')}.mjs`);
  await build({
    absWorkingDir: ROOT,
    ...('file' in source
      ? { entryPoints: [source.file] }
      : { stdin: { contents: source.contents, resolveDir: ROOT, loader: 'ts' as const } }),
    alias: {
      '#pipeline': folder.file,
      '#decoder': decoder,
      '#millrace': path.join(ROOT, 'src/core/millrace.ts'),
    },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    },
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

/** Evaluates a bundle and says what CPU the process took until then. */
const runner = path.join(directory, 'run.mjs');
writeFileSync(
  runner,
  'await import(process.argv[2]); const { user, system } = process.cpuUsage(); console.log("cpu " + (user + system) / 1000); process.exit(0);',
);

function startMs(file: string): number {
  const names = Object.values(ENV).map((name) => [name, '{}']);
  const env = {
    ...Object.fromEntries(names),
    [ENV.outputs]: '{"late":{"streamArn":"arn:aws:kinesis:eu-west-1:1:stream/s","partitions":1}}',
    AWS_REGION: 'eu-west-1',
    PATH: process.env.PATH,
  };
  const { stdout, stderr } = spawnSync(process.execPath, [runner, file], { env });
  const told = /cpu ([\d.]+)/.exec(String(stdout))?.[1];
  if (told === undefined) throw new Error(`${file}: ${String(stderr).slice(-500)}`);
  return Number(told);
}

const empty = path.join(directory, 'empty.mjs');
writeFileSync(empty, '');
const bundles = [
  ...Object.entries(ADAPTERS).map(([name, contents]) => ({ name, source: { contents } })),
  ...['archive', 'close', 'consume', 'keep'].map((name) => ({
    name: `function ${name}`,
    source: { file: `functions/${name}.ts` },
  })),
];
const files: { readonly name: string; readonly file: string }[] = [];
for (const { name, source } of bundles) files.push({ name, file: await bundle(name, source) });

const above = new Map<string, number[]>(files.map(({ name }) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  const emptyMs = startMs(empty);
  for (const { name, file } of files) above.get(name)?.push(startMs(file) - emptyMs);
}
console.log(`${machine()}, ${ROUNDS} rounds; median (least to greatest)`);
for (const { name, file } of files) {
  const kilobytes = (statSync(file).size / 1024).toFixed(0);
  console.log(
    `${name.padEnd(26)} ${kilobytes.padStart(5)} KB  ${showSpread(spreadOf(above.get(name) ?? []))} ms of CPU above an empty script`,
  );
}
rmSync(directory, { recursive: true, force: true });
