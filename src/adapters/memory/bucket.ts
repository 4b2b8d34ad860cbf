import type { Bucket } from '../../ports/bucket.ts';

/** Objects in memory. */
export interface MemoryBucket extends Bucket {
  /** Every object by its key, for tests to look at. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
}

/** An empty bucket. */
export function makeMemoryBucket(): MemoryBucket {
  const objects = new Map<string, Uint8Array>();
  return {
    objects,
    put: async (key, body) => {
      objects.set(key, body.slice());
    },
    get: async (key) => objects.get(key)?.slice(),
  };
}
