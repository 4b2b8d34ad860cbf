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

/** Compares every column of every cell, and the number of refused records by reason. */
export function compareResults(stored: StoredResults, computed: BatchResult): Comparison {
  const names = new Set([...stored.rows.keys(), ...computed.rows.keys()]);
  const cells = [...names].flatMap((name) =>
    compareColumns(name, stored.rows.get(name), computed.rows.get(name)),
  );
  const reasons = new Set([...stored.refused.keys(), ...computed.refused.keys()]);
  const refused = [...reasons].flatMap((reason) => {
    const [left, right] = [stored.refused.get(reason) ?? 0, computed.refused.get(reason) ?? 0];
    return left === right ? [] : [{ where: `quarantine ${reason}`, stored: left, computed: right }];
  });
  return { cells: names.size, differences: [...cells, ...refused] };
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
    const equal = Object.is(left, right) || isSameObject(left, right);
    return equal ? [] : [{ where: `${name} ${column}`, stored: left, computed: right }];
  });
}

/** Results of a user's own accumulator can be objects. */
function isSameObject(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  return JSON.stringify(left) === JSON.stringify(right);
}
