import {
  ExpiredIteratorException,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { LambdaClient, RequestTooLargeException } from '@aws-sdk/client-lambda';
import { expect, it, vi } from 'vitest';
import { makeMemoryBucket } from '../../../src/adapters/memory/bucket.ts';
import type { DeployedMapping } from '../../../src/local/deployed-mapping.ts';
import { MappingDriver, type MappingObserver } from '../../../src/local/mapping-driver.ts';
import { type MappingSettings, mappingSettings } from '../../../src/mapping/settings.ts';

interface Command {
  readonly input: Readonly<Record<string, unknown>>;
}

const SHARD = 'shardId-000000000000';

/** A stream of one shard with some records, whose first iterator expires when it is first used. */
function kinesisWith(
  count: number,
  { expires = false, dataOf = (sequence: number) => `record ${sequence}` } = {},
) {
  const iterators: Command['input'][] = [];
  let expired = !expires;
  const client = new KinesisClient({ region: 'eu-west-1' });
  client.send = async (command: Command) => {
    const { input } = command;
    if (command instanceof ListShardsCommand) return { Shards: [{ ShardId: SHARD }] };
    if (command instanceof GetShardIteratorCommand) {
      iterators.push(input);
      return { ShardIterator: String(input.StartingSequenceNumber ?? 0) };
    }
    if (!expired) {
      expired = true;
      throw new ExpiredIteratorException({ $metadata: {}, message: 'expired' });
    }
    const from = Number(input.ShardIterator);
    const Records = Array.from({ length: Math.min(2, count - from) }, (_, index) => ({
      SequenceNumber: String(from + index + 1),
      PartitionKey: 'p-0',
      Data: Buffer.from(dataOf(from + index + 1)),
      ApproximateArrivalTimestamp: new Date(1_000),
    }));
    return { Records, NextShardIterator: String(from + Records.length) };
  };
  return { client, iterators };
}

type Answer =
  | { readonly FunctionError?: string; readonly body?: unknown; readonly text?: string }
  | Error;

/** A function that answers as told, then with success; it notes the sequence numbers it was given. */
function lambdaWith(...answers: Answer[]) {
  const batches: string[][] = [];
  const client = new LambdaClient({ region: 'eu-west-1' });
  client.send = async ({ input }: Command) => {
    const event: { Records: { kinesis: { sequenceNumber: string } }[] } = JSON.parse(
      String(input.Payload),
    );
    batches.push(event.Records.map(({ kinesis }) => kinesis.sequenceNumber));
    const answer = answers.shift() ?? { body: { batchItemFailures: [] } };
    if (answer instanceof Error) throw answer;
    const text = answer.text ?? JSON.stringify(answer.body ?? {});
    const $metadata = { requestId: `request-${batches.length}` };
    return {
      ...answer,
      $metadata,
      ExecutedVersion: '7',
      Payload: { transformToString: () => text },
    };
  };
  return { client, batches };
}

const MAPPING: DeployedMapping = {
  id: 'm',
  functionArn: 'arn:f',
  streamArn: 'arn:aws:kinesis:us-east-1:1:stream/s',
  region: 'us-east-1',
  settings: mappingSettings({ reportsFailures: true }),
};

async function drive(
  kinesis: ReturnType<typeof kinesisWith>,
  lambda: ReturnType<typeof lambdaWith>,
  options: {
    settings?: Partial<MappingSettings>;
    checkpoints?: Record<string, string>;
    last: string;
    observer?: MappingObserver;
  },
) {
  const stop = new AbortController();
  const failures = makeMemoryBucket();
  const driver = new MappingDriver({
    kinesis: kinesis.client,
    lambda: lambda.client,
    failures,
    mapping: {
      ...MAPPING,
      settings: mappingSettings({ reportsFailures: true, ...options.settings }),
    },
    checkpoints: options.checkpoints ?? {},
    signal: stop.signal,
    ...(options.observer === undefined ? {} : { observer: options.observer }),
  });
  await driver.start();
  await vi.waitFor(() => expect(driver.isFinishedUpTo(SHARD, options.last)).toBe(true), 10_000);
  stop.abort();
  return { driver, failures };
}

it('reads a shard from its oldest record and invokes the function until all is finished', async () => {
  const lambda = lambdaWith();
  const { driver } = await drive(kinesisWith(5), lambda, { last: '5' });

  expect(lambda.batches.flat()).toEqual(['1', '2', '3', '4', '5']);
  expect(driver.progress()).toMatchObject({
    read: 5,
    processed: 5,
    givenUp: 0,
    troubled: 0,
    lagMs: 0,
  });
  expect(driver.checkpoints()).toEqual({ [SHARD]: '5' });
});

it('goes on behind its checkpoint, and takes a new iterator when one has expired', async () => {
  const kinesis = kinesisWith(5, { expires: true });
  const lambda = lambdaWith();
  await drive(kinesis, lambda, { checkpoints: { [SHARD]: '3' }, last: '5' });

  expect(lambda.batches.flat()).toEqual(['4', '5']);
  expect(kinesis.iterators).toHaveLength(2);
  expect(kinesis.iterators[1]).toMatchObject({
    ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
    StartingSequenceNumber: '3',
  });
});

it('sends again what the function reported, what it threw at, and what was throttled', async () => {
  const lambda = lambdaWith(
    { body: { batchItemFailures: [{ itemIdentifier: '2' }] } },
    { FunctionError: 'Unhandled', body: { errorMessage: 'boom' } },
    new Error('TooManyRequestsException'),
  );
  const { driver } = await drive(kinesisWith(2), lambda, { last: '2' });

  expect(lambda.batches).toEqual([['1', '2'], ['2'], ['2'], ['2']]);
  expect(driver.progress()).toMatchObject({ processed: 2, invocations: 4, troubled: 3 });
  expect(driver.progress().lastFailure).toContain('TooManyRequests');
}, 20_000);

it('writes what is given up to the failure destination, with the whole event', async () => {
  const lambda = lambdaWith({ FunctionError: 'Unhandled', body: { errorMessage: 'boom' } });
  const { driver, failures } = await drive(kinesisWith(2), lambda, {
    settings: { retriesMax: 0 },
    last: '2',
  });
  await vi.waitFor(() => expect(failures.objects.size).toBe(1));

  const [[key, body] = ['', new Uint8Array()]] = failures.objects;
  const document = JSON.parse(Buffer.from(body).toString());
  expect(key).toMatch(/^aws\/lambda\/m\/shardId-000000000000\//);
  expect(document.requestContext).toMatchObject({
    condition: 'RetryAttemptsExhausted',
    requestId: 'request-1',
  });
  expect(document.responseContext).toMatchObject({ executedVersion: '7' });
  expect(JSON.parse(document.payload).Records).toHaveLength(2);
  expect(driver.progress()).toMatchObject({ givenUp: 2, processed: 0 });
});

it('starts where the mapping starts', async () => {
  const at = { type: 'AT_TIMESTAMP', timestampMs: 1_500 } as const;
  const past = kinesisWith(1);
  await drive(past, lambdaWith(), { settings: { startingPosition: at }, last: '1' });
  const latest = kinesisWith(1);
  const beforeMs = Date.now();
  await drive(latest, lambdaWith(), {
    settings: { startingPosition: { type: 'LATEST' } },
    last: '1',
  });

  expect(past.iterators).toMatchObject([
    { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(1_500) },
  ]);
  expect(latest.iterators).toMatchObject([{ ShardIteratorType: 'AT_TIMESTAMP' }]);
  expect(Number(latest.iterators[0]?.Timestamp)).toBeGreaterThanOrEqual(beforeMs);
});

it('leaves out what the filters drop, and goes on behind it', async () => {
  const kinesis = kinesisWith(5, { dataOf: (sequence) => JSON.stringify({ n: sequence % 2 }) });
  const lambda = lambdaWith();
  const { driver } = await drive(kinesis, lambda, {
    settings: { filters: ['{"data":{"n":[1]}}'], batchSize: 2 },
    last: '5',
  });

  expect(lambda.batches.flat()).toEqual(['1', '3', '5']);
  expect(driver.progress()).toMatchObject({ read: 5, dropped: 2, processed: 3 });
  expect(driver.checkpoints()).toEqual({ [SHARD]: '5' });
});

it('keeps the checkpoint before what is not finished, and those of shards that are gone', async () => {
  const failing = { body: { batchItemFailures: [{ itemIdentifier: '2' }] } };
  const lambda = lambdaWith(...Array.from({ length: 100 }, () => failing));
  const { driver } = await drive(kinesisWith(2), lambda, {
    checkpoints: { 'shardId-000000000009': '77' },
    last: '1',
  });

  expect(driver.checkpoints()).toEqual({ 'shardId-000000000009': '77', [SHARD]: '1' });
});

it('takes an answer that is no JSON for a failure, and a payload that is too large for a try', async () => {
  const tooLarge = new RequestTooLargeException({ $metadata: {}, message: 'too large' });
  const lambda = lambdaWith({ text: 'done' }, tooLarge);
  const { driver, failures } = await drive(kinesisWith(1), lambda, {
    settings: { retriesMax: 1 },
    last: '1',
  });
  await vi.waitFor(() => expect(failures.objects.size).toBe(1));

  const [body = new Uint8Array()] = failures.objects.values();
  const document = JSON.parse(Buffer.from(body).toString());
  expect(document.requestContext.approximateInvokeCount).toBe(2);
  expect(document).not.toHaveProperty('responseContext');
  expect(driver.progress().lastFailure).toContain('too large');
});

it('reads and calls nothing while it is paused, and goes on afterwards', async () => {
  const kinesis = kinesisWith(4);
  const lambda = lambdaWith();
  const stop = new AbortController();
  const driver = new MappingDriver({
    kinesis: kinesis.client,
    lambda: lambda.client,
    failures: makeMemoryBucket(),
    mapping: MAPPING,
    checkpoints: {},
    signal: stop.signal,
  });
  driver.pause();
  await driver.start();
  expect(driver.isPaused).toBe(true);
  expect(driver.progress()).toMatchObject({ read: 0, invocations: 0 });

  driver.resume();
  await vi.waitFor(() => expect(driver.isFinishedUpTo(SHARD, '4')).toBe(true), 10_000);
  stop.abort();
  expect(lambda.batches.flat()).toEqual(['1', '2', '3', '4']);
});

it('tells its observer what each call came to, and what was given up', async () => {
  const calls: string[] = [];
  const gaveUp: number[] = [];
  const observer = {
    called: ({ outcome, newestArrivalMs }: { outcome: string; newestArrivalMs: number }) =>
      calls.push(`${outcome} ${newestArrivalMs}`),
    gaveUp: (records: number) => gaveUp.push(records),
  };
  const lambda = lambdaWith(new Error('TooManyRequestsException'), {
    FunctionError: 'Unhandled',
    body: { errorMessage: 'boom' },
  });
  await drive(kinesisWith(2), lambda, { settings: { retriesMax: 0 }, last: '2', observer });

  expect(calls).toEqual(['not-invoked 1000', 'failed 1000']);
  expect(gaveUp).toEqual([2]);
}, 20_000);
