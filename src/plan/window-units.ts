import { itemBytes } from '../adapters/memory/units.ts';
import { blockKey, bucketOf, packPartition, pageKey } from '../core/layout.ts';
import { encodePage } from '../core/page.ts';
import type { Aggregate } from '../core/program.ts';
import { chanceOf } from './chance.ts';
import {
  cellBytesAt,
  type GroupRate,
  type PlacedCell,
  type PlacedPage,
  placeBlock,
} from './place.ts';
import type { StateBytes } from './state-bytes.ts';

/** What a writer writes of a window. */
export interface WindowFlow {
  readonly aggregate: Aggregate;
  readonly stateBytes: StateBytes;
  /** The groups that the writer sees. */
  readonly groups: readonly GroupRate[];
  /** Events a second, those included that don't touch the window. */
  readonly rate: number;
  /** Events of the writer in a batch of it; 1 at least. */
  readonly events: number;
  /** Warm containers that its batches come to by turns, in no order. */
  readonly containers: number;
}

/** What that uses, a second. */
export interface WindowUse {
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Pages written, and write units if each cell were an item of its own. */
  readonly pageWrites: number;
  readonly cellUnits: number;
  /** Bytes of the results of a second, as they are stored. */
  readonly storedBytes: number;
  /** Cells that take rows, at any time. */
  readonly liveCells: number;
  /** Write units a second of the busiest partition key. */
  readonly hottestUnits: number;
}

/** Buckets that are looked at; more are told from these. */
const BUCKETS_MAX = 40;

/** Cells that are placed, of a bucket and of all: more windows, and more buckets, tell nothing new. */
const BUCKET_CELLS_MAX = 6_000;
const CELLS_MAX = 20_000;

/** Looks at a window while it takes rows. */
const PHASES = 6;

const UNIT = 1024;
const READ_UNIT = 4096;

/** A name as long as writers have. */
const WRITER = 't4x9k2-1f3a9c0d.p12';

/** A position as long as Kinesis has. */
const POSITION = {
  shard: 12,
  sequence: '49590338271490256608559692538361571095921575989136588898',
  index: 0,
};

/** Units of one writer and window, from the layout, the sizes of states and the batches. */
export function windowUse(flow: WindowFlow): WindowUse {
  const buckets = bucketsOf(flow);
  const largest = Math.max(1, ...buckets.map((groups) => groups.length * windowsOf(flow, groups)));
  const looked = sampled(buckets, Math.max(2, Math.floor(CELLS_MAX / largest)));
  const uses = looked.map((groups) => bucketUse(flow, groups));
  const scale = buckets.length / Math.max(1, looked.length);
  const sum = (of: (use: WindowUse) => number) =>
    scale * uses.reduce((total, use) => total + of(use), 0);
  return {
    writeUnits: sum(({ writeUnits }) => writeUnits),
    readUnits: sum(({ readUnits }) => readUnits),
    pageWrites: sum(({ pageWrites }) => pageWrites),
    cellUnits: sum(({ cellUnits }) => cellUnits),
    storedBytes: sum(({ storedBytes }) => storedBytes),
    liveCells: sum(({ liveCells }) => liveCells),
    hottestUnits: Math.max(0, ...uses.map(({ hottestUnits }) => hottestUnits)),
  };
}

function bucketsOf({ aggregate, groups }: WindowFlow): readonly (readonly GroupRate[])[] {
  const buckets = Map.groupBy(groups, ({ group }) => bucketOf(aggregate.layout, group));
  const rateOf = (some: readonly GroupRate[]) => some.reduce((sum, { rate }) => sum + rate, 0);
  return [...buckets.values()].sort((left, right) => rateOf(right) - rateOf(left));
}

/** Every so many-th in the order of their rates, the busiest one included. */
function sampled<One>(all: readonly One[], most: number): readonly One[] {
  const count = Math.min(all.length, BUCKETS_MAX, most);
  const step = Math.max(1, all.length / count);
  return Array.from({ length: count }, (_, index) => all[Math.floor(index * step)]).flatMap(
    (one) => (one === undefined ? [] : [one]),
  );
}

/** Windows of a block that are placed; three at least, so that most pages are within and not at an end. */
function windowsOf({ aggregate }: WindowFlow, groups: readonly GroupRate[]): number {
  const some = Math.max(3, Math.floor(BUCKET_CELLS_MAX / Math.max(1, groups.length)));
  return Math.min(aggregate.layout.windows, some);
}

/** A block of a bucket with what is the same in all its pages. */
interface Block {
  readonly flow: WindowFlow;
  readonly pages: readonly PlacedPage[];
  /** Between two batches of the writer, seconds. */
  readonly batchS: number;
  /** Bytes of a page without cells. */
  readonly emptyBytes: number;
  /** From one block's start to the next one's, and to its last window's end, seconds. */
  readonly everyS: number;
  readonly endS: number;
  /** Windows of a block for each that is placed: a read is of all its pages. */
  readonly whole: number;
}

