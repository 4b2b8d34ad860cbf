import {
  type ArchiveObject,
  archiveHourPrefix,
  archiveShardPrefix,
  parseArchiveKey,
} from '../core/archive-object.ts';
import { ARCHIVE_PREFIX } from '../core/contract.ts';
import type { Bucket, KeyQuery } from '../ports/bucket.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Gives each call of a long listing a deadline of its own. */
export type CallContext = () => RetryContext;

/** The objects of all shards from an hour on, in the order of hours; one page is in memory. */
export async function* listFromHour(
  bucket: Bucket,
  fromHourMs: number,
  context: CallContext,
): AsyncGenerator<ArchiveObject, void> {
  // The hour's own prefix comes before all of its keys.
  const query = { prefix: ARCHIVE_PREFIX, after: archiveHourPrefix(fromHourMs) };
  yield* list(bucket, query, context);
}

/** The objects of one shard and hour, in the order of positions. */
export async function* listShardHour(
  bucket: Bucket,
  of: { readonly hourMs: number; readonly epoch: string; readonly shard: number },
  context: CallContext,
): AsyncGenerator<ArchiveObject, void> {
  yield* list(bucket, { prefix: archiveShardPrefix(of.hourMs, of.epoch, of.shard) }, context);
}

/**
 * The hours in which a shard has objects, ascending, found while they are asked for. Names of other shards are
 * passed over, a thousand a request.
 */
export async function* listHours(
  bucket: Bucket,
  of: {
    readonly epoch: string;
    readonly shard: number;
    readonly fromMs: number;
    readonly toMs: number;
  },
  context: CallContext,
): AsyncGenerator<number, void> {
  let last: number | undefined;
  for await (const { epoch, shard, hourMs } of listFromHour(bucket, of.fromMs, context)) {
    if (hourMs > of.toMs) return;
    if (epoch !== of.epoch || shard !== of.shard || hourMs === last) continue;
    last = hourMs;
    yield hourMs;
  }
}

async function* list(
  bucket: Bucket,
  query: KeyQuery,
  context: CallContext,
): AsyncGenerator<ArchiveObject, void> {
  let after = query.after;
  do {
    const asked = { ...query, ...(after === undefined ? {} : { after }) };
    const call = context();
    const page = await retryCall(call, () => bucket.list(asked, call));
    for (const key of page.keys) yield parseArchiveKey(key);
    after = page.next;
  } while (after !== undefined);
}
