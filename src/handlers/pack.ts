import { InvariantError } from '../core/errors.ts';
import { pageNumber } from '../core/layout.ts';
import { decodePage, PAGE_BYTES, type PageCell } from '../core/page.ts';
import type { CellPlan } from '../core/plan-packs.ts';
import { isAfter, type Position, packPosition } from '../core/position.ts';
import type { Aggregate, FoldInput } from '../core/program.ts';
import type { Item } from '../ports/table.ts';

/** A page as a writer knows it. */
export interface LivePage {
  readonly number: number;
  /** Undefined for a page that isn't stored. */
  position: Position | undefined;
  /** As the condition of the next write compares it. */
  encodedPosition: string | undefined;
  /** No new cell joins it: so it is stored, or will be with the next write. */
  full: boolean;
  /** Bytes of its cells, about. */
  bytes: number;
  /** Bytes of its cells when it was last stored, 0 before. */
  storedBytes: number;
  readonly cells: PageCell[];
}

/** Stored bytes of a sketch that take about as much memory as one plain cell, 300 bytes. */
const CELL_BYTES = 64;

/**
 * The chain of pages that holds the cells of one pack (core/layout.ts), as a writer knows it.
 *
 * Invariants
 * 1. A cell is in one page, for ever. Held by two rules: a new cell goes into the first page that is not
 *    full; a page is written for the first time only when the full ones before it are stored as sealed.
 *    Sealing moves the page's position, so a try that still believes it open fails its condition.
 * 2. A page at position p holds exactly the accepted records up to p that touch one of its cells. So a
 *    cell can't join a page whose position is at or after its first record: for it that page is full.
 * 3. What is wrong here about the store is found by the conditional write, and then read again.
 */
export class Pack {
  readonly #aggregate: Aggregate;
  readonly #places = new Map<string, { readonly page: LivePage; readonly cell: PageCell }>();
  /** Pages that take new cells, in their order; nearly always one. */
  #open: LivePage[] = [];
  /** Full pages whose seal isn't stored. */
  readonly #unsealed = new Set<LivePage>();
  #pages = 0;
  /** Of all pages, as they are stored. */
  #bytes = 0;

  constructor(aggregate: Aggregate, items: readonly Item[]) {
    this.#aggregate = aggregate;
    for (const item of items) this.#load(item);
  }

  /** Number of cells. */
  get size(): number {
    return this.#places.size;
  }

  /** The memory that it takes, counted in plain cells. */
  get weight(): number {
    return Math.max(this.size, Math.ceil(this.#bytes / CELL_BYTES));
  }

  /** The page of a cell: the one that has it, else the one that it joins. */
  place({ key, group, span }: CellPlan, first: Position): LivePage {
    const known = this.#places.get(key);
    if (known !== undefined) return known.page;
    const page = this.#open.find(({ position }) => isAfter(first, position)) ?? this.#newPage();
    const cell = { startMs: span.startMs, group, state: this.#aggregate.cell.empty() };
    page.cells.push(cell);
    this.#places.set(key, { page, cell });
    page.bytes += group.length + this.#aggregate.stateBytes;
    if (page.bytes >= PAGE_BYTES) this.#fill(page);
    return page;
  }

  /** Folds into a cell that has a place. */
  fold(key: string, folds: readonly FoldInput[]): void {
    const found = this.#places.get(key);
    if (found === undefined) throw new InvariantError(`pack: got no place of cell ${key}`);
    const { cell } = found;
    for (const one of folds) cell.state = this.#aggregate.cell.add(cell.state, one);
  }

  /** True when the full pages before it are stored as sealed. */
  mayWrite(page: LivePage): boolean {
    if (page.position !== undefined) return true;
    for (const { number } of this.#unsealed) if (number < page.number) return false;
    return true;
  }

  /** Notes that a page is stored at a position, sealed or not, with so many bytes of cells. */
  written(page: LivePage, stored: { position: Position; sealed: boolean; bytes: number }): void {
    page.position = stored.position;
    page.encodedPosition = packPosition(stored.position);
    this.#bytes += stored.bytes - page.storedBytes;
    page.storedBytes = stored.bytes;
    page.bytes = this.#atLeast(stored.bytes, page.cells.length);
    if (!stored.sealed) return;
    this.#fill(page);
    this.#unsealed.delete(page);
  }

  /** States that are small yet count as they usually get: so many cells fit a page also when they have grown. */
  #atLeast(bytes: number, cells: number): number {
    return Math.max(bytes, cells * (this.#aggregate.stateBytes + 2));
  }

  #fill(page: LivePage): void {
    if (page.full) return;
    page.full = true;
    this.#open = this.#open.filter((one) => one !== page);
    this.#unsealed.add(page);
  }

  #newPage(): LivePage {
    const page: LivePage = {
      number: this.#pages,
      position: undefined,
      encodedPosition: undefined,
      full: false,
      bytes: 0,
      storedBytes: 0,
      cells: [],
    };
    this.#pages += 1;
    this.#open.push(page);
    return page;
  }

  #load(item: Item): void {
    const { position, sealed, cells } = decodePage(this.#aggregate, item);
    const storedBytes = item.d instanceof Uint8Array ? item.d.length : 0;
    this.#bytes += storedBytes;
    const page: LivePage = {
      number: pageNumber(item.sk),
      position,
      encodedPosition: packPosition(position),
      full: sealed,
      bytes: this.#atLeast(storedBytes, cells.length),
      storedBytes,
      cells: [...cells],
    };
    if (!sealed) this.#open.push(page);
    this.#pages = Math.max(this.#pages, page.number + 1);
    for (const cell of page.cells)
      this.#places.set(`${cell.startMs} ${cell.group}`, { page, cell });
  }
}
