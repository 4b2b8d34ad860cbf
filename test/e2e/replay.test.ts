import { execFile } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchComputation, type BatchResult } from '../../src/batch/batch.ts';
import { compareResults } from '../../src/batch/compare.ts';
import { compile } from '../../src/core/compile.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { Program } from '../../src/core/program.ts';
import { epochOfWriter } from '../../src/core/writer.ts';
import { adoptLocalEnvironment } from '../../src/local/child.ts';
import { type LocalClients, makeClients } from '../../src/local/clients.ts';
import { type DeployedGeneration, findGeneration } from '../../src/local/generations.ts';
import { readStored } from '../../src/local/results.ts';
import { type Deployment, readDeployment } from '../../src/local/stacks.ts';
import { readStream, type StreamRecord } from '../../src/local/stream-records.ts';
import { loadPipeline } from '../../src/project/discover.ts';
import { cloneCheckout } from '../helpers/clone.ts';

const run = promisify(execFile);

/** How many of its flights are sent; a run takes a minute, with each function's cold start. */
const EVENTS = 3_000;

let clone = '';
let clients: LocalClients;
let deployment: Deployment;
let records: readonly StreamRecord[] = [];
let changed: { readonly pipeline: AnyPipeline; readonly program: Program };

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function millrace(...args: string[]): Promise<Answer> {
  const command = ['bin/millrace.ts', ...args];
  try {
    const ended = await run(process.execPath, command, { cwd: clone, maxBuffer: 1e8 });
    return { code: 0, ...ended };
  } catch (error) {
    const { code, stdout, stderr } = error as Answer;
    return { code, stdout, stderr };
  }
}

async function replay(...args: string[]) {
  const answer = await millrace('replay', '--pipeline', 'flights', '--yes', '--json', ...args);
  return { ...answer, json: answer.stdout === '' ? undefined : JSON.parse(answer.stdout) };
}

beforeAll(async () => {
  clone = cloneCheckout();
  const flags = ['--rate', '0', '--alarm-speed', '60', '--json', '--bad', '3', '--duplicates', '3'];
  const sent = ['start', '--keep', '--events', String(EVENTS), ...flags];
  const { stdout, stderr } = await millrace(...sent);
  const { endpoint, equal } = JSON.parse(stdout || '{}');
  expect(equal, stderr).toBe(true);
  adoptLocalEnvironment(endpoint);
  clients = makeClients();
  deployment = await readDeployment(clients, 'flights');
  const { StreamDescriptionSummary: stream } = await describeStream();
  records = await readStream(clients.kinesis, stream?.StreamARN ?? '');
  changed = await changePipeline();
}, 300_000);

async function describeStream() {
  const { DescribeStreamSummaryCommand } = await import('@aws-sdk/client-kinesis');
  const command = new DescribeStreamSummaryCommand({ StreamName: deployment.streamName });
  return clients.kinesis.send(command);
}

/** What counts as late is another time from now on, and one airport is left out. */
async function changePipeline() {
  const file = path.join(clone, 'pipelines', 'flights', 'pipeline.ts');
  const text = readFileSync(file, 'utf8')
    .replace('late: flight.delay > 15', 'late: flight.delay > 45')
    .replace('flights.enrich(', "flights.filter(({ origin }) => origin !== 'ATL').enrich(");
  writeFileSync(file, text);
  const { pipeline, references } = await loadPipeline(clone, 'flights');
  return { pipeline, program: compile(pipeline, references) };
}

afterAll(() => {
  for (const note of globSync('.millrace/local/emulator.json', { cwd: clone })) {
    process.kill(-JSON.parse(readFileSync(path.join(clone, note), 'utf8')).pid, 'SIGKILL');
  }
  rmSync(clone, { recursive: true, force: true });
});

async function generation(name: string): Promise<DeployedGeneration> {
  const of = { clients, deployment, pipeline: 'flights', environment: 'dev' };
  const found = await findGeneration(of, name);
  if (found === undefined) throw new Error(`no generation ${name}`);
  return found;
}

/** What a generation's tables hold, of the stream's writers. */
async function stored(name: string) {
  const { ledgerTable, aggregatesTable, quarantineTable } = await generation(name);
  const tables = { ...deployment, ledgerTable, aggregatesTable, quarantineTable };
  const { client, epoch } = { client: clients.dynamoDb, epoch: await epochOfTables(ledgerTable) };
  return readStored({ client, deployment: tables, program: changed.program, epoch });
}

