import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAwsBucket } from '../../src/adapters/aws/bucket.ts';
import { systemClock } from '../../src/adapters/aws/clock.ts';
import { makeAwsStream } from '../../src/adapters/aws/stream.ts';
import { makeAwsTable } from '../../src/adapters/aws/table.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { BatchComputation, type BatchVersion } from '../../src/batch/batch.ts';
import { compareResults } from '../../src/batch/compare.ts';
import { compile } from '../../src/core/compile.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../../src/core/partition.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import { epochOf } from '../../src/core/writer.ts';
import { readVersions } from '../../src/handlers/version-watch.ts';
import { adoptLocalEnvironment, stopGroup } from '../../src/local/child.ts';
import { makeClients } from '../../src/local/clients.ts';
import { readMapping } from '../../src/local/deployed-mapping.ts';
import { MappingDriver } from '../../src/local/mapping-driver.ts';
import { readStored } from '../../src/local/results.ts';
import { readDeployment } from '../../src/local/stacks.ts';
import { readStream } from '../../src/local/stream-records.ts';
import { codePrintOf } from '../../src/project/code-print.ts';
import { cloneCheckout } from '../helpers/clone.ts';

const NAME = 'earthquakes';
let clone = '';
let emulator: number | undefined;

beforeAll(() => {
  clone = cloneCheckout();
});

afterAll(() => {
  stopGroup(emulator, 'SIGKILL');
  rmSync(clone, { recursive: true, force: true });
});

/** Runs a command in the clone; answers its exit code and all that it said. */
async function millrace(...args: string[]): Promise<{ code: number | null; said: string }> {
  const env = { ...process.env, AWS_ENDPOINT_URL: undefined };
  const child = spawn(process.execPath, ['bin/millrace.ts', ...args, '--pipeline', NAME], {
    cwd: clone,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      said += data;
    });
  }
  const [code] = await once(child, 'close');
  return { code, said };
}

async function versionIn(file: string): Promise<BatchVersion> {
  const { default: pipeline }: { default: AnyPipeline } = await import(pathToFileURL(file).href);
  return { pipeline, program: compile(pipeline, new Map(), { codePrint: codePrintOf(file) }) };
}

