import type { Position } from '../core/position.ts';

/** A cell as this container last knew it. `position` is undefined for a cell that isn't stored. */
export interface KnownCell {
  readonly position: Position | undefined;
  /** Encoded, as the condition of the next write compares it. */
  readonly encodedPosition: string | undefined;
  /** Live states, one a column; owned by whoever holds the cell. */
  readonly states: unknown[];
}

/** Cells kept by default; about 300 bytes each. */
export const CELLS_MAX = 200_000;

/**
 * The cells that this container wrote last, so that the usual write needs no read.
 *
 * Invariants
 * 1. A cell is either in the cache or held by the writer that took it, never both: states may be
 *    changed in place, and a write that fails must not leave its half-made state behind.
 * 2. What is wrong here is found by the conditional write, so a stale cell costs a read, not a result.
 * 3. At most `max` cells; the one unused longest goes first.
 */
export class CellCache {
  readonly #cells = new Map<string, KnownCell>();
  readonly #max: number;

  constructor(max: number = CELLS_MAX) {
    this.#max = max;
  }

  /** Number of cells. */
  get size(): number {
    return this.#cells.size;
  }

  /** Removes the cell and hands it over, or undefined when it isn't known. */
  take(key: string): KnownCell | undefined {
    const cell = this.#cells.get(key);
    this.#cells.delete(key);
    return cell;
  }

  /** Keeps a cell that was written. */
  put(key: string, cell: KnownCell): void {
    this.#cells.delete(key);
    this.#cells.set(key, cell);
    if (this.#cells.size <= this.#max) return;
    const [oldest] = this.#cells.keys();
    if (oldest !== undefined) this.#cells.delete(oldest);
  }
}
