import { compareSequences } from '../../core/position.ts';
import type { Shards } from '../../ports/shards.ts';

/** Shards in memory. */
export interface MemoryShards extends Shards {
  /** Appends a record to a shard, which it adds if need be. */
  put(shard: number, sequence: string, arrivalMs: number): void;
  /** Adds a shard without a record. */
  addShard(shard: number): void;
}

/** A stream without shards. */
export function makeMemoryShards(): MemoryShards {
  const shards = new Map<number, { readonly sequence: string; readonly arrivalMs: number }[]>();
  const recordsOf = (shard: number) => {
    const records = shards.get(shard) ?? [];
    shards.set(shard, records);
    return records;
  };
  return {
    put: (shard, sequence, arrivalMs) => {
      recordsOf(shard).push({ sequence, arrivalMs });
    },
    addShard: (shard) => {
      recordsOf(shard);
    },
    list: async () => [...shards.keys()].sort((left, right) => left - right),
    next: async (shard, after) => {
      const found = shards
        .get(shard)
        ?.find(({ sequence }) => after === undefined || compareSequences(sequence, after) > 0);
      return found === undefined
        ? { type: 'none' }
        : { type: 'record', arrivalMs: found.arrivalMs };
    },
  };
}
