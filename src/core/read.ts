import { type Cell, decodeCell, decodeGroup, decodeStates, emptyStates } from './cell.ts';
import type { StoredItem } from './item.ts';
import type { Aggregate, GroupValue } from './program.ts';

/** The result of one group of one window, over all writers. */
export interface WindowRow {
  readonly group: readonly GroupValue[];
  /** The columns' results by name. */
  readonly columns: Readonly<Record<string, unknown>>;
}

/**
 * Merges the cells that the writers keep of one window into results, one row a group, in the order of
 * the groups' JSON.
 *
 * @param items the items of all writers' cells of one window of the aggregate
 */
export function mergeCells(
  aggregate: Aggregate,
  items: Iterable<StoredItem>,
): readonly WindowRow[] {
  const merged = new Map<string, unknown[]>();
  for (const item of items) {
    const before = merged.get(item.sk) ?? emptyStates(aggregate);
    merged.set(item.sk, mergeStates(aggregate, before, decodeCell(item)));
  }
  const groups = [...merged.keys()].sort();
  return groups.map((group) => ({
    group: decodeGroup(group),
    columns: resultsOf(aggregate, merged.get(group) ?? []),
  }));
}

function mergeStates(aggregate: Aggregate, left: readonly unknown[], cell: Cell): unknown[] {
  const right = decodeStates(aggregate, cell.states);
  return aggregate.columns.map((column, index) =>
    column.accumulator.merge(left[index], right[index]),
  );
}

function resultsOf(aggregate: Aggregate, states: readonly unknown[]): WindowRow['columns'] {
  const results = aggregate.columns.map((column, index) => [
    column.name,
    column.accumulator.result(states[index]),
  ]);
  return Object.fromEntries(results);
}
