import type { Accumulator, Encoded } from '../accumulator.ts';
import { ByteReader, ByteWriter } from '../varint.ts';
import { addToken, estimate, mergeRegister, REGISTERS, TOKEN_MAX, tokenOf } from './exa-log-log.ts';
import { hashScalar, plainScalar, type Scalar } from './scalar.ts';
import { bytesIn, misread } from './stored.ts';

/** Up to so many different values are counted one by one. */
export const COUNTED_MAX = 255;

/** Standard error beyond that. */
export const STANDARD_ERROR = 0.0215;

/**
 * The tokens of the values while they are few, else the registers of all of them. Which of the two
 * follows from the set of values alone, as both do.
 */
export type DistinctState = ReadonlySet<number> | Uint32Array;

/**
 * How many different values: exact up to 255, beyond that with a standard error of 2.15 %. At most 1 KB.
 */
export function distinct(): Accumulator<Scalar, DistinctState, number> {
  return {
    name: 'distinct-1',
    size: { typical: 128, max: 4 * REGISTERS + 3 },
    empty: () => new Set(),
    add: (state, input) => union(state, [tokenOf(hashScalar(plainScalar(input)))]),
    merge: mergeStates,
    encode: encodeState,
    decode: decodeState,
    result: (state) => (state instanceof Uint32Array ? Math.round(estimate(state)) : state.size),
  };
}

/** May change the state in place. */
function union(state: DistinctState, tokens: Iterable<number>): DistinctState {
  if (state instanceof Uint32Array) {
    for (const token of tokens) addToken(state, token);
    return state;
  }
  const all = state as Set<number>;
  for (const token of tokens) all.add(token);
  return all.size <= COUNTED_MAX ? all : union(new Uint32Array(REGISTERS), all);
}

function mergeStates(left: DistinctState, right: DistinctState): DistinctState {
  if (left instanceof Uint32Array && right instanceof Uint32Array) {
    return left.map((register, index) => mergeRegister(register, right[index] ?? 0));
  }
  if (left instanceof Uint32Array) return union(left.slice(), right as ReadonlySet<number>);
  return right instanceof Uint32Array ? union(right.slice(), left) : union(new Set(left), right);
}

/** Four bytes each, highest first: the tokens in ascending order, or all 256 registers. */
function encodeState(state: DistinctState): Encoded {
  const writer = new ByteWriter();
  const words =
    state instanceof Uint32Array ? state : [...state].sort((left, right) => left - right);
  for (const word of words) writer.unsigned(word, 4);
  return writer.finish();
}

function decodeState(encoded: Encoded): DistinctState {
  const bytes = bytesIn('distinct', encoded);
  const reader = new ByteReader(bytes);
  const words = Array.from({ length: bytes.length / 4 }, () => reader.unsigned(4));
  if (!reader.done || words.length > REGISTERS) {
    throw misread('distinct', encoded, `at most ${REGISTERS} words of 4 bytes`);
  }
  if (words.length === REGISTERS) return Uint32Array.from(words);
  if (words.every((word, index) => word <= TOKEN_MAX && word > (words[index - 1] ?? -1))) {
    return new Set(words);
  }
  throw misread('distinct', encoded, 'tokens in ascending order');
}