function bucketUse(flow: WindowFlow, groups: readonly GroupRate[]): WindowUse {
  const { aggregate, stateBytes } = flow;
  const batchS = flow.events / flow.rate;
  const windows = windowsOf(flow, groups);
  const pages = placeBlock({ aggregate, stateBytes, groups, windows, batchS });
  const everyS = (aggregate.layout.gridMs * windows) / 1000;
  const cells = pages.flat();
  const endS = cells.reduce((latest, cell) => Math.max(latest, cell.endS), everyS);
  const whole = aggregate.layout.windows / windows;
  const emptyBytes = emptyPageBytes(aggregate);
  const block = { flow, pages, batchS, everyS, endS, whole, emptyBytes };
  const made = creations(block);
  const looks = looksOf(block);
  const writeUnits = (made.units + looks.units) / everyS;
  const stored = pages.reduce((sum, page) => sum + pageBytes(block, page, endS) + 100, 0);
  return {
    writeUnits,
    readUnits: (made.readUnits + looks.readUnits) / everyS,
    pageWrites: (made.writes + looks.writes) / everyS,
    cellUnits: (cells.length + looks.cellUnits) / everyS,
    storedBytes: stored / everyS,
    liveCells: cells.reduce((sum, cell) => sum + (cell.endS - cell.firstS), 0) / everyS,
    hottestUnits: writeUnits,
  };
}

interface Touches {
  readonly units: number;
  readonly writes: number;
  readonly readUnits: number;
  readonly cellUnits: number;
}

/** Batches that make a cell touch its page for certain; what a look at it counts by chance is taken off. */
function creations(block: Block): Touches {
  let [units, writes] = [0, 0];
  for (const page of block.pages) {
    const batches = new Set(page.map(({ firstS }) => Math.floor(firstS / block.batchS)));
    for (const batch of batches) {
      const atS = (batch + 1) * block.batchS;
      const { chance, stale } = touchOf(block, page, atS);
      const certain = 1 - chance;
      writes += certain;
      units += certain * unitsOf(pageBytes(block, page, atS)) * (1 + stale);
    }
  }
  // Each container reads a pack once that it doesn't know.
  const packs = block.pages.length === 0 ? 0 : 1;
  return { units, writes, readUnits: (packs * block.flow.containers) / block.whole, cellUnits: 0 };
}

/** What batches touch of cells that are there already, from looks at each phase of each window. */
function looksOf(block: Block): Touches {
  const { flow, pages, batchS, endS } = block;
  const gridS = flow.aggregate.layout.gridMs / 1000;
  const stepS = gridS / PHASES;
  const present = presence(flow);
  const last = pages.map((page) => pageBytes(block, page, endS));
  let [units, writes, readUnits, cellUnits] = [0, 0, 0, 0];
  for (let step = 0; step * stepS < endS + batchS; step += 1) {
    // Looks at even steps would fall on the same part of batches in each window.
    const atS = (step + chanceOf(`look ${step}`)) * stepS;
    const batches = (stepS / batchS) * present;
    let untouched = 1;
    let bytes = 0;
    for (const [index, page] of pages.entries()) {
      const size = isOver(page, atS - batchS) ? last[index] : pageBytes(block, page, atS);
      bytes += size ?? 0;
      const { chance, stale } = touchOf(block, page, atS);
      if (chance === 0) continue;
      writes += batches * chance;
      units += batches * chance * unitsOf(size ?? 0) * (1 + stale);
      untouched *= 1 - chance * stale;
      cellUnits += batches * cellsTouched(block, page, atS);
    }
    readUnits +=
      batches * (1 - untouched) * Math.max(1, Math.ceil((bytes * block.whole) / READ_UNIT));
  }
  return { units, writes, readUnits, cellUnits };
}

/** A batch of less than an event on average comes where there is one. */
function presence({ events }: WindowFlow): number {
  return events >= 1 ? 1 : events;
}

/** The share of a batch's events that come within a cell's window, if the batch ends at a time. */
function overlap(cell: PlacedCell, atS: number, batchS: number): number {
  const fromS = Math.max(cell.startS, atS - batchS);
  return Math.max(0, Math.min(cell.endS, atS) - fromS) / batchS;
}

/**
 * The chance that a batch which ends at a time touches a page, and that another container has written the
 * page since the one that the batch comes to saw it: then the write fails, is billed, and made again.
 */
function touchOf({ flow, batchS }: Block, page: PlacedPage, atS: number) {
  const hit = page.reduce((sum, cell) => {
    if (cell.firstS > atS) return sum;
    return sum + overlap(cell, atS, batchS) * (cell.rate / flow.rate);
  }, 0);
  const missed = (1 - Math.min(1, hit)) ** flow.events;
  const chance = 1 - missed;
  const again = 1 / flow.containers;
  return { chance, stale: 1 - again / (1 - (1 - again) * missed) };
}

function cellsTouched({ flow, batchS }: Block, page: PlacedPage, atS: number): number {
  return page.reduce((sum, cell) => {
    if (cell.firstS > atS) return sum;
    // Rounding can make it a little more than one, and a power of less than nothing is no number.
    const hit = Math.min(1, overlap(cell, atS, batchS) * (cell.rate / flow.rate));
    return sum + 1 - (1 - hit) ** flow.events;
  }, 0);
}

function unitsOf(bytes: number): number {
  return Math.ceil(bytes / UNIT);
}

/** True when no window of the page takes rows at a time or later. */
function isOver(page: PlacedPage, atS: number): boolean {
  return page.every(({ endS }) => endS <= atS);
}

function pageBytes({ flow, emptyBytes }: Block, page: PlacedPage, atS: number): number {
  return page.reduce((sum, cell) => sum + cellBytesAt(cell, atS, flow.stateBytes), emptyBytes);
}

function emptyPageBytes(aggregate: Aggregate): number {
  const key = { pk: packPartition(aggregate.name, WRITER, 0), sk: pageKey(blockKey(0), 0) };
  const page = { position: POSITION, sealed: false, cells: [], ttlSeconds: 2_000_000_000 };
  return itemBytes(encodePage(aggregate, key, page));
}
