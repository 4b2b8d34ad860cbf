import type { Encoded } from './accumulator.ts';
import { InvariantError, show } from './errors.ts';
import type { CellState, Column, FoldInput, GroupValue } from './program.ts';

/** A group's values as a JSON array: what names it in keys and results. */
export function encodeGroup(values: readonly GroupValue[]): string {
  let text = '';
  for (const value of values) {
    // Most groups are short codes.
    if (typeof value !== 'string' || !isPlain(value)) return JSON.stringify(values);
    text += text === '' ? `"${value}"` : `,"${value}"`;
  }
  return `[${text}]`;
}

const PLAIN_LENGTH_MAX = 32;

/** True for a short text that stands in JSON as it is. */
function isPlain(text: string): boolean {
  if (text.length > PLAIN_LENGTH_MAX) return false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return true;
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

/** One state a column, in their order. */
type States = readonly unknown[];

/** The cell of a tumbling or hopping window: one state a column. */
export function columnsCell(name: string, columns: readonly Column[]): CellState {
  const vector = columnVector(name, columns);
  return {
    empty: vector.empty,
    add: (state, fold) => vector.add(state as unknown[], fold),
    merge: (left, right) => vector.merge(left as States, right as States),
    encode: (state) => vector.encode(state as States),
    decode: vector.decode,
    results: (state, { startMs, endMs }) => [
      { startMs, endMs, columns: vector.results(state as States) },
    ],
  };
}

/** Events of one group that follow each other closely. Times in milliseconds since 1970 UTC. */
interface Session {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly states: States;
}

/**
 * The cell of a session window: every session of a group within one slot of a grid of time, so that two
 * sessions that an event joins are always in one cell. Sessions are cut at the grid.
 *
 * @param gapMs events less than this apart belong together
 */
export function sessionsCell(name: string, columns: readonly Column[], gapMs: number): CellState {
  const vector = columnVector(name, columns);
  const join = (left: Session, right: Session): Session => ({
    firstMs: Math.min(left.firstMs, right.firstMs),
    lastMs: Math.max(left.lastMs, right.lastMs),
    states: vector.merge(left.states, right.states),
  });
  const merge = (left: readonly Session[], right: readonly Session[]): readonly Session[] => {
    const merged: Session[] = [];
    for (const session of [...left, ...right].sort((a, b) => a.firstMs - b.firstMs)) {
      const before = merged.at(-1);
      if (before === undefined || session.firstMs - before.lastMs >= gapMs) merged.push(session);
      else merged[merged.length - 1] = join(before, session);
    }
    return merged;
  };
  return {
    empty: () => [],
    add: (state, fold) => {
      const states = vector.add(vector.empty(), fold);
      return merge(state as Session[], [{ firstMs: fold.timeMs, lastMs: fold.timeMs, states }]);
    },
    merge: (left, right) => merge(left as Session[], right as Session[]),
    encode: (state) => encodeSessions(state as Session[], vector.encode),
    decode: (encoded) => decodeSessions(name, encoded, vector.decode),
    results: (state) =>
      (state as Session[]).map(({ firstMs, lastMs, states }) => ({
        startMs: firstMs,
        endMs: lastMs,
        columns: vector.results(states),
      })),
  };
}

/** Three values a session: the time since the one before ended (first: since 1970), its length, its states. */
function encodeSessions(
  sessions: readonly Session[],
  encode: (states: States) => Encoded,
): Encoded {
  let beforeMs = 0;
  return sessions.flatMap(({ firstMs, lastMs, states }): Encoded[] => {
    const sinceMs = firstMs - beforeMs;
    beforeMs = lastMs;
    return [sinceMs, lastMs - firstMs, encode(states)];
  });
}

function decodeSessions(
  name: string,
  encoded: Encoded,
  decode: (encoded: Encoded) => States,
): readonly Session[] {
  if (!Array.isArray(encoded) || encoded.length % 3 !== 0) {
    throw new InvariantError(`${name}: got other sessions than three values each`);
  }
  const sessions: Session[] = [];
  for (let at = 0; at < encoded.length; at += 3) {
    const [sinceMs, lengthMs, states] = encoded.slice(at, at + 3);
    const firstMs = (sessions.at(-1)?.lastMs ?? 0) + Number(sinceMs);
    sessions.push({ firstMs, lastMs: firstMs + Number(lengthMs), states: decode(states) });
  }
  return sessions;
}

function columnVector(name: string, columns: readonly Column[]) {
  const accumulators = columns.map(({ accumulator }) => accumulator);
  return {
    empty: (): unknown[] => columns.map(({ accumulator }) => accumulator.empty()),
    add: (states: unknown[], { inputs, timeMs, name: event }: FoldInput): unknown[] => {
      // Without an iterator: this runs for each fold.
      for (let index = 0; index < accumulators.length; index += 1) {
        const input = inputs[index] ?? null;
        if (input === null) continue;
        states[index] = accumulators[index]?.add(states[index], input, timeMs, event);
      }
      return states;
    },
    merge: (left: States, right: States): unknown[] =>
      columns.map(({ accumulator }, index) => accumulator.merge(left[index], right[index])),
    encode: (states: States): Encoded =>
      columns.map(({ accumulator }, index) => accumulator.encode(states[index])),
    decode: (encoded: Encoded): unknown[] => {
      if (!Array.isArray(encoded) || encoded.length !== columns.length) {
        const got = Array.isArray(encoded) ? encoded.length : show(encoded);
        throw new InvariantError(
          `${name}: got ${got} stored columns, expected ${columns.length}; a window whose columns change needs a new name`,
        );
      }
      return columns.map(({ accumulator }, index) => accumulator.decode(encoded[index] ?? null));
    },
    results: (states: States): Readonly<Record<string, unknown>> => {
      const results = columns.map(({ name: column, accumulator }, index) => [
        column,
        accumulator.result(states[index]),
      ]);
      return Object.fromEntries(results);
    },
  };
}
