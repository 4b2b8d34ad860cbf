import { rmSync } from 'node:fs';
import {
  InvokeCommand,
  ListFunctionsCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENV } from '../../src/core/contract.ts';
import type { LocatedVerdict } from '../../src/local/archived-run.ts';
import { adoptLocalEnvironment } from '../../src/local/child.ts';
import { type LocalClients, makeClients } from '../../src/local/clients.ts';
import { cloneCheckout } from '../helpers/clone.ts';
import { startRun, stopKept } from '../helpers/start-run.ts';

interface Result {
  readonly endpoint: string;
  readonly sent: number;
  readonly equal: boolean;
  readonly archive: LocatedVerdict | null;
}

const FLAGS = ['--bad', '5', '--duplicates', '5', '--keep'];
let clone = '';
let first: Result;
let clients: LocalClients;

const start = (...flags: string[]) => startRun<Result>(clone, [...FLAGS, ...flags]);

beforeAll(async () => {
  clone = cloneCheckout();
  first = await start('--events', '4000');
  adoptLocalEnvironment(first.endpoint);
  clients = makeClients();
}, 300_000);

afterAll(() => {
  stopKept(clone);
  rmSync(clone, { recursive: true, force: true });
});

function bucketOf({ archive }: Result): string {
  return new URL(archive?.where ?? '').host;
}

/** A function of flights: what it feeds is deployed too. */
async function functionNamed(part: string) {
  const { Functions } = await clients.lambda.send(new ListFunctionsCommand({ MaxItems: 50 }));
  return Functions?.find(
    ({ FunctionName = '' }) => FunctionName.startsWith('flights') && FunctionName.includes(part),
  );
}

/** What the deployed check logs. */
async function check(): Promise<string> {
  const { FunctionName } = (await functionNamed('ArchiverChecker')) ?? {};
  const command = new InvokeCommand({ FunctionName, LogType: 'Tail', Payload: '{}' });
  const { FunctionError, LogResult } = await clients.lambda.send(command);
  expect(FunctionError).toBeUndefined();
  return Buffer.from(LogResult ?? '', 'base64').toString();
}

describe('the archive of a local run', () => {
  it('read back, equals the records sent: bad and repeated ones too', () => {
    expect(first.equal).toBe(true);
    expect(first.archive).toMatchObject({
      records: first.sent,
      equal: true,
      differences: [],
      gaps: [],
    });
    expect(first.sent).toBeGreaterThan(4_000);
    expect(first.archive?.objects).toBeGreaterThan(0);
  });

  it('is checked by the deployed check, which tells a gap when an object is gone', async () => {
    expect(await check()).toContain('"gapCount":0');

    const Bucket = bucketOf(first);
    const { Contents } = await clients.s3.send(new ListObjectsV2Command({ Bucket }));
    const [{ Key } = {}] = Contents ?? [];
    await clients.s3.send(new DeleteObjectCommand({ Bucket, Key }));

    expect(await check()).toContain('"gapCount":1');
  }, 60_000);

  it('ends the run with 1 when it is not where it has to be, and says from where on', async () => {
    const archiver = await functionNamed('ArchiverFunction');
    await clients.s3.send(new CreateBucketCommand({ Bucket: 'elsewhere' }));
    const Variables = { ...archiver?.Environment?.Variables, [ENV.archiveBucket]: 'elsewhere' };
    const { FunctionName } = archiver ?? {};
    await clients.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }),
    );

    const failed = await start('--events', '500', '--seed', '3').catch((error: unknown) => error);

    expect(failed).toMatchObject({ code: 1 });
    const { archive }: Result = JSON.parse(Object(failed).stdout);
    expect(archive).toMatchObject({ records: 0, equal: false });
    expect(archive?.differences).toMatchObject([{ equal: 0, sent: { count: expect.any(Number) } }]);
  }, 300_000);
});
