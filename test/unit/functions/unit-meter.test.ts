import {
  BatchWriteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { expect, it } from 'vitest';
import { UnitMeter } from '../../../functions/shared/unit-meter.ts';

const consumed = (table: string, units: number) => ({ TableName: table, CapacityUnits: units });

/** A client whose requests are answered one after the other; it notes what they asked for. */
function clientWith(...answers: object[]) {
  const asked: unknown[] = [];
  const client = new DynamoDBClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: {
      handle: async ({ body }: { body: Uint8Array }) => {
        asked.push(JSON.parse(new TextDecoder().decode(body)).ReturnConsumedCapacity);
        const text = Buffer.from(JSON.stringify(answers.shift() ?? {}));
        return { response: new HttpResponse({ statusCode: 200, headers: {}, body: text }) };
      },
    } as never,
  });
  return { client, asked };
}

it('adds up what each table billed, reads and writes apart, until it is taken', async () => {
  const { client, asked } = clientWith(
    { ConsumedCapacity: consumed('ledger', 2) },
    { ConsumedCapacity: consumed('ledger', 0.5) },
    { ConsumedCapacity: [consumed('events', 3), consumed('ledger', 1)] },
    {},
  );
  const meter = new UnitMeter();
  meter.attach(client);
  await client.send(new PutItemCommand({ TableName: 'ledger', Item: {} }));
  await client.send(new QueryCommand({ TableName: 'ledger' }));
  await client.send(new BatchWriteItemCommand({ RequestItems: {} }));
  await client.send(new PutItemCommand({ TableName: 'ledger', Item: {} }));

  expect(asked).toEqual(['TOTAL', 'TOTAL', 'TOTAL', 'TOTAL']);
  expect(meter.take()).toEqual({
    ledger: { read: 0.5, write: 3 },
    events: { read: 0, write: 3 },
  });
  expect(meter.take()).toEqual({});
});
