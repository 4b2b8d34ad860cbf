import type { Pack } from './pack.ts';

/** Plain cells kept by default, about 300 bytes each: 60 MB. A large sketch counts as many cells. */
export const CELLS_MAX = 200_000;

/**
 * The packs that this container wrote last, so that the usual write needs no read.
 *
 * Invariants
 * 1. A pack is either in the cache or held by the writer that took it, never both: states may be
 *    changed in place, and a write that fails must not leave its half-made state behind.
 * 2. What is wrong here is found by the conditional write, so a stale pack costs a read, not a result.
 * 3. At most `max` cells by their weight, and one pack more; the pack unused longest goes first.
 */
export class PackCache {
  readonly #packs = new Map<string, Pack>();
  readonly #max: number;
  #cells = 0;
  #weight = 0;

  constructor(max: number = CELLS_MAX) {
    this.#max = max;
  }

  /** Number of cells. */
  get size(): number {
    return this.#cells;
  }

  /** Removes the pack and hands it over, or undefined when it isn't known. */
  take(key: string): Pack | undefined {
    const pack = this.#packs.get(key);
    if (pack === undefined) return undefined;
    this.#packs.delete(key);
    this.#cells -= pack.size;
    this.#weight -= pack.weight;
    return pack;
  }

  /** Keeps a pack all of whose pages are as stored. */
  put(key: string, pack: Pack): void {
    this.take(key);
    this.#packs.set(key, pack);
    this.#cells += pack.size;
    this.#weight += pack.weight;
    for (const [oldest] of this.#packs) {
      if (this.#weight <= this.#max || oldest === key) return;
      this.take(oldest);
    }
  }
}
