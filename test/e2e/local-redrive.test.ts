import { execFile } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchComputation } from '../../src/batch/batch.ts';
import { compareResults } from '../../src/batch/compare.ts';
import { compile } from '../../src/core/compile.ts';
import type { Program } from '../../src/core/program.ts';
import type { RedriveJob } from '../../src/core/redrive.ts';
import type { RedriveFindings } from '../../src/handlers/plan-redrive.ts';
import type { TracedDocument } from '../../src/handlers/redriven.ts';
import { adoptLocalEnvironment } from '../../src/local/child.ts';
import { makeClients } from '../../src/local/clients.ts';
import type { OpenDeployment } from '../../src/local/deployed.ts';
import { runEvents } from '../../src/local/feed/source.ts';
import { type RunNote, readHistory } from '../../src/local/history.ts';
import { readQuarantine } from '../../src/local/quarantine.ts';
import { requireFeed } from '../../src/local/require-feed.ts';
import { readStored } from '../../src/local/results.ts';
import { readDeployment } from '../../src/local/stacks.ts';
import { loadPipeline, type PipelineFolder } from '../../src/project/discover.ts';
import { cloneCheckout } from '../helpers/clone.ts';
import { ROOT } from '../helpers/sources.ts';

const run = promisify(execFile);

/** Flights of more miles are refused by the first pipeline. */
const MILES = 'distance: z.number().nonnegative(),';
const FEWER = 'distance: z.number().nonnegative().max(1500),';
const EVENTS = 4_000;
const DAY_MS = 86_400_000;

let clone = '';
let first: PipelineFolder;
let mended: PipelineFolder;
let open: OpenDeployment;

async function millrace(...args: string[]) {
  const { stdout } = await run(process.execPath, ['bin/millrace.ts', ...args], {
    cwd: clone,
    maxBuffer: 1e8,
  });
  return stdout;
}

const redrive = (...flags: string[]) =>
  millrace('redrive', '--pipeline', 'flights', '--json', ...flags);

const start = (...flags: string[]) =>
  millrace('start', '--pipeline', 'flights', '--json', '--alarm-speed', '60', ...flags);