/** The deployed function, driven as a mapping would, from the start of the stream. */
async function open() {
  const note = readFileSync(path.join(clone, '.millrace/local/emulator.json'), 'utf8');
  const { pid, endpoint }: { pid: number; endpoint: string } = JSON.parse(note);
  emulator = pid;
  adoptLocalEnvironment(endpoint);
  const clients = makeClients();
  const deployment = await readDeployment(clients, NAME);
  const mapping = await readMapping(clients.lambda, deployment.mappingId);
  const { streamArn } = mapping;
  const stream = makeAwsStream({ client: clients.kinesis, streamArn, clock: systemClock });
  const epoch = epochOf(await stream.identify({ deadlineMs: Date.now() + 10_000 }));
  return { clients, deployment, mapping, epoch };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** A quake each 0.1 s, of magnitudes around both versions' limits. */
async function send({ clients, mapping }: Opened, partitions: number, isDone: () => boolean) {
  const random = makeSeededRandom(1);
  let sent = 0;
  while (!isDone()) {
    sent += 1;
    const net = ['us', 'ak', 'ci', 'nc', 'hv'][sent % 5] ?? 'us';
    const data = quake(`s${sent}`, net, 3 + random.next() * 3);
    const event = {
      ...{ specversion: '1.0', id: `s${sent}`, source: 'urn:test', type: 'earthquakes.event' },
      ...{ datacontenttype: 'application/json', data },
    };
    const partition = partitionOf(net, partitions);
    await clients.kinesis.send(
      new PutRecordCommand({
        StreamARN: mapping.streamArn,
        PartitionKey: partitionKey(partition),
        ExplicitHashKey: explicitHashKey(partition, partitions),
        Data: Buffer.from(JSON.stringify(event)),
      }),
    );
    await delay(100);
  }
  return sent;
}

function quake(id: string, net: string, mag: number) {
  const place = '5 km N of Here, There';
  const time = Date.now();
  const properties = { mag, time, place, net, magType: 'ml', type: 'earthquake', tsunami: 0 };
  return { type: 'Feature', id, properties, geometry: { type: 'Point', coordinates: [1, 2, 3] } };
}

function drive({ clients, deployment, mapping }: Opened, signal: AbortSignal): MappingDriver {
  const failures = makeAwsBucket({
    client: clients.s3,
    bucketName: deployment.quarantineBucket,
    clock: systemClock,
  });
  const { kinesis, lambda } = clients;
  return new MappingDriver({ kinesis, lambda, failures, mapping, checkpoints: {}, signal });
}

describe.runIf(process.env.AWS_ENDPOINT_URL === undefined)('a switch in the local cloud', () => {
  it('decides by the old version up to its time and by the new one from it on, while events flow', async () => {
    const started = await millrace('start', '--keep', '--events', '300', '--rate', '0');
    expect(started.code, started.said).toBe(0);
    const file = path.join(clone, 'pipelines', NAME, 'pipeline.ts');
    const before = await versionIn(file);
    const changed = path.join(clone, 'pipelines', NAME, 'changed.ts');
    writeFileSync(changed, readFileSync(file, 'utf8').replace('>= 4.5', '>= 5'));
    const after = await versionIn(changed);
    writeFileSync(file, readFileSync(changed, 'utf8'));
    const refused = await millrace('start', '--keep', '--events', '300');
    expect(refused.said).toContain('runs another version');

    const opened = await open();
    const stop = new AbortController();
    const driver = drive(opened, stop.signal);
    await driver.start();
    let isDone = false;
    const sending = send(opened, Number(before.program.settings.partitions), () => isDone);
    const switched = await millrace('switch', '--yes');
    expect(switched.code, switched.said).toBe(0);
    await delay(3_000);
    isDone = true;
    const sent = await sending;
    const records = await readStream(opened.clients.kinesis, opened.mapping.streamArn);
    const last = new Map(records.map(({ shard, sequence }) => [shard, sequence]));
    const isFinished = () => [...last].every(([shard, seq]) => driver.isFinishedUpTo(shard, seq));
    while (!isFinished()) await delay(200);
    stop.abort();

    const { clients, deployment, epoch } = opened;
    const ledger = makeAwsTable({
      client: clients.dynamoDb,
      tableName: deployment.ledgerTable,
      clock: systemClock,
    });
    const context = {
      clock: systemClock,
      random: makeSeededRandom(1),
      deadlineMs: Date.now() + 10_000,
    };
    const list = await readVersions(ledger, context);
    const prints = [before, after].map(({ program }) => program.fingerprint);
    expect(list?.versions.map(({ print }) => print)).toEqual(prints);
    const atMs = list?.versions[1]?.fromMs ?? 0;
    const batch = new BatchComputation(after.pipeline, after.program);
    const highMs = new Map<string, number>();
    for (const { bytes, partitionKey: lane, arrivalMs } of records) {
      highMs.set(lane, Math.max(highMs.get(lane) ?? 0, arrivalMs));
      const by = (highMs.get(lane) ?? 0) < atMs ? before : after;
      batch.add({ bytes, lane, arrivalMs, by });
    }
    const stored = await readStored({
      client: clients.dynamoDb,
      deployment,
      program: after.program,
      epoch,
    });
    expect(sent).toBeGreaterThan(300);
    expect(compareResults(stored, batch.result()).differences).toEqual([]);
    const by = records.filter(({ arrivalMs }) => arrivalMs >= atMs).length;
    expect(by).toBeGreaterThan(50);
    expect(records.length - by).toBeGreaterThan(300);
  }, 600_000);
});
