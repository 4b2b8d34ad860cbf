import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/aws/clock.ts';
import {
  dynamoEndpoint,
  environmentCredentials,
  makeLeanClient,
} from '../../../src/adapters/aws/lean-client.ts';
import { makeLeanTable } from '../../../src/adapters/aws/lean-table.ts';
import { makeAwsTable } from '../../../src/adapters/aws/table.ts';
import { makeTransport } from '../../../src/adapters/aws/transport.ts';
import { DeadlineError, InvariantError, TransientError } from '../../../src/core/errors.ts';
import type { Item, Table } from '../../../src/ports/table.ts';
import { DynamoStub, json, type StubAnswer } from '../../helpers/dynamo-stub.ts';

const SECRET = 'secret/secret+secret';
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken: 'token' };
let stub: DynamoStub | undefined;
afterEach(async () => stub?.close());

/** A table by our own client over a stub that gives these answers. */
async function leanOver(...answers: StubAnswer[]) {
  const opened = await DynamoStub.open(SECRET, answers);
  stub = opened;
  const units: unknown[] = [];
  const client = makeLeanClient({
    endpoint: opened.endpoint,
    region: 'eu-west-1',
    credentials: () => credentials,
    transport: makeTransport(opened.endpoint),
    clock: systemClock,
    onUnits: (consumed, operation) => units.push([operation, consumed]),
  });
  return {
    stub: opened,
    units,
    table: makeLeanTable({ client, tableName: 'T', clock: systemClock }),
  };
}

const soon = () => ({ deadlineMs: Date.now() + 20_000 });
const strange = { text: 'é"\\\u0000\n😀', number: -1.5e-7, bytes: Uint8Array.of(0, 255, 1) };
const item = (sk: string): Item => ({ pk: 'p', sk, v: 1, ...strange });
const absent = { type: 'absent' } as const;
const refuses = (type: string, status = 400) =>
  json(status, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'm' });

/** Every kind of request once. */
async function useAll(table: Table) {
  await table.get([item('a'), item('b')], soon());
  await table.query({ pk: 'p"', prefix: 'a', after: 'a#1', descending: true, limit: 5 }, soon());
  await table.query({ pk: 'p' }, soon());
  await table.query({ pk: 'p', after: 'é' }, soon());
  await table.putIf([{ item: item('a'), condition: absent }], soon());
  const equals = { type: 'equals', attribute: 'v', value: 'x' } as const;
  await table.putIf([{ item: item('a'), condition: equals }], soon());
  await table.putIf(
    ['b', 'c'].map((sk) => ({ item: item(sk), condition: sk === 'b' ? absent : equals })),
    soon(),
  );
  await table.putAll([item('a'), item('b')], soon());
}

describe('requests', () => {
  it('ask for the same as those of the SDK, and are signed as theirs', async () => {
    const lean = await leanOver();
    await useAll(lean.table);
    const client = new DynamoDBClient({
      region: 'eu-west-1',
      endpoint: lean.stub.endpoint.href,
      credentials,
    });
    const ours = lean.stub.seen.splice(0);
    await useAll(makeAwsTable({ client, tableName: 'T', clock: systemClock }));

    const asked = (one: (typeof ours)[number]) => [one.operation, JSON.parse(one.body)];
    const withUnits = lean.stub.seen.map((one) => {
      const [operation, body] = asked(one);
      return [operation, { ...body, ReturnConsumedCapacity: 'TOTAL' }];
    });
    expect(ours.map(asked)).toEqual(withUnits);
    expect([...ours, ...lean.stub.seen].map(({ isSigned }) => isSigned)).not.toContain(false);
    client.destroy();
  });

  it('keep their connection', async () => {
    const { table, stub: opened } = await leanOver();
    for (const sk of ['a', 'b', 'c']) await table.putAll([item(sk)], soon());
    expect(opened.connections).toBe(1);
  });

  it('tell the units that answers bill', async () => {
    const { table, units } = await leanOver(
      json(200, { ConsumedCapacity: [{ TableName: 'T', CapacityUnits: 2 }] }),
    );
    await table.putAll([item('a')], soon());
    expect(units).toEqual([['BatchWriteItem', [{ TableName: 'T', CapacityUnits: 2 }]]]);
  });
});

