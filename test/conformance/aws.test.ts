import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateEventBusCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { makeAwsBucket } from '../../src/adapters/aws/bucket.ts';
import { systemClock } from '../../src/adapters/aws/clock.ts';
import {
  dynamoEndpoint,
  environmentCredentials,
  makeLeanClient,
} from '../../src/adapters/aws/lean-client.ts';
import { makeLeanTable } from '../../src/adapters/aws/lean-table.ts';
import { makeAwsOutlet } from '../../src/adapters/aws/outlet.ts';
import { makeAwsPublisher } from '../../src/adapters/aws/publisher.ts';
import { systemRandom } from '../../src/adapters/aws/random.ts';
import { makeAwsShards } from '../../src/adapters/aws/shards.ts';
import { makeAwsStream } from '../../src/adapters/aws/stream.ts';
import { makeAwsTable } from '../../src/adapters/aws/table.ts';
import { makeTransport } from '../../src/adapters/aws/transport.ts';
import type { WindowEvent } from '../../src/core/closing.ts';
import { adoptLocalEnvironment } from '../../src/local/child.ts';
import { type LocalClients, makeClients } from '../../src/local/clients.ts';
import { ClosedWindowsListener } from '../../src/local/closed-windows.ts';
import { type Emulator, startEmulator } from '../../src/local/emulator.ts';
import { readStream } from '../../src/local/stream-records.ts';
import {
  bucketSuite,
  clockSuite,
  outletSuite,
  publisherSuite,
  randomSuite,
  shardsSuite,
  streamSuite,
} from './others.ts';
import { tableSuite } from './table.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-aws-'));
const names = { table: 'conformance', bucket: 'conformance', stream: 'conformance' };
/** Of the local cloud. */
const REGION = 'us-east-1';
let emulator: Emulator | undefined;
let clients: LocalClients;
let streamArn = '';

beforeAll(async () => {
  emulator = await startEmulator({ directory });
  adoptLocalEnvironment(emulator.endpoint);
  clients = makeClients();
  await clients.dynamoDb.send(
    new CreateTableCommand({
      TableName: names.table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  await clients.s3.send(new CreateBucketCommand({ Bucket: names.bucket }));
  await clients.kinesis.send(new CreateStreamCommand({ StreamName: names.stream, ShardCount: 1 }));
  const described = await clients.kinesis.send(
    new DescribeStreamSummaryCommand({ StreamName: names.stream }),
  );
  streamArn = described.StreamDescriptionSummary?.StreamARN ?? '';
});

afterAll(async () => {
  await emulator?.stop();
  rmSync(directory, { recursive: true, force: true });
});

tableSuite('DynamoDB', async () =>
  makeAwsTable({ client: clients.dynamoDb, tableName: names.table, clock: systemClock }),
);
tableSuite('DynamoDB by our own client', async () =>
  makeLeanTable({
    client: makeLeanClient({
      endpoint: dynamoEndpoint(REGION),
      region: REGION,
      credentials: environmentCredentials,
      transport: makeTransport(dynamoEndpoint(REGION)),
      clock: systemClock,
    }),
    tableName: names.table,
    clock: systemClock,
  }),
);
bucketSuite('S3', async () =>
  makeAwsBucket({ client: clients.s3, bucketName: names.bucket, clock: systemClock }),
);
streamSuite('Kinesis', async () =>
  makeAwsStream({ client: clients.kinesis, streamArn, clock: systemClock }),
);
shardsSuite('Kinesis', async () => {
  const StreamName = `shards-${crypto.randomUUID()}`;
  await clients.kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  const { StreamDescriptionSummary } = await clients.kinesis.send(
    new DescribeStreamSummaryCommand({ StreamName }),
  );
  const { StreamARN = '' } = StreamDescriptionSummary ?? {};
  const put = async () => {
    const record = { StreamName, PartitionKey: 'p-0', Data: Buffer.from('x') };
    const { SequenceNumber = '' } = await clients.kinesis.send(new PutRecordCommand(record));
    return SequenceNumber;
  };
  const shards = makeAwsShards({
    client: clients.kinesis,
    streamArn: StreamARN,
    clock: systemClock,
  });
  return { shards, put };
});
publisherSuite('EventBridge', async () => {
  const busName = `windows-${crypto.randomUUID()}`;
  await clients.eventBridge.send(new CreateEventBusCommand({ Name: busName }));
  const listener = await ClosedWindowsListener.open(clients, busName);
  const publisher = makeAwsPublisher({
    client: clients.eventBridge,
    busName,
    pipeline: 'conformance',
    clock: systemClock,
  });
  const receive = async (count: number) => {
    const events: WindowEvent[] = [];
    while (events.length < count) events.push(...(await listener.receive()));
    return events;
  };
  return { publisher, receive };
});
outletSuite('Kinesis', async () => ({
  outlet: makeAwsOutlet({ client: clients.kinesis, streamArn, clock: systemClock }),
  read: async () => readStream(clients.kinesis, streamArn),
}));
clockSuite('system clock', () => systemClock);
randomSuite('system', () => systemRandom);
