import type { Accumulator, Encoded } from '../accumulator.ts';
import { compareScalars, plainScalar, type Scalar, scalarIn } from './scalar.ts';
import { listIn, misread, numberIn } from './stored.ts';

/** Longest text that `first` and `last` keep, in bytes of UTF-8. */
export const KEPT_BYTES_MAX = 1024;

/** The value that is kept, and what says that it is the one. */
export interface Kept {
  /** Event time, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** The event's name; decides between events of the same time. */
  readonly id: string;
  readonly value: Scalar;
}

/** The value of the earliest event; null for none. Of the same time the least id, then the least value. */
export function first(): Accumulator<Scalar, Kept | null, Scalar | null> {
  return outermost('first', (left, right) => compareKept(left, right) <= 0);
}

/** The value of the latest event; null for none. Of the same time the greatest id, then the greatest value. */
export function last(): Accumulator<Scalar, Kept | null, Scalar | null> {
  return outermost('last', (left, right) => compareKept(left, right) >= 0);
}

/** One event can give several rows, so the value itself has to decide in the end. */
function compareKept(left: Kept, right: Kept): number {
  if (left.timeMs !== right.timeMs) return left.timeMs - right.timeMs;
  return compareScalars(left.id, right.id) || compareScalars(left.value, right.value);
}

function outermost(
  name: string,
  keepsLeft: (left: Kept, right: Kept) => boolean,
): Accumulator<Scalar, Kept | null, Scalar | null> {
  const merge = (left: Kept | null, right: Kept | null) => {
    if (left === null || right === null) return left ?? right;
    return keepsLeft(left, right) ? left : right;
  };
  return {
    name: `${name}-1`,
    // A time, an id of at most 2,048 bytes, a value, and their headers.
    size: { typical: 48, max: 3_100 },
    empty: () => null,
    add: (state, input, timeMs, id) => merge(state, { timeMs, id, value: plainScalar(input) }),
    merge,
    encode: (state) => (state === null ? null : [state.timeMs, state.id, state.value]),
    decode: (encoded) => (encoded === null ? null : keptIn(name, encoded)),
    result: (state) => state?.value ?? null,
  };
}

function keptIn(name: string, encoded: Encoded): Kept {
  const [timeMs, id, value] = listIn(name, encoded, 3);
  if (typeof id !== 'string') throw misread(name, encoded, '[time, id, value]');
  return { timeMs: numberIn(name, timeMs), id, value: scalarIn(name, value) };
}
