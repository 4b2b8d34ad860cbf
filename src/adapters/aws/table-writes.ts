import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  type BatchStatementResponse,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { InvariantError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConditionalWrite, WriteResult } from '../../ports/table.ts';
import { fromAttributeValues, toAttributeValue, toAttributeValues } from './attribute-value.ts';
import { classify, type SendContext, sendOnce, settled } from './send.ts';

/** What a table is reached with. */
export interface AwsTableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  /** Requests of one call at the same time, 1 to 50; default 8. */
  readonly concurrency?: number;
}

/**
 * Conditional writes: one as PutItem, several as one BatchExecuteStatement of PartiQL, whose
 * statements stand alone (INSERT where the item must be absent, UPDATE with the condition otherwise).
 * DynamoDB developer guide, "Running batch operations with PartiQL for DynamoDB".
 */
export async function putConditionally(
  options: AwsTableOptions,
  writes: readonly ConditionalWrite[],
  context: SendContext,
): Promise<readonly WriteResult[]> {
  const [first] = writes;
  if (writes.length === 1 && first !== undefined) return [await putOne(options, first, context)];
  const Statements = writes.map((write) => statementOf(options.tableName, write));
  const operation = `BatchExecuteStatement ${options.tableName}`;
  const answer = await settled(operation, context, (send) =>
    options.client.send(new BatchExecuteStatementCommand({ Statements }), send),
  );
  if (answer instanceof Error) return writes.map(() => ({ status: 'failed', error: answer }));
  return writes.map((_, index) => resultOf(operation, answer.Responses?.[index]));
}

async function putOne(
  { client, tableName }: AwsTableOptions,
  { item, condition }: ConditionalWrite,
  context: SendContext,
): Promise<WriteResult> {
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
    const answer = await sendOnce(`PutItem ${tableName}`, context, async (send) =>
      client.send(command, send).catch(conflictOf),
    );
    return 'status' in answer ? answer : { status: 'written' };
  } catch (error) {
    if (error instanceof InvariantError || !(error instanceof Error)) throw error;
    return { status: 'failed', error };
  }
}

function conflictOf(error: unknown): WriteResult {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
  return {
    status: 'conflict',
    current: error.Item === undefined ? undefined : fromAttributeValues(error.Item),
  };
}

function statementOf(
  tableName: string,
  { item, condition }: ConditionalWrite,
): BatchStatementRequest {
  const table = `"${tableName.replaceAll('"', '""')}"`;
  const { pk, sk, ...attributes } = item;
  if (condition.type === 'absent') {
    const names = Object.keys(item).map((name) => `'${name}': ?`);
    return {
      Statement: `INSERT INTO ${table} VALUE {${names.join(', ')}}`,
      Parameters: Object.values(item).map(toAttributeValue),
    };
  }
  const sets = Object.keys(attributes).map((name) => `SET "${name}" = ?`);
  return {
    Statement: `UPDATE ${table} ${sets.join(' ')} WHERE "pk" = ? AND "sk" = ? AND "${condition.attribute}" = ?`,
    Parameters: [...Object.values(attributes), pk, sk, condition.value].map(toAttributeValue),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

function resultOf(operation: string, response: BatchStatementResponse | undefined): WriteResult {
  const error = response?.Error;
  if (response !== undefined && error === undefined) return { status: 'written' };
  if (error?.Code === 'DuplicateItem') return { status: 'conflict', current: undefined };
  if (error?.Code === 'ConditionalCheckFailed') {
    return {
      status: 'conflict',
      current: error.Item === undefined ? undefined : fromAttributeValues(error.Item),
    };
  }
  if (
    error?.Code === 'ValidationError' ||
    error?.Code === 'ResourceNotFound' ||
    error?.Code === 'AccessDenied'
  ) {
    throw new InvariantError(`${operation}: ${error.Code}: ${error.Message ?? ''}`);
  }
  return { status: 'failed', error: classify(operation, error?.Code ?? 'no answer') };
}
