import { type DynamoDBClient, paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import { fromAttributeValues } from '../adapters/aws/attribute-value.ts';
import { resultName } from '../batch/batch.ts';
import type { StoredResults } from '../batch/compare.ts';
import { cellPartition } from '../core/cell.ts';
import type { Aggregate, Program } from '../core/program.ts';
import { mergeCells, type WindowRow } from '../core/read.ts';
import { REGISTRY_KEY } from '../core/registry.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { epochOfWriter } from '../core/writer.ts';
import type { Item } from '../ports/table.ts';
import type { Deployment } from './stacks.ts';

/** Where results are read. */
export interface ResultSource {
  readonly client: DynamoDBClient;
  readonly deployment: Deployment;
  readonly program: Program;
  /** Only what the writers of this epoch wrote. */
  readonly epoch: string;
}

/** Everything that the tables hold of the epoch: a whole scan. */
export async function readStored(source: ResultSource): Promise<StoredResults> {
  const { deployment, program, epoch } = source;
  const cells = await scan(source, deployment.aggregatesTable);
  const byWindow = Map.groupBy(
    cells.map((item) => ({ item, ...partsOf(item.pk) })).filter((one) => one.epoch === epoch),
    ({ window, start }) => `${window}|${start}`,
  );
  const rows = [...byWindow.values()].flatMap((some) => rowsOf(program, some));
  const index = await scan(source, deployment.quarantineTable);
  const reasons = index
    .filter(({ pk }) => epochOfWriter(pk) === epoch)
    .map(({ r }) => r as RejectionReason);
  const refused = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([reason, all]) => [reason, all.length] as const,
  );
  return { rows: new Map(rows), refused: new Map(refused) };
}

/** The groups of one window as they stand now, over all writers of the epoch. */
export async function readWindow(
  source: ResultSource,
  aggregate: Aggregate,
  startMs: number,
): Promise<readonly WindowRow[]> {
  const writers = await readWriters(source);
  const pages = await Promise.all(
    writers.map((writer) =>
      query(
        source,
        source.deployment.aggregatesTable,
        cellPartition(aggregate.name, startMs, writer),
      ),
    ),
  );
  return mergeCells(aggregate, pages.flat());
}

/** Records in quarantine, over all writers of the epoch. */
export async function countQuarantined(source: ResultSource): Promise<number> {
  const writers = await readWriters(source);
  const { client, deployment } = source;
  const counts = await Promise.all(
    writers.map(async (writer) => {
      let count = 0;
      const input = queryInput(deployment.quarantineTable, writer);
      for await (const page of paginateQuery({ client }, { ...input, Select: 'COUNT' })) {
        count += page.Count ?? 0;
      }
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function readWriters(source: ResultSource): Promise<readonly string[]> {
  const items = await query(source, source.deployment.ledgerTable, REGISTRY_KEY);
  return items.map(({ sk }) => sk).filter((writer) => epochOfWriter(writer) === source.epoch);
}

function queryInput(TableName: string, pk: string) {
  return {
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: pk } },
  };
}

async function query(
  { client }: ResultSource,
  tableName: string,
  pk: string,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of paginateQuery({ client }, queryInput(tableName, pk))) {
    items.push(...(page.Items ?? []).map(fromAttributeValues));
  }
  return items;
}

async function scan({ client }: ResultSource, TableName: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of paginateScan({ client }, { TableName, ConsistentRead: true })) {
    items.push(...(page.Items ?? []).map(fromAttributeValues));
  }
  return items;
}

/** The parts of a cell's partition key: see `cellPartition`. */
function partsOf(pk: string) {
  const [, window = '', start = '', writer = ''] = pk.split('|');
  return { window, start, epoch: epochOfWriter(writer) };
}

function rowsOf(
  program: Program,
  some: readonly { readonly item: Item; readonly window: string; readonly start: string }[],
): readonly (readonly [string, WindowRow['columns']])[] {
  const [{ window, start } = { window: '', start: '' }] = some;
  const aggregate = program.aggregates.find(({ name }) => name === window);
  if (aggregate === undefined) return [];
  const merged = mergeCells(
    aggregate,
    some.map(({ item }) => item),
  );
  return merged.map(({ group, columns }) => [
    resultName(window, Date.parse(start), JSON.stringify(group)),
    columns,
  ]);
}
