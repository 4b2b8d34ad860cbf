import { blockKey, blockOf, packPartition } from '../core/layout.ts';
import type { Aggregate } from '../core/program.ts';
import type { Item, Table } from '../ports/table.ts';
import { readAll } from './read-all.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Which pages are read. */
export interface PageSource {
  readonly table: Table;
  readonly aggregate: Aggregate;
  readonly writers: readonly string[];
}

/** The pages of a window's block, of all writers and buckets. */
export async function readWindowPages(
  source: PageSource & { readonly windowMs: number },
  context: RetryContext,
): Promise<readonly Item[]> {
  const block = blockKey(blockOf(source.aggregate.layout, source.windowMs).startMs);
  return readBlock(source, block, context);
}

/** Watermarks between which windows became final. */
export interface FinalRange {
  readonly writers: readonly string[];
  /** Undefined: from the first window on. */
  readonly fromMs: number | undefined;
  readonly throughMs: number;
}

/**
 * The pages that can hold windows which became final in a range, block after block in the order of time,
 * so that no more than one block is in memory.
 */
export async function* readBlocks(
  {
    table,
    aggregate,
    range,
  }: { readonly table: Table; readonly aggregate: Aggregate; readonly range: FinalRange },
  context: RetryContext,
): AsyncGenerator<readonly Item[]> {
  const source = { table, aggregate, writers: range.writers };
  for (const block of await blocksBetween(source, range, context)) {
    yield await readBlock(source, block, context);
  }
}

/** Blocks are found by their pages: those without any are passed over, however long the time. */
async function blocksBetween(
  source: PageSource,
  { fromMs, throughMs }: FinalRange,
  context: RetryContext,
): Promise<readonly string[]> {
  const { aggregate } = source;
  const [span] = aggregate.assign(0);
  const sizeMs = span === undefined ? 0 : span.endMs - span.startMs;
  const last = blockKey(blockOf(aggregate.layout, throughMs).startMs);
  const first =
    fromMs === undefined
      ? undefined
      : blockKey(
          blockOf(aggregate.layout, fromMs - aggregate.latenessMs - aggregate.gapMs - sizeMs)
            .startMs,
        );
  const blocks = new Set<string>();
  for (const pk of packsOf(source)) {
    let after = first === undefined ? undefined : `${first}`;
    for (let found = await firstBlock(source, { pk, after }, context); found !== undefined; ) {
      if (found > last) break;
      blocks.add(found);
      after = `${found}~`;
      found = await firstBlock(source, { pk, after }, context);
    }
  }
  return [...blocks].sort();
}

async function firstBlock(
  { table }: PageSource,
  { pk, after }: { readonly pk: string; readonly after: string | undefined },
  context: RetryContext,
): Promise<string | undefined> {
  const query = after === undefined ? { pk, limit: 1 } : { pk, after, limit: 1 };
  const { items } = await retryCall(context, () => table.query(query, context));
  return items[0]?.sk.split('|')[0];
}

async function readBlock(
  source: PageSource,
  block: string,
  context: RetryContext,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (const pk of packsOf(source)) {
    items.push(...(await readAll(source.table, { pk, prefix: block }, context)));
  }
  return items;
}

function packsOf({ aggregate, writers }: PageSource): readonly string[] {
  const buckets = Array.from({ length: aggregate.layout.buckets }, (_, bucket) => bucket);
  return writers.flatMap((writer) =>
    buckets.map((bucket) => packPartition(aggregate.name, writer, bucket)),
  );
}
