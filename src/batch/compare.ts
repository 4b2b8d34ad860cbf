import type { RejectionReason } from '../core/rejection.ts';
import type { BatchResult, BatchRows } from './batch.ts';

/** One result that is not what it has to be. */
export interface Difference {
  /** The window, its start, the group and the column; or the reason of a quarantine. */
  readonly where: string;
  readonly stored: unknown;
  readonly computed: unknown;
}

/** How the stored results compare with the computed ones. */
export interface Comparison {
  /** Cells compared, over all windows. */
  readonly cells: number;
  /** In no order; empty when all is equal bit for bit. */
  readonly differences: readonly Difference[];
}

/** What the tables hold. */
export interface StoredResults {
  /** By `resultName(...)`. */
  readonly rows: BatchRows;
  readonly refused: ReadonlyMap<RejectionReason, number>;
}

/**
 * Compares every column of every cell, and the number of refused records by reason. What the computation
 * itself doubts, because it is too far from the exact result, is a difference too.
 */
export function compareResults(
  stored: StoredResults,
  computed: Pick<BatchResult, 'rows' | 'refused' | 'doubts'>,
): Comparison {
  const names = new Set([...stored.rows.keys(), ...computed.rows.keys()]);
  const cells = [...names].flatMap((name) =>
    compareColumns(name, stored.rows.get(name), computed.rows.get(name)),
  );
  const reasons = new Set([...stored.refused.keys(), ...computed.refused.keys()]);
  const refused = [...reasons].flatMap((reason) => {
    const [left, right] = [stored.refused.get(reason) ?? 0, computed.refused.get(reason) ?? 0];
    return left === right ? [] : [{ where: `quarantine ${reason}`, stored: left, computed: right }];
  });
  const doubts = [...computed.doubts].map(([where, doubt]) => ({
    where,
    stored: 'a sketch',
    computed: doubt,
  }));
  return { cells: names.size, differences: [...cells, ...refused, ...doubts] };
}

type Columns = Readonly<Record<string, unknown>>;

function compareColumns(
  name: string,
  stored: Columns | undefined,
  computed: Columns | undefined,
): readonly Difference[] {
  if (stored === undefined || computed === undefined) return [{ where: name, stored, computed }];
  const columns = new Set([...Object.keys(stored), ...Object.keys(computed)]);
  return [...columns].flatMap((column) => {
    const [left, right] = [stored[column], computed[column]];
    return isSame(left, right)
      ? []
      : [{ where: `${name} ${column}`, stored: left, computed: right }];
  });
}

/** Equal to the last bit, whatever the order of an object's fields. */
function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (left === null || right === null || Array.isArray(left) !== Array.isArray(right)) return false;
  const [names, others] = [Object.keys(left), Object.keys(right)];
  return (
    names.length === others.length &&
    names.every(
      (name) =>
        Object.hasOwn(right, name) && isSame(Reflect.get(left, name), Reflect.get(right, name)),
    )
  );
}
