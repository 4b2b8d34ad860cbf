import type { Accumulator } from '../core/accumulator.ts';
import type { ColumnDefinition } from '../core/pipeline/column-types.ts';
import type { AnyPipeline, WindowDefinition } from '../core/pipeline/types.ts';

/** The column that the simulation adds to each window. */
export const WITNESS = 'witness';

/** What was folded into a cell: how many rows, which ones, and in which order. */
export interface WitnessState {
  readonly count: number;
  /** The sum of the rows' hashes, modulo 2^32: a row too many, missing or changed changes it. */
  readonly sum: number;
  /** Changes with the order; null where two parts were merged, which have no order between them. */
  readonly order: number | null;
}

const EMPTY: WitnessState = { count: 0, sum: 0, order: 0 };

/**
 * An accumulator that notes the rows in their order, where a maximum would hide one that is missing or
 * counted twice, and a sum hides their order.
 */
const witness: Accumulator<number, WitnessState, WitnessState> = {
  name: 'witness-1',
  // Nothing, so that cells are laid out, and a definition is judged, as they are without it.
  size: { typical: 0, max: 0 },
  empty: () => EMPTY,
  add: ({ count, sum, order }, row) => ({
    count: count + 1,
    sum: (sum + row) >>> 0,
    order: order === null ? null : mixed(order, row),
  }),
  merge: (left, right) => {
    if (left.count === 0) return right;
    if (right.count === 0) return left;
    return { count: left.count + right.count, sum: (left.sum + right.sum) >>> 0, order: null };
  },
  encode: ({ count, sum, order }) => [count, sum, order],
  decode: (encoded) => {
    const [count, sum, order] = Array.isArray(encoded) ? encoded : [];
    return { count: Number(count), sum: Number(sum), order: order === null ? null : Number(order) };
  },
  result: (state) => state,
};

/** The pipeline, each of whose windows has a witness more. */
export function witnessed<Of extends AnyPipeline>(pipeline: Of): Of {
  const hashes = new WeakMap<object, number>();
  const hashOf = (row: object): number => {
    const known = hashes.get(row) ?? hashOfText(textOf(row));
    hashes.set(row, known);
    return known;
  };
  const column: ColumnDefinition = { kind: 'use', of: hashOf, accumulator: witness };
  const windows = Object.entries(pipeline.windows).map(
    ([name, window]): [string, WindowDefinition] => [
      name,
      { ...window, keep: { ...window.keep, [WITNESS]: column } },
    ],
  );
  return { ...pipeline, windows: Object.fromEntries(windows) };
}

/** A result's columns with a witness that says nothing of the order. */
export function unordered(
  columns: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const seen: unknown = columns[WITNESS];
  return seen === undefined ? columns : { ...columns, [WITNESS]: { ...Object(seen), order: null } };
}

/** A row that has no JSON, such as one with a BigInt, is as good as another: the pipeline must not notice. */
function textOf(row: object): string {
  try {
    return JSON.stringify(row);
  } catch {
    return '';
  }
}

/** FNV-1a: rows are many, and nobody tries to make two of them alike. */
function hashOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** A multiplication and a shift: neither commutes. */
function mixed(order: number, row: number): number {
  const next = Math.imul(order ^ row, 0x01000193) + 0x9e3779b9;
  return (next ^ (next >>> 15)) >>> 0;
}
