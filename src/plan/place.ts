import { PAGE_BYTES } from '../core/page.ts';
import type { Aggregate } from '../core/program.ts';
import { chanceOf } from './chance.ts';
import type { StateBytes } from './state-bytes.ts';

/**
 * Which cells come to stand in which page, as src/handlers/pack.ts places them: one bucket of one writer
 * over one block of windows. Times in seconds since the block's start.
 */

/** A group as one writer sees it. */
export interface GroupRate {
  readonly group: string;
  /** Rows a second. */
  readonly rate: number;
}

/** A cell of the block. */
export interface PlacedCell {
  readonly startS: number;
  /** When the window takes no more. */
  readonly endS: number;
  /** When its first row comes. */
  readonly firstS: number;
  readonly rate: number;
  /** Bytes of its group and its window's number in a page. */
  readonly keyBytes: number;
}

/** A page with its cells in the order of their creation. */
export type PlacedPage = PlacedCell[];

/** What a block is placed with. */
export interface BlockSource {
  readonly aggregate: Aggregate;
  readonly stateBytes: StateBytes;
  readonly groups: readonly GroupRate[];
  /** Windows of the block that are placed: all, or some of them where there are many groups. */
  readonly windows: number;
  /** Between two batches of the writer, seconds. */
  readonly batchS: number;
}

/** Bytes of a cell at a time, its group included; 0 before its first row. */
export function cellBytesAt(cell: PlacedCell, atS: number, stateBytes: StateBytes): number {
  if (atS < cell.firstS) return 0;
  const elapsedS = Math.min(atS, cell.endS) - cell.startS;
  return cell.keyBytes + stateBytes(Math.max(1, cell.rate * elapsedS), elapsedS * 1000);
}

/** The pages of a block. */
export function placeBlock(source: BlockSource): readonly PlacedPage[] {
  const { aggregate, batchS, stateBytes } = source;
  const pages: PlacedPage[] = [];
  let open: OpenPage | undefined;
  for (const { cell, group } of cellsOf(source)) {
    const batch = Math.floor(cell.firstS / batchS);
    if (open !== undefined && open.batch !== batch) {
      const stored = open.cells.reduce(
        (sum, one) => sum + cellBytesAt(one, cell.firstS, stateBytes),
        1,
      );
      open.bytes = Math.max(stored, open.cells.length * (aggregate.stateBytes + 2));
      open.batch = batch;
    }
    if (open === undefined || open.bytes >= PAGE_BYTES) {
      open = { cells: [], bytes: 0, batch };
      pages.push(open.cells);
    }
    open.cells.push(cell);
    open.bytes += group.length + aggregate.stateBytes;
  }
  return pages;
}

interface OpenPage {
  readonly cells: PlacedCell[];
  bytes: number;
  /** Number of the batch that the bytes are of. */
  batch: number;
}

/** The cells that get rows, in the order of their first one. */
function cellsOf({
  aggregate,
  groups,
  windows,
  batchS,
}: BlockSource): { cell: PlacedCell; group: string }[] {
  const { layout } = aggregate;
  const gridS = layout.gridMs / 1000;
  const [span] = aggregate.assign(0);
  const sizeS = ((span?.endMs ?? 0) - (span?.startMs ?? 0)) / 1000;
  const cells = Array.from({ length: windows }, (_, window) =>
    groups.flatMap(({ group, rate }) => {
      const startS = window * gridS;
      const endS = startS + sizeS;
      const waitS = -Math.log(chanceOf(`${window} ${group}`)) / rate;
      const firstS = startS + waitS;
      if (firstS >= endS) return [];
      return [{ cell: { startS, endS, firstS, rate, keyBytes: keyBytesOf(group) }, group }];
    }),
  ).flat();
  const batchOf = ({ firstS }: PlacedCell) => Math.floor(firstS / batchS);
  return cells.sort(
    (left, right) =>
      batchOf(left.cell) - batchOf(right.cell) || left.cell.firstS - right.cell.firstS,
  );
}

const utf8 = new TextEncoder();

/** A byte of the window's number and one of the group's length take the place of its brackets. */
function keyBytesOf(group: string): number {
  return utf8.encode(group).length;
}
