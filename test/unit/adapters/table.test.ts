import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  PutItemCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { makeAwsTable } from '../../../src/adapters/aws/table.ts';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { DeadlineError, InvariantError, TransientError } from '../../../src/core/errors.ts';
import type { ConditionalWrite, Item } from '../../../src/ports/table.ts';

type Answer = (command: { readonly input: object }) => unknown;

/** A table over a client whose answers are given, in order, and that notes what it was asked. */
function tableOver(...answers: Answer[]) {
  const sent: { readonly input: object }[] = [];
  const client = new DynamoDBClient({ region: 'eu-west-1' });
  client.send = async (command: { readonly input: object }) => {
    sent.push(command);
    const answer = answers.shift();
    if (answer === undefined) throw new Error('asked once too often');
    return answer(command);
  };
  const clock = makeSkippingClock(1_000);
  return { sent, clock, table: makeAwsTable({ client, tableName: 'T', clock, concurrency: 1 }) };
}

const soon = { deadlineMs: 10_000 };
const item = (sk: string): Item => ({ pk: 'p', sk, v: 1 });
const items = (count: number) => Array.from({ length: count }, (_, index) => item(`s${index}`));
const insert = (sk: string): ConditionalWrite => ({
  item: item(sk),
  condition: { type: 'absent' },
});
const replace = (sk: string): ConditionalWrite => ({
  item: item(sk),
  condition: { type: 'equals', attribute: 'v', value: 0 },
});
const fails = (error: Error) => () => {
  throw error;
};
const meta = { $metadata: {}, message: 'm' };

describe('putAll', () => {
  it('sends 25 items a request and reports those left unprocessed', async () => {
    const { table, sent } = tableOver(
      () => ({
        UnprocessedItems: { T: [{ PutRequest: { Item: { pk: { S: 'p' }, sk: { S: 's3' } } } }] },
      }),
      () => ({}),
    );
    const results = await table.putAll(items(30), soon);

    expect(sent.every((command) => command instanceof BatchWriteItemCommand)).toBe(true);
    expect(sent).toHaveLength(2);
    expect(results.map(({ status }) => status)).toEqual(
      items(30).map(({ sk }) => (sk === 's3' ? 'failed' : 'written')),
    );
    expect(results[3]).toMatchObject({ error: expect.any(TransientError) });
  });

  it('takes a refused request as failed for its own items only', async () => {
    const { table } = tableOver(fails(new Error('ThrottlingException')), () => ({}));
    const results = await table.putAll(items(30), soon);
    expect(results.map(({ status }) => status)).toEqual(
      items(30).map((_, index) => (index < 25 ? 'failed' : 'written')),
    );
  });
});

describe('get', () => {
  it('reads strongly, 100 keys a request, and tells absent from unprocessed', async () => {
    const { table, sent } = tableOver(
      () => ({
        Responses: { T: [{ pk: { S: 'p' }, sk: { S: 's0' }, v: { N: '1' } }] },
        UnprocessedKeys: { T: { Keys: [{ pk: { S: 'p' }, sk: { S: 's1' } }] } },
      }),
      () => ({ Responses: {} }),
    );
    const results = await table.get(items(101), soon);

    expect(sent[0]).toBeInstanceOf(BatchGetItemCommand);
    expect(sent[0]?.input).toMatchObject({ RequestItems: { T: { ConsistentRead: true } } });
    expect(results[0]).toEqual({ status: 'read', item: item('s0') });
    expect(results[1]?.status).toBe('failed');
    expect(results[2]).toEqual({ status: 'read', item: undefined });
    expect(results).toHaveLength(101);
  });
});

describe('putIf', () => {
  it('sends one write as PutItem with its condition', async () => {
    const { table, sent } = tableOver(() => ({}));
    expect(await table.putIf([replace('a')], soon)).toEqual([{ status: 'written' }]);
    expect(sent[0]).toBeInstanceOf(PutItemCommand);
    expect(sent[0]?.input).toMatchObject({
      ConditionExpression: '#attribute = :value',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
  });

  it('tells what a failed condition found', async () => {
    const Item = { pk: { S: 'p' }, sk: { S: 'a' }, v: { N: '7' } };
    const { table } = tableOver(fails(new ConditionalCheckFailedException({ ...meta, Item })));
    expect(await table.putIf([replace('a')], soon)).toEqual([
      { status: 'conflict', current: { pk: 'p', sk: 'a', v: 7 } },
    ]);
  });

  it('sends several as statements, each with a result of its own', async () => {
    const Item = { pk: { S: 'p' }, sk: { S: 'c' }, v: { N: '7' } };
    const { table, sent } = tableOver(() => ({
      Responses: [
        {},
        { Error: { Code: 'DuplicateItem' } },
        { Error: { Code: 'ConditionalCheckFailed', Item } },
        { Error: { Code: 'ThrottlingError' } },
      ],
    }));
    const writes = [insert('a'), insert('b'), replace('c'), replace('d'), insert('e')];
    const results = await table.putIf(writes, soon);

    expect(sent[0]).toBeInstanceOf(BatchExecuteStatementCommand);
    expect(sent[0]?.input).toMatchObject({
      Statements: [
        { Statement: `INSERT INTO "T" VALUE {'pk': ?, 'sk': ?, 'v': ?}` },
        {},
        { Statement: 'UPDATE "T" SET "v" = ? WHERE "pk" = ? AND "sk" = ? AND "v" = ?' },
        {},
        {},
      ],
    });
    expect(results.map(({ status }) => status)).toEqual([
      'written',
      'conflict',
      'conflict',
      'failed',
      'failed',
    ]);
    expect(results[2]).toMatchObject({ current: { v: 7 } });
  });

  it.each(['ValidationError', 'ResourceNotFound', 'AccessDenied'])(
    'throws for a mistake of ours: %s',
    async (Code) => {
      const { table } = tableOver(() => ({ Responses: [{ Error: { Code } }, {}] }));
      await expect(table.putIf([insert('a'), insert('b')], soon)).rejects.toThrow(InvariantError);
    },
  );
});

describe('every call', () => {
  it('sends nothing at or after its deadline', async () => {
    const { table, clock, sent } = tableOver();
    clock.advance(9_000);
    expect(await table.putAll(items(1), soon)).toMatchObject([
      { status: 'failed', error: expect.any(DeadlineError) },
    ]);
    await expect(table.query({ pk: 'p' }, soon)).rejects.toThrow(DeadlineError);
    expect(sent).toEqual([]);
  });

  it('throws what cannot go through later, and marks the rest as transient', async () => {
    const missing = tableOver(fails(new ResourceNotFoundException(meta)));
    await expect(missing.table.get(items(1), soon)).rejects.toThrow(InvariantError);
    const throttled = tableOver(fails(new Error('throttled')));
    await expect(throttled.table.query({ pk: 'p' }, soon)).rejects.toThrow(TransientError);
  });
});
