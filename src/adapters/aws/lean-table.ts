import type { Table } from '../../ports/table.ts';
import { type DynamoTableOptions, makeDynamoTable } from './dynamo-table.ts';
import { makeLeanCalls } from './lean-calls.ts';
import type { SendDynamo } from './lean-client.ts';

/** What a table is reached with. */
export interface LeanTableOptions extends DynamoTableOptions {
  readonly client: SendDynamo;
}

/** A DynamoDB table whose keys are `pk` and `sk`, by our own small client: see ADR 0019. */
export function makeLeanTable({ client, ...options }: LeanTableOptions): Table {
  return makeDynamoTable(makeLeanCalls(client), options);
}
