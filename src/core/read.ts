import { decodeGroup } from './cell.ts';
import { isExpired, type StoredItem } from './item.ts';
import { decodePage } from './page.ts';
import type { Aggregate, CellResult, GroupValue, WindowSpan } from './program.ts';

/** The result of one group of one window, or of one session, over all writers. */
export interface WindowRow extends CellResult {
  readonly group: readonly GroupValue[];
}

/**
 * Merges the cells that the writers keep into results, in the order of window and group.
 *
 * @param items pages of the aggregate: of all its writers, and for a window all buckets of its block
 * @param only leaves out the cells of other windows
 */
export function mergePages(
  aggregate: Aggregate,
  items: Iterable<StoredItem>,
  only: (startMs: number) => boolean = () => true,
): readonly WindowRow[] {
  const merged = new Map<string, { startMs: number; group: string; state: unknown }>();
  for (const item of items) {
    for (const { startMs, group, state } of decodePage(aggregate, item).cells) {
      if (!only(startMs)) continue;
      const key = `${startMs} ${group}`;
      const before = merged.get(key);
      if (before === undefined) merged.set(key, { startMs, group, state });
      else before.state = aggregate.cell.merge(before.state, state);
    }
  }
  return [...merged.values()]
    .sort((left, right) => left.startMs - right.startMs || compareTexts(left.group, right.group))
    .flatMap(({ startMs, group, state }) => {
      const values = decodeGroup(group);
      const span = spanOf(aggregate, startMs);
      return aggregate.cell.results(state, span).map((result) => ({ group: values, ...result }));
    });
}

/**
 * The items that a reader is given: those whose time has not passed. DynamoDB deletes late, and what counts for
 * a writer is everything that is still there.
 */
export function liveItems<Item extends StoredItem>(
  items: readonly Item[],
  nowMs: number,
): readonly Item[] {
  return items.filter((item) => !isExpired(item, nowMs));
}

/** The window of an aggregate that starts at a time. */
function spanOf(aggregate: Aggregate, startMs: number): WindowSpan {
  const found = aggregate.assign(startMs).find((span) => span.startMs === startMs);
  return found ?? { startMs, endMs: startMs };
}

function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
