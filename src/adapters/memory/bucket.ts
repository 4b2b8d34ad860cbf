import type { Bucket } from '../../ports/bucket.ts';
import { compareBytes } from './compare-bytes.ts';

/** Keys of a page at most, as S3 has it. */
const PAGE_KEYS_MAX = 1_000;

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
    list: async ({ prefix, after = '', limit = PAGE_KEYS_MAX }) => {
      const found = [...objects.keys()]
        .filter((key) => key.startsWith(prefix) && compareBytes(key, after) > 0)
        .sort(compareBytes);
      const keys = found.slice(0, limit);
      return { keys, next: keys.length < found.length ? keys.at(-1) : undefined };
    },
  };
}
