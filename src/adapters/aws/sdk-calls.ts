import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { ItemKey } from '../../ports/table.ts';
import { fromAttributeValues, toAttributeValue, toAttributeValues } from './attribute-value.ts';
import {
  type DynamoCalls,
  keyCondition,
  QUERY_LIMIT,
  statementText,
  statementValues,
} from './dynamo-calls.ts';

/** The requests by AWS's SDK. */
export function makeSdkCalls(client: DynamoDBClient): DynamoCalls {
  return {
    batchGet: async (tableName, keys, options) => {
      const Keys = keys.map(({ pk, sk }) => toAttributeValues({ pk, sk }));
      const command = new BatchGetItemCommand({
        RequestItems: { [tableName]: { Keys, ConsistentRead: true } },
      });
      const answer = await client.send(command, options);
      return {
        items: (answer.Responses?.[tableName] ?? []).map(fromAttributeValues),
        unprocessed: (answer.UnprocessedKeys?.[tableName]?.Keys ?? []).map(keyOf),
      };
    },
    query: (tableName, query, options) => queryPage(client, { tableName, query }, options),
    put: (tableName, write, options) => putOne(client, { tableName, write }, options),
    putMany: async (tableName, writes, options) => {
      const Statements = writes.map((write) => ({
        Statement: statementText(tableName, write),
        Parameters: statementValues(write).map(toAttributeValue),
        ...(write.condition.type === 'absent'
          ? {}
          : { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }),
      }));
      const answer = await client.send(new BatchExecuteStatementCommand({ Statements }), options);
      return writes.map((_, index) => {
        const response = answer.Responses?.[index];
        const error = response?.Error;
        if (response === undefined || error === undefined) return response && {};
        const item = error.Item === undefined ? undefined : fromAttributeValues(error.Item);
        return { code: error.Code ?? 'no code', message: error.Message, item };
      });
    },
    batchWrite: async (tableName, items, options) => {
      const requests = items.map((item) => ({ PutRequest: { Item: toAttributeValues(item) } }));
      const command = new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } });
      const answer = await client.send(command, options);
      const skipped = answer.UnprocessedItems?.[tableName] ?? [];
      return skipped.map(({ PutRequest }) => keyOf(PutRequest?.Item ?? {}));
    },
  };
}

type QueryPage = DynamoCalls['query'];
type Put = DynamoCalls['put'];

async function queryPage(
  client: DynamoDBClient,
  { tableName, query }: { readonly tableName: string; readonly query: Parameters<QueryPage>[1] },
  options: Parameters<QueryPage>[2],
): ReturnType<QueryPage> {
  const { pk, after, prefix, descending = false, limit = QUERY_LIMIT } = query;
  const bound = prefix ?? after;
  const command = new QueryCommand({
    TableName: tableName,
    ConsistentRead: true,
    KeyConditionExpression: keyCondition(query),
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
  const answer = await client.send(command, options);
  return {
    items: (answer.Items ?? []).map(fromAttributeValues),
    next: answer.LastEvaluatedKey?.sk?.S,
  };
}

async function putOne(
  client: DynamoDBClient,
  { tableName, write }: { readonly tableName: string; readonly write: Parameters<Put>[1] },
  options: Parameters<Put>[2],
): ReturnType<Put> {
  const { item, condition } = write;
  const absent = condition.type === 'absent';
  const command = new PutItemCommand({
    TableName: tableName,
    Item: toAttributeValues(item),
    ConditionExpression: absent ? 'attribute_not_exists(pk)' : '#attribute = :value',
    ...(absent
      ? {}
      : {
          ExpressionAttributeNames: { '#attribute': condition.attribute },
          ExpressionAttributeValues: { ':value': toAttributeValue(condition.value) },
        }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    await client.send(command, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { found: error.Item === undefined ? undefined : fromAttributeValues(error.Item) };
  }
}

function keyOf(stored: Parameters<typeof fromAttributeValues>[0]): ItemKey {
  return { pk: stored.pk?.S ?? '', sk: stored.sk?.S ?? '' };
}
