import { shardWriter } from '../core/writer.ts';
import type { Stream } from '../ports/stream.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Most ancestors that are followed; a shard has two parents at most, and old ones expire. */
const ANCESTORS_MAX = 1_000;

/**
 * The writers of a shard's ancestors that the stream still lists: where writers are shards, a child
 * goes on with the ids and the watermark of its parents.
 */
export async function ancestorWriters(
  stream: Stream,
  epoch: string,
  shard: number,
  context: RetryContext,
): Promise<readonly string[]> {
  const found = new Set<number>();
  const open = [shard];
  for (let next = open.pop(); next !== undefined && found.size < ANCESTORS_MAX; next = open.pop()) {
    const current = next;
    const parents = await retryCall(context, () => stream.parents(current, context));
    const fresh = parents.filter((parent) => !found.has(parent));
    for (const parent of fresh) found.add(parent);
    open.push(...fresh);
  }
  return [...found].sort((left, right) => left - right).map((parent) => shardWriter(epoch, parent));
}
