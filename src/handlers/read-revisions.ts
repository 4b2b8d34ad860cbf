import { zstdDecompressSync } from 'node:zlib';
import {
  closedThroughKey,
  decodeRevisions,
  type Revision,
  revisionPartition,
  revisionPrefix,
} from '../core/closing.ts';
import { numberIn } from '../core/item.ts';
import type { Aggregate } from '../core/program.ts';
import type { Item, Table } from '../ports/table.ts';
import { readAll } from './read-all.ts';
import { type RetryContext, retryFailed } from './retry.ts';

/** Whose revisions are read. */
export interface RevisionSource {
  readonly table: Table;
  readonly aggregate: Aggregate;
}

/** Most bytes that a part of a revision may become. */
const PART_BYTES_MAX = 64 * 1024 * 1024;

/** The revisions of one window, in their order: none where it was never closed. @throws TransientError */
export async function readRevisions(
  { table, aggregate, windowMs }: RevisionSource & { readonly windowMs: number },
  context: RetryContext,
): Promise<readonly Revision[]> {
  const query = { pk: revisionPartition(aggregate.name), prefix: revisionPrefix(windowMs) };
  return decodeRevisions(await readAll(table, query, context), decompress);
}

/** The revisions of every window of an aggregate, by the window's start. @throws TransientError */
export async function readAllRevisions(
  { table, aggregate }: RevisionSource,
  context: RetryContext,
): Promise<ReadonlyMap<number, readonly Revision[]>> {
  const items = await readAll(table, { pk: revisionPartition(aggregate.name) }, context);
  const windows = Map.groupBy(items, ({ sk }: Item) => Date.parse(sk.split('|')[0] ?? ''));
  return new Map(
    [...windows].map(([windowMs, own]) => [windowMs, decodeRevisions(own, decompress)] as const),
  );
}

/** The watermark through which an aggregate's windows are closed; undefined: none yet. @throws TransientError */
export async function readClosedThrough(
  { table, aggregate }: RevisionSource,
  context: RetryContext,
): Promise<number | undefined> {
  const keys = [closedThroughKey(aggregate.name)];
  const [result] = await retryFailed(context, keys, (some) => table.get(some, context));
  if (result?.status !== 'read') throw result?.error;
  return result.item === undefined ? undefined : numberIn(result.item, 't');
}

function decompress(bytes: Uint8Array): Uint8Array {
  return zstdDecompressSync(bytes, { maxOutputLength: PART_BYTES_MAX });
}
