import { type DynamoDBClient, paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import { fromAttributeValues } from '../adapters/aws/attribute-value.ts';
import { resultName } from '../batch/batch.ts';
import type { StoredResults } from '../batch/compare.ts';
import { blockKey, blockOf, packPartition, packParts } from '../core/layout.ts';
import type { Aggregate, Program } from '../core/program.ts';
import { liveItems, mergePages, type WindowRow } from '../core/read.ts';
import { decodeJob, REDRIVE_JOBS } from '../core/redrive.ts';
import { REGISTRY_KEY } from '../core/registry.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { epochOfWriter } from '../core/writer.ts';
import type { Item } from '../ports/table.ts';
import type { Deployment } from './stacks.ts';

/** One result by its name. */
type StoredRow = readonly [string, WindowRow['columns']];

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
  const pages = await scan(source, deployment.aggregatesTable);
  const own = liveItems(pages, Date.now()).filter(
    ({ pk }) => epochOfWriter(packParts(pk).writer) === epoch,
  );
  const rows = program.aggregates.flatMap((aggregate) =>
    rowsOf(
      aggregate,
      own.filter(({ pk }) => packParts(pk).aggregate === aggregate.name),
    ),
  );
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
  const block = blockKey(blockOf(aggregate.layout, startMs).startMs);
  const buckets = Array.from({ length: aggregate.layout.buckets }, (_, bucket) => bucket);
  const packs = writers.flatMap((writer) =>
    buckets.map((bucket) => packPartition(aggregate.name, writer, bucket)),
  );
  const pages = await Promise.all(
    packs.map((pk) => query(source, source.deployment.aggregatesTable, pk, block)),
  );
  return mergePages(aggregate, liveItems(pages.flat(), Date.now()), (start) => start === startMs);
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

/** True when any writer of the epoch has written. */
export async function hasResults(source: ResultSource): Promise<boolean> {
  return (await readWriters(source)).length > 0;
}

/** True when refused events were brought back. */
export async function hasRedriven(source: ResultSource): Promise<boolean> {
  const jobs = await query(source, source.deployment.ledgerTable, REDRIVE_JOBS);
  return jobs.map(decodeJob).some(({ plan }) => (plan?.events ?? 0) > 0);
}

async function readWriters(source: ResultSource): Promise<readonly string[]> {
  const items = await query(source, source.deployment.ledgerTable, REGISTRY_KEY);
  return items.map(({ sk }) => sk).filter((writer) => epochOfWriter(writer) === source.epoch);
}

function queryInput(TableName: string, pk: string, prefix?: string) {
  return {
    TableName,
    KeyConditionExpression: prefix === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :sk)',
    ExpressionAttributeValues: {
      ':pk': { S: pk },
      ...(prefix === undefined ? {} : { ':sk': { S: prefix } }),
    },
  };
}

async function query(
  { client }: ResultSource,
  tableName: string,
  ...[pk, prefix]: readonly [pk: string, prefix?: string]
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of paginateQuery({ client }, queryInput(tableName, pk, prefix))) {
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

function rowsOf(aggregate: Aggregate, pages: readonly Item[]): readonly StoredRow[] {
  return mergePages(aggregate, pages).map((row) => [
    resultName(aggregate.name, row.startMs, JSON.stringify(row.group)),
    aggregate.type === 'session' ? { ...row.columns, endMs: row.endMs } : row.columns,
  ]);
}
