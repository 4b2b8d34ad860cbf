import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Table } from '../../ports/table.ts';
import { type DynamoTableOptions, makeDynamoTable } from './dynamo-table.ts';
import { makeSdkCalls } from './sdk-calls.ts';

/** What a table is reached with. */
export interface AwsTableOptions extends DynamoTableOptions {
  readonly client: DynamoDBClient;
}

/** A DynamoDB table whose keys are `pk` and `sk`, by AWS's SDK. */
export function makeAwsTable({ client, ...options }: AwsTableOptions): Table {
  return makeDynamoTable(makeSdkCalls(client), options);
}
