import type { Stream, StreamIdentity } from '../../ports/stream.ts';

/** A stream's identity and lineage in memory. */
export interface MemoryStream extends Stream {
  /** Makes it another stream of the same name, as a deletion and creation does. */
  recreate(createdMs: number): void;
  /** Lists a shard with its parents. */
  addShard(shard: number, parents: readonly number[]): void;
}

/** A stream without shards. */
export function makeMemoryStream(identity: StreamIdentity): MemoryStream {
  let current = identity;
  const parents = new Map<number, readonly number[]>();
  return {
    identify: async () => current,
    parents: async (shard) => parents.get(shard) ?? [],
    recreate: (createdMs) => {
      current = { ...current, createdMs };
      parents.clear();
    },
    addShard: (shard, of) => {
      parents.set(shard, of);
    },
  };
}
