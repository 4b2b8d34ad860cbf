import {
  ExpiredIteratorException,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, it, vi } from 'vitest';
import { makeMemoryBucket } from '../../../src/adapters/memory/bucket.ts';
import { MappingDriver } from '../../../src/local/mapping-driver.ts';
import { type MappingSettings, mappingSettings } from '../../../src/mapping/settings.ts';

interface Command {
  readonly input: Readonly<Record<string, unknown>>;
}

const SHARD = 'shardId-000000000000';

/** A stream of one shard with some records, whose first iterator expires when it is first used. */
function kinesisWith(count: number, { expires = false } = {}) {
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
      Data: Buffer.from(`record ${from + index + 1}`),
      ApproximateArrivalTimestamp: new Date(1_000),
    }));
    return { Records, NextShardIterator: String(from + Records.length) };
  };
  return { client, iterators };
}

type Answer = { readonly FunctionError?: string; readonly body?: unknown } | Error;

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
    const Payload = Buffer.from(JSON.stringify(answer.body ?? {}));
    return { ...answer, Payload: { transformToString: () => Payload.toString() } };
  };
  return { client, batches };
}

async function drive(
  kinesis: ReturnType<typeof kinesisWith>,
  lambda: ReturnType<typeof lambdaWith>,
  options: {
    settings?: Partial<MappingSettings>;
    checkpoints?: Record<string, string>;
    last: string;
  },
) {
  const stop = new AbortController();
  const failures = makeMemoryBucket();
  const driver = new MappingDriver({
    kinesis: kinesis.client,
    lambda: lambda.client,
    failures,
    mapping: {
      id: 'm',
      functionArn: 'arn:f',
      streamArn: 'arn:aws:kinesis:us-east-1:1:stream/s',
      region: 'us-east-1',
      startingPosition: 'TRIM_HORIZON',
      settings: mappingSettings({ reportsFailures: true, ...options.settings }),
    },
    checkpoints: options.checkpoints ?? {},
    signal: stop.signal,
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
  expect(document.requestContext.condition).toBe('RetryAttemptsExhausted');
  expect(JSON.parse(document.payload).Records).toHaveLength(2);
  expect(driver.progress()).toMatchObject({ givenUp: 2, processed: 0 });
});