async function epochOfTables(TableName: string): Promise<string> {
  const { QueryCommand } = await import('@aws-sdk/client-dynamodb');
  const command = new QueryCommand({
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: '1|registry' } },
  });
  const { Items } = await clients.dynamoDb.send(command);
  return epochOfWriter(Items?.[0]?.sk?.S ?? '');
}

function computed(): BatchResult {
  const batch = new BatchComputation(changed.pipeline, changed.program);
  for (const { bytes, partitionKey, arrivalMs } of records) {
    batch.add({ bytes, lane: partitionKey, arrivalMs });
  }
  return batch.result();
}

describe('replaying under a changed pipeline', () => {
  it('says before what it would do, and writes nothing', async () => {
    const { json, stderr } = await replay('--dry-run');

    expect(json, stderr).toMatchObject({ tried: 1, events: records.length, repeated: 0, gaps: [] });
    expect(json.rows).toBeGreaterThan(100);
    expect(json.dollars).toBeGreaterThan(0);
  }, 120_000);

  it('makes a generation that equals the batch computation, beside the live one', async () => {
    const { code, json, stderr } = await replay();

    expect(code, stderr).toBe(0);
    expect(json).toMatchObject({ generation: '2', state: 'complete', gaps: [] });
    expect(json.read).toBe(records.length);
    const { differences } = compareResults(await stored('2'), computed());
    expect(differences).toEqual([]);
  }, 300_000);

  it('changes nothing when it is done again, nor when it is done into the live one', async () => {
    const again = await replay('--generation', '2');
    const live = await replay('--into', 'live');

    expect(again.json, again.stderr).toMatchObject({
      state: 'complete',
      accepted: 0,
      duplicates: 0,
    });
    expect(live.json, live.stderr).toMatchObject({ accepted: 0, duplicates: 0, quarantined: 0 });
    expect(live.json.repeated).toBe(records.length);
    const { differences } = compareResults(await stored('2'), computed());
    expect(differences).toEqual([]);
  }, 120_000);

  it('is compared with the live one: what the change does, and nothing else', async () => {
    const { code, json, stderr } = await replay('--compare', '2');

    expect(code, stderr).toBe(1);
    expect([json.left, json.right]).toEqual(['1', '2']);
    const routes = json.windows.find(({ window }: { window: string }) => window === 'routes');
    expect(routes).toMatchObject({ changed: 0, onlyRight: 0 });
    expect(routes.onlyLeft).toBeGreaterThan(0);
    const origins = json.windows.find(({ window }: { window: string }) => window === 'origins');
    expect(origins.columns.map(({ column }: { column: string }) => column)).toEqual(['late']);
    expect(origins.columns[0].difference).toBeLessThan(0);
  }, 120_000);

  it('goes live with one command, and back', async () => {
    const there = await replay('--swap', '2');
    const back = await replay('--swap', '1');

    expect(there.json, there.stderr).toEqual({ live: '2', before: '1' });
    expect(back.json, back.stderr).toEqual({ live: '1', before: '2' });
  }, 120_000);

  it('of one key and of events that fit is a part: it is compared, and can’t go live', async () => {
    const part = ['--key', 'ORD', '--filter', "origin = 'ORD'", '--generation', '3'];
    const made = await replay(...part);
    const compared = await replay('--compare', '3');
    const refused = await replay('--swap', '3');

    expect(made.json, made.stderr).toMatchObject({ generation: '3', state: 'complete' });
    const origins = compared.json.windows.find(
      ({ window }: { window: string }) => window === 'origins',
    );
    expect(origins.onlyRight).toBe(0);
    expect(origins.equal + origins.changed).toBeGreaterThan(0);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("can't go live");
  }, 300_000);

  it('goes on with no generation of another version of the pipeline', async () => {
    const file = path.join(clone, 'pipelines', 'flights', 'pipeline.ts');
    writeFileSync(file, readFileSync(file, 'utf8').replace('delay > 45', 'delay > 60'));

    const { code, stderr } = await replay('--generation', '2');

    expect(code).toBe(2);
    expect(stderr).toContain('of another version of flights');
    expect(stderr).toContain('--generation 4');
  }, 60_000);
});
