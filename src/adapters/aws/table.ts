import { BatchGetItemCommand, BatchWriteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { InvariantError, TransientError } from '../../core/errors.ts';
import type {
  Item,
  ItemKey,
  Page,
  ReadResult,
  Table,
  TableQuery,
  WriteResult,
} from '../../ports/table.ts';
import { fromAttributeValues, toAttributeValue, toAttributeValues } from './attribute-value.ts';
import { mapBounded } from './map-bounded.ts';
import { chunk, type SendContext, sendOnce, settled } from './send.ts';
import { type AwsTableOptions, putConditionally } from './table-writes.ts';

/** Items of one BatchGetItem and BatchWriteItem request: DynamoDB's limits. */
const KEYS_PER_GET = 100;
const ITEMS_PER_WRITE = 25;

/** A DynamoDB table whose keys are `pk` and `sk`. */
export function makeAwsTable(options: AwsTableOptions): Table {
  const { clock, concurrency = 8 } = options;
  const inChunks = async <Input, Result>(
    inputs: readonly Input[],
    size: number,
    send: (inputs: readonly Input[]) => Promise<readonly Result[]>,
  ): Promise<readonly Result[]> =>
    (await mapBounded(chunk(inputs, size), concurrency, send)).flat();
  return {
    get: (keys, { deadlineMs }) => {
      checkDistinct(keys);
      return inChunks(keys, KEYS_PER_GET, (some) => getSome(options, some, { clock, deadlineMs }));
    },
    query: (query, { deadlineMs }) => queryPage(options, query, { clock, deadlineMs }),
    putIf: (writes, { deadlineMs }) => {
      checkDistinct(writes.map(({ item }) => item));
      return inChunks(writes, ITEMS_PER_WRITE, (some) =>
        putConditionally(options, some, { clock, deadlineMs }),
      );
    },
    putAll: (items, { deadlineMs }) => {
      checkDistinct(items);
      return inChunks(items, ITEMS_PER_WRITE, (some) =>
        putSome(options, some, { clock, deadlineMs }),
      );
    },
  };
}

async function getSome(
  { client, tableName }: AwsTableOptions,
  keys: readonly ItemKey[],
  context: SendContext,
): Promise<readonly ReadResult[]> {
  const Keys = keys.map(({ pk, sk }) => toAttributeValues({ pk, sk }));
  const command = new BatchGetItemCommand({
    RequestItems: { [tableName]: { Keys, ConsistentRead: true } },
  });
  const answer = await settled(`BatchGetItem ${tableName}`, context, (send) =>
    client.send(command, send),
  );
  if (answer instanceof Error) return keys.map(() => ({ status: 'failed', error: answer }));
  const found = new Map<string, Item>();
  for (const stored of answer.Responses?.[tableName] ?? []) {
    const item = fromAttributeValues(stored);
    found.set(nameOf(item), item);
  }
  const skipped = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
  const unprocessed = new Set(skipped.map((key) => `${key.pk?.S}\n${key.sk?.S}`));
  return keys.map((key) => {
    if (unprocessed.has(nameOf(key)))
      return { status: 'failed', error: leftOut('BatchGetItem', tableName) };
    return { status: 'read', item: found.get(nameOf(key)) };
  });
}

async function queryPage(
  { client, tableName }: AwsTableOptions,
  query: TableQuery,
  context: SendContext,
): Promise<Page> {
  const { pk, after, prefix, descending = false, limit = 1000 } = query;
  const bound = prefix ?? after;
  const compare =
    prefix === undefined ? `sk ${descending ? '<' : '>'} :bound` : 'begins_with(sk, :bound)';
  const command = new QueryCommand({
    TableName: tableName,
    ConsistentRead: true,
    KeyConditionExpression: bound === undefined ? 'pk = :pk' : `pk = :pk AND ${compare}`,
    ExpressionAttributeValues: {
      ':pk': toAttributeValue(pk),
      ...(bound === undefined ? {} : { ':bound': toAttributeValue(bound) }),
    },
    // A sort key takes one condition: with a prefix, the place to start after is told this way.
    ...(prefix === undefined || after === undefined
      ? {}
      : { ExclusiveStartKey: toAttributeValues({ pk, sk: after }) }),
    ScanIndexForward: !descending,
    Limit: limit,
  });
  const answer = await sendOnce(`Query ${tableName}`, context, (send) =>
    client.send(command, send),
  );
  return {
    items: (answer.Items ?? []).map(fromAttributeValues),
    next: answer.LastEvaluatedKey?.sk?.S,
  };
}

async function putSome(
  { client, tableName }: AwsTableOptions,
  items: readonly Item[],
  context: SendContext,
): Promise<readonly WriteResult[]> {
  const requests = items.map((item) => ({ PutRequest: { Item: toAttributeValues(item) } }));
  const command = new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } });
  const answer = await settled(`BatchWriteItem ${tableName}`, context, (send) =>
    client.send(command, send),
  );
  if (answer instanceof Error) return items.map(() => ({ status: 'failed', error: answer }));
  const skipped = answer.UnprocessedItems?.[tableName] ?? [];
  const unprocessed = new Set(
    skipped.map(({ PutRequest }) => `${PutRequest?.Item?.pk?.S}\n${PutRequest?.Item?.sk?.S}`),
  );
  return items.map((item) => {
    if (!unprocessed.has(nameOf(item))) return { status: 'written' };
    return { status: 'failed', error: leftOut('BatchWriteItem', tableName) };
  });
}

function nameOf({ pk, sk }: ItemKey): string {
  return `${pk}\n${sk}`;
}

function leftOut(operation: string, tableName: string): TransientError {
  return new TransientError(`${operation} ${tableName}: left unprocessed; it may go through later`);
}

function checkDistinct(keys: readonly ItemKey[]): void {
  const names = new Set(keys.map(nameOf));
  if (names.size === keys.length) return;
  throw new InvariantError(
    `table: got ${keys.length} keys of which ${names.size} differ, expected each once`,
  );
}