function rewrite(from: string, to: string): void {
  const file = path.join(clone, 'pipelines', 'flights', 'pipeline.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}

beforeAll(async () => {
  clone = cloneCheckout();
  rewrite(MILES, FEWER);
  first = await loadPipeline(clone, 'flights');
  mended = await loadPipeline(ROOT, 'flights');
  const flags = ['--events', String(EVENTS), '--rate', '0', '--bad', '5', '--duplicates', '5'];
  const { endpoint, equal } = JSON.parse(await start(...flags, '--keep'));
  expect(equal).toBe(true);
  adoptLocalEnvironment(endpoint);
  const clients = makeClients();
  open = { clients, deployment: await readDeployment(clients, 'flights') };
}, 300_000);

afterAll(() => {
  for (const note of globSync('.millrace/local/emulator.json', { cwd: clone })) {
    process.kill(-JSON.parse(readFileSync(path.join(clone, note), 'utf8')).pid, 'SIGKILL');
  }
  rmSync(clone, { recursive: true, force: true });
});

async function quarantined(): Promise<readonly TracedDocument[]> {
  const nowMs = Date.now();
  const choice = {
    pipeline: 'flights',
    fromMs: nowMs - DAY_MS,
    toMs: nowMs + DAY_MS,
    reason: undefined,
    limit: 1e6,
    streamMs: DAY_MS,
  };
  const found: TracedDocument[] = [];
  for await (const traced of readQuarantine(open, choice)) found.push(traced);
  return found;
}

/** Of the stream that the run went into; the pipeline that is fed has a history without runs. */
function runOf(): { readonly epoch: string; readonly run: RunNote } {
  const directory = path.join(clone, '.millrace', 'local');
  const epochs = globSync('runs/*.json', { cwd: directory }).map((one) =>
    path.basename(one, '.json'),
  );
  const found = epochs.flatMap((epoch) =>
    readHistory(directory, epoch).runs.map((note) => ({ epoch, run: note })),
  );
  const [newest] = found;
  if (newest === undefined) throw new Error('no run is noted');
  return newest;
}

/** Everything that counts, each once: what the first pipeline took, and what was brought back. */
async function computed(program: Program, brought: readonly TracedDocument[]) {
  const firstProgram = compile(first.pipeline, first.references);
  const source = { folder: first, feed: await requireFeed(first), program: firstProgram };
  const { events } = await runEvents(runOf().run, source);
  const batch = new BatchComputation(mended.pipeline, program);
  const before = new BatchComputation(first.pipeline, firstProgram);
  const nowMs = Date.now();
  for (const { bytes, partition } of events) {
    const event = { bytes, lane: `p${partition}`, arrivalMs: nowMs };
    const verdict = before.add(event);
    if (verdict === 'accepted' || verdict === 'repeat') batch.add(event);
  }
  for (const [index, { document }] of brought.entries()) {
    const bytes = Buffer.from(document.bytes, 'base64');
    // In a lane of its own nothing is too late.
    const arrivalMs = Date.parse(document.arrival);
    expect(batch.add({ bytes, lane: `redriven ${index}`, arrivalMs })).toBe('accepted');
  }
  return batch.result();
}

async function differences() {
  const program = compile(mended.pipeline, mended.references);
  const brought = (await quarantined()).filter(({ job }) => job !== undefined);
  const source = { client: open.clients.dynamoDb, deployment: open.deployment, program };
  const stored = await readStored({ ...source, epoch: runOf().epoch });
  const none = { refused: new Map() };
  return compareResults({ ...stored, ...none }, { ...(await computed(program, brought)), ...none })
    .differences;
}

describe('events that a pipeline refused, after it was mended', () => {
  let findings: RedriveFindings;

  it('would come back, by cause, and nothing is changed by looking', async () => {
    const before: RedriveFindings = JSON.parse(await redrive('--dry-run'));
    rewrite(FEWER, MILES);
    await millrace('switch', '--pipeline', 'flights', '--yes');
    findings = JSON.parse(await redrive('--dry-run'));
    expect(findings.events).toBeGreaterThan(before.events + 100);
    const miles = findings.taken.filter(({ path: at }) => at === 'distance');
    expect(miles.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(100);
    expect(findings.refused.map(({ reason }) => reason)).toContain('not-decodable');
    expect(findings.leftOut['id-conflict']).toBeGreaterThan(0);
    expect((await quarantined()).filter(({ job }) => job !== undefined)).toEqual([]);
    expect(await differences()).toEqual([]);
  }, 300_000);

  it('come back once each in two jobs, with who asked, and the results equal the batch computation', async () => {
    await expect(redrive()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    });
    const job: RedriveJob = JSON.parse(await redrive('--yes', '--limit', '50'));
    expect(job).toMatchObject({ number: 1, state: 'done', plan: { events: 50 } });
    expect(job.by).not.toBe('');
    const rest: RedriveJob = JSON.parse(await redrive('--yes'));
    expect(rest).toMatchObject({ number: 2, plan: { events: findings.events - 50 } });
    expect(await differences()).toEqual([]);
    expect(JSON.parse(await redrive('--yes'))).toEqual({ job: null, events: 0 });
    expect(JSON.parse(await redrive('--job', '1'))).toMatchObject({ state: 'done' });
    expect(await differences()).toEqual([]);
  }, 300_000);

  it('are shown with the job that brought them back', async () => {
    const lines = (await millrace('quarantine', 'list', '--pipeline', 'flights', '--json')).trim();
    const documents = lines.split('\n').map((line) => JSON.parse(line));
    const brought = documents.filter(({ redriven }) => redriven?.state === 'done');
    expect(brought).toHaveLength(findings.events);
    const list = await millrace('quarantine', 'list', '--pipeline', 'flights', '--limit', '5000');
    expect(list).toContain('brought back by job 2 of 20');
  }, 120_000);

  it('are not tried again', async () => {
    const tried = millrace('quarantine', 'try', '--pipeline', 'flights', '--json');
    // Others would still be refused.
    const { stdout } = await tried.then(
      () => ({ stdout: '{}' }),
      (error: { readonly stdout: string }) => error,
    );
    const { passes, refused, redriven } = JSON.parse(stdout);
    expect(redriven).toBe(findings.events);
    expect(refused).toBeGreaterThan(0);
    expect(passes).toBeLessThan(findings.events / 4);
  }, 60_000);

  it('keep another run from comparing what it does not know', async () => {
    await expect(start('--keep', '--events', '10')).rejects.toMatchObject({
      code: 4,
      stderr: expect.stringContaining('events that were brought back'),
    });
  }, 120_000);
});
