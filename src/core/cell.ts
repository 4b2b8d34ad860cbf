import type { Encoded } from './accumulator.ts';
import { InvariantError, show } from './errors.ts';
import { checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { GENERATION } from './ledger.ts';
import { decodePosition, encodePosition, type Position } from './position.ts';
import type { Aggregate, GroupValue } from './program.ts';

/** Format version of cell items. */
export const CELL_FORMAT = 1;

/** The attribute that a cell's conditional write compares. */
export const CELL_POSITION = 'p';

/** Which cell: one group of one window of one aggregate, as one writer saw it. */
export interface CellAddress {
  readonly aggregate: string;
  readonly startMs: number;
  readonly writer: string;
  /** The group's values as a JSON array, such as `["ATL"]`. */
  readonly group: string;
}

/** What is stored of a cell. */
export interface Cell {
  /** Everything of the writer up to here that touches the cell is folded in. */
  readonly position: Position;
  /** The window's end, milliseconds since 1970 UTC. */
  readonly endMs: number;
  /** One encoded state a column, in the order of the aggregate's columns. */
  readonly states: readonly Encoded[];
  /** When DynamoDB may delete it, seconds since 1970 UTC. */
  readonly ttlSeconds: number;
}

/** Partition key of a writer's cells of one window. */
export function cellPartition(aggregate: string, startMs: number, writer: string): string {
  return `${GENERATION}|${aggregate}|${new Date(startMs).toISOString()}|${writer}`;
}

/** The sort key of a group; its order is not that of the groups. */
export function encodeGroup(values: readonly GroupValue[]): string {
  return JSON.stringify(values);
}

/** @throws InvariantError when the text is not one that `encodeGroup` wrote */
export function decodeGroup(text: string): readonly GroupValue[] {
  const values: unknown = JSON.parse(text);
  if (Array.isArray(values) && values.every(isGroupValue)) return values;
  throw new InvariantError(`group: got ${show(text)}, expected a JSON array of plain values`);
}

/** True for what can be part of a group's key: a string, finite number, boolean or null. */
export function isGroupValue(value: unknown): value is GroupValue {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** The item of a cell. Attributes: p position, e end of the window, s states as JSON. */
export function encodeCell(address: CellAddress, cell: Cell): StoredItem {
  return {
    pk: cellPartition(address.aggregate, address.startMs, address.writer),
    sk: address.group,
    v: CELL_FORMAT,
    p: encodePosition(cell.position),
    e: cell.endMs,
    s: JSON.stringify(cell.states),
    ttl: cell.ttlSeconds,
  };
}

/** @throws InvariantError when the item is not one that `encodeCell` made */
export function decodeCell(item: StoredItem): Cell {
  checkVersion(item, CELL_FORMAT);
  const states: unknown = JSON.parse(textIn(item, 's'));
  if (!Array.isArray(states) || !states.every(isEncoded)) {
    throw new InvariantError(`cell ${show(item.pk)}: got other states than a JSON array of states`);
  }
  return {
    position: decodePosition(textIn(item, CELL_POSITION)),
    endMs: numberIn(item, 'e'),
    states,
    ttlSeconds: numberIn(item, 'ttl'),
  };
}

function isEncoded(value: unknown): value is Encoded {
  if (Array.isArray(value)) return value.every(isEncoded);
  return value === null || typeof value === 'string' || typeof value === 'number';
}

/** The empty states of an aggregate's columns. */
export function emptyStates(aggregate: Aggregate): unknown[] {
  return aggregate.columns.map((column) => column.accumulator.empty());
}

/** @throws InvariantError when there are more or fewer states than columns */
export function decodeStates(aggregate: Aggregate, encoded: readonly Encoded[]): unknown[] {
  if (encoded.length !== aggregate.columns.length) {
    throw new InvariantError(
      `${aggregate.name}: got ${encoded.length} stored columns, expected ${aggregate.columns.length}; a window whose columns change needs a new name`,
    );
  }
  return aggregate.columns.map((column, index) =>
    column.accumulator.decode(encoded[index] ?? null),
  );
}

/** The stored form of an aggregate's states. */
export function encodeStates(aggregate: Aggregate, states: readonly unknown[]): readonly Encoded[] {
  return aggregate.columns.map((column, index) => column.accumulator.encode(states[index]));
}