describe('answers', () => {
  it('give items as they were written', async () => {
    const wire = { pk: { S: 'p' }, sk: { S: 'a' }, v: { N: '1' }, text: { S: strange.text } };
    const whole = { ...wire, number: { N: '-1.5e-7' }, bytes: { B: 'AP8B' } };
    const { table } = await leanOver(
      json(200, {
        Responses: { T: [whole] },
        UnprocessedKeys: { T: { Keys: [{ pk: { S: 'p' }, sk: { S: 'c' } }] } },
      }),
    );
    const results = await table.get([item('a'), item('b'), item('c')], soon());
    expect(results).toMatchObject([{ item: item('a') }, { item: undefined }, { status: 'failed' }]);
  });

  it('tell what a failed condition found', async () => {
    const Item = { pk: { S: 'p' }, sk: { S: 'a' } };
    const { table } = await leanOver(
      json(400, { __type: 'x#ConditionalCheckFailedException', message: 'm', Item }),
      json(200, {
        Responses: [{ Error: { Code: 'ConditionalCheckFailed', Item } }, { TableName: 'T' }],
      }),
    );
    const write = (sk: string) => ({ item: item(sk), condition: absent });
    expect(await table.putIf([write('a')], soon())).toEqual([
      { status: 'conflict', current: { pk: 'p', sk: 'a' } },
    ]);
    expect(await table.putIf([write('a'), write('b')], soon())).toEqual([
      { status: 'conflict', current: { pk: 'p', sk: 'a' } },
      { status: 'written' },
    ]);
  });

  it('that leave items unprocessed fail those only', async () => {
    const { table } = await leanOver(
      json(200, {
        UnprocessedItems: { T: [{ PutRequest: { Item: { pk: { S: 'p' }, sk: { S: 'b' } } } }] },
      }),
    );
    const results = await table.putAll([item('a'), item('b')], soon());
    expect(results.map(({ status }) => status)).toEqual(['written', 'failed']);
  });

  it('with a type of attribute that no item of ours has are a mistake', async () => {
    const { table } = await leanOver(json(200, { Items: [{ pk: { BOOL: true } }] }));
    await expect(table.query({ pk: 'p' }, soon())).rejects.toThrow(InvariantError);
  });
});

/** What may go through later, as a stub does it. */
const FAULTS: Readonly<Record<string, StubAnswer>> = {
  'a throttled request': refuses('ProvisionedThroughputExceededException'),
  'an error of the service': refuses('InternalServerError', 500),
  'an answer that is no JSON': (response) => response.writeHead(503).end('<html>'),
  'an answer that is empty': (response) => response.writeHead(200).end(),
  'a connection that breaks': (response) => response.destroy(),
  'an answer that breaks off': (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"Unprocessed', () => response.destroy());
  },
  'expired credentials': refuses('ExpiredTokenException'),
};

describe.each(Object.entries(FAULTS))('after %s', (_name, fault) => {
  it('items count as failed, and the next request goes through', async () => {
    const { table } = await leanOver(fault);
    const [failed] = await table.putAll([item('a')], soon());
    expect(failed).toMatchObject({ status: 'failed', error: expect.any(TransientError) });
    expect(await table.putAll([item('a')], soon())).toEqual([{ status: 'written' }]);
  });
});

it.each(['ValidationException', 'ResourceNotFoundException', 'AccessDeniedException'])(
  '%s is a mistake of ours',
  async (type) => {
    const { table } = await leanOver(refuses(type));
    await expect(table.putAll([item('a')], soon())).rejects.toThrow(InvariantError);
  },
);

it('nothing is waited for beyond the deadline, and nothing sent after it', async () => {
  const { table, stub: opened } = await leanOver(() => undefined);
  const startMs = Date.now();
  const [result] = await table.putAll([item('a')], { deadlineMs: startMs + 150 });
  expect(result).toMatchObject({ status: 'failed', error: expect.any(TransientError) });
  expect(Date.now() - startMs).toBeLessThan(10_000);
  const [late] = await table.putAll([item('a')], { deadlineMs: Date.now() });
  expect(late).toMatchObject({ status: 'failed', error: expect.any(DeadlineError) });
  expect(opened.seen).toHaveLength(1);
});

it('the endpoint is the region’s, or the one that stands in for it', () => {
  expect(dynamoEndpoint('eu-west-1', {}).href).toBe('https://dynamodb.eu-west-1.amazonaws.com/');
  expect(dynamoEndpoint('cn-north-1', {}).host).toBe('dynamodb.cn-north-1.amazonaws.com.cn');
  const env = {
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:2',
  };
  expect(dynamoEndpoint('eu-west-1', env).port).toBe('2');
});

it('credentials come from the environment, or their absence is told', () => {
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: '' };
  expect(environmentCredentials(env)).toEqual({
    accessKeyId: 'a',
    secretAccessKey: 's',
    sessionToken: undefined,
  });
  expect(() => environmentCredentials({})).toThrow('AWS_ACCESS_KEY_ID');
});
