import { blockKey, blockOf, bucketOf, packPartition } from './layout.ts';
import type { Aggregate, FoldInput, WindowSpan } from './program.ts';

/** One row's inputs for one cell. */
export interface Fold extends FoldInput {
  /** Index of the record's decision. */
  readonly ordinal: number;
}

/** A cell that the records touch, with its folds in the order of position. */
export interface CellPlan {
  /** Names the cell within its pack. */
  readonly key: string;
  readonly group: string;
  readonly span: WindowSpan;
  readonly folds: Fold[];
}

/** A pack that the records touch, with its cells in the order of their first fold. */
export interface PackPlan {
  readonly aggregate: Aggregate;
  readonly pk: string;
  /** Start of its pages' sort keys. */
  readonly block: string;
  /** Latest end of a window of the block, milliseconds since 1970 UTC. */
  readonly endMs: number;
  readonly cells: Map<string, CellPlan>;
}

/**
 * The packs and cells that records touch, as they are planned.
 *
 * A cell is looked up for each fold, so that is done without making keys: by aggregate, start and group.
 */
export class PackPlans {
  readonly #writer: string;
  readonly #cells = new Map<Aggregate, Map<number, Map<string, CellPlan>>>();

  /** Touched packs by partition key and block. */
  readonly packs = new Map<string, PackPlan>();

  constructor(writer: string) {
    this.#writer = writer;
  }

  /** The cell of a group in a window; made when it is new. */
  cellOf(aggregate: Aggregate, span: WindowSpan, group: string): CellPlan {
    const groups = this.#groupsOf(aggregate, span.startMs);
    const known = groups.get(group);
    if (known !== undefined) return known;
    const cell: CellPlan = { key: `${span.startMs} ${group}`, group, span, folds: [] };
    groups.set(group, cell);
    this.#packOf(aggregate, span, group).cells.set(cell.key, cell);
    return cell;
  }

  #groupsOf(aggregate: Aggregate, startMs: number): Map<string, CellPlan> {
    let starts = this.#cells.get(aggregate);
    if (starts === undefined) {
      starts = new Map();
      this.#cells.set(aggregate, starts);
    }
    let groups = starts.get(startMs);
    if (groups === undefined) {
      groups = new Map();
      starts.set(startMs, groups);
    }
    return groups;
  }

  #packOf(aggregate: Aggregate, span: WindowSpan, group: string): PackPlan {
    const block = blockOf(aggregate.layout, span.startMs);
    const bucket = bucketOf(aggregate.layout, group);
    const key = `${aggregate.name} ${bucket} ${block.startMs}`;
    const known = this.packs.get(key);
    if (known !== undefined) return known;
    const pack: PackPlan = {
      aggregate,
      pk: packPartition(aggregate.name, this.#writer, bucket),
      block: blockKey(block.startMs),
      endMs: block.endMs - aggregate.layout.gridMs + span.endMs - span.startMs,
      cells: new Map(),
    };
    this.packs.set(key, pack);
    return pack;
  }
}
