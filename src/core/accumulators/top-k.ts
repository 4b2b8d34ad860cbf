import type { Accumulator, Encoded } from '../accumulator.ts';
import type { Hash64 } from '../hash.ts';
import {
  addWeight,
  type CountMin,
  decodeSketch,
  EXCESS_MAX,
  emptySketch,
  encodeSketch,
  mergeSketches,
  totalOf,
  weightOf,
} from './count-min.ts';
import {
  addExact,
  decodeExact,
  type ExactSum,
  encodeExact,
  exactOf,
  roundExact,
} from './exact-sum.ts';
import { compareScalars, hashScalar, plainScalar, type Scalar, scalarIn } from './scalar.ts';
import { listIn, misread, naturalIn } from './stored.ts';

/**
 * The keys with the most weight.
 *
 * While the keys are few, all of them are kept with their exact weights. What then? No summary of bounded
 * size keeps the true top of every stream, and the well-known ones (Misra and Gries, space-saving) depend on
 * the order of the events. So two things are kept that follow from the set of events alone:
 * - all weights in a count-min sketch, which says how much a key weighs if one knows the key;
 * - keys, chosen by chance in proportion to their weight: each event draws a *level*, at random from its
 *   id and key, that is at least l with a chance of its weight / 2^l, and a key has the highest level of its
 *   events. Kept are the keys at or above a threshold, the lowest one at which they fit. (Bottom-k sampling
 *   of unaggregated data, Cohen 2014, with scores rounded to powers of two.)
 *
 * Invariants
 * 1. The sketch is there if, and only if, the keys of all events don't fit.
 * 2. With a sketch, the keys are those of all events at or above the threshold, and they would not fit
 *    at the one below.
 * Both hold for the whole if they hold for its parts: keys that don't fit in a part don't in the whole, so
 * a part's threshold is no higher than the whole's, and no part lacks a key that the whole has to keep.
 */
export interface TopKState {
  readonly keys: Map<Scalar, Entry>;
  /** What the keys cost. */
  cost: number;
  /** Undefined while all keys are kept. */
  rest: { readonly threshold: number; readonly sketch: CountMin } | undefined;
}

interface Entry {
  readonly level: number;
  /** 0 once the sketch has it. */
  readonly weight: ExactSum;
}

/** What an event adds. */
export interface WeightedKey {
  readonly key: Scalar;
  /** `WEIGHT_MIN` to `WEIGHT_MAX`. */
  readonly weight: number;
}

/** A key of the top. */
export interface TopEntry<Key extends Scalar = Scalar> {
  readonly key: Key;
  readonly weight: number;
  /** The weight is too high by at most this, with a probability of 98 %; never too low. 0: it is exact. */
  readonly error: number;
}

/** Bounds of weights, so that exact sums of them stay small. */
export const WEIGHT_MIN = 2 ** -40;
export const WEIGHT_MAX = 2 ** 60;

/** Longest key in bytes of UTF-8. */
export const KEY_BYTES_MAX = 256;

/** What keys may cost together: each its bytes of UTF-8 (numbers: 8) and 16. A thousand keys of 8 bytes. */
export const COST_MAX = 24_000;

/** The levels are from that of 2^-40 / 1, which is 0, to that of 2^60 / 2^-54. */
const LEVEL_OFFSET = 40;
const LEVELS = 40 + 60 + 54 + 1;

/**
 * The k keys with the most weight, the heaviest first, of equal weight in the order of the keys.
 *
 * @param k 1 to 100
 */
export function topK(k: number): Accumulator<WeightedKey, TopKState, readonly TopEntry[]> {
  return {
    name: 'top-k-1',
    // At most: what keys cost, their headers and weights of up to 30 bytes, or 1,024 sums of that size.
    size: { typical: 256, max: COST_MAX + 32 * 1024 },
    empty: () => ({ keys: new Map(), cost: 0, rest: undefined }),
    add: addEvent,
    merge: mergeStates,
    encode: encodeState,
    decode: decodeState,
    result: (state) => topOf(state, k),
  };
}

function addEvent(state: TopKState, input: WeightedKey, _at: number, id: string): TopKState {
  const key = plainScalar(input.key);
  const weight = exactOf(input.weight);
  const level = levelOf(input.weight, hashScalar(key, `\n${id}`));
  if (state.rest === undefined) addKey(state, key, { level, weight });
  else {
    addWeight(state.rest.sketch, hashScalar(key), weight);
    if (level >= state.rest.threshold) addKey(state, key, { level, weight: 0 });
  }
  if (state.cost > COST_MAX) shrink(state);
  return state;
}

const view = new DataView(new ArrayBuffer(8));

/** The exponent of weight / u, with u at random in (0, 1). */
function levelOf(weight: number, { high, low }: Hash64): number {
  view.setFloat64(0, weight / ((high * 2 ** 21 + (low >>> 11) + 0.5) * 2 ** -53));
  return (view.getUint32(0) >>> 20) - 1023 + LEVEL_OFFSET;
}

function addKey(state: TopKState, key: Scalar, { level, weight }: Entry): void {
  const before = state.keys.get(key);
  if (before === undefined) state.cost += costOf(key);
  state.keys.set(key, {
    level: Math.max(level, before?.level ?? 0),
    weight: addExact(weight, before?.weight ?? 0),
  });
}

const utf8 = new TextEncoder();

function costOf(key: Scalar): number {
  return 16 + (typeof key === 'string' ? utf8.encode(key).length : 8);
}

function mergeStates(left: TopKState, right: TopKState): TopKState {
  const merged: TopKState = { keys: new Map(left.keys), cost: left.cost, rest: undefined };
  for (const [key, entry] of right.keys) addKey(merged, key, entry);
  if (left.rest !== undefined || right.rest !== undefined) {
    const threshold = Math.max(left.rest?.threshold ?? 0, right.rest?.threshold ?? 0);
    merged.rest = { threshold, sketch: mergeSketches(sketchOf(left), sketchOf(right)) };
  }
  if (merged.rest !== undefined || merged.cost > COST_MAX) shrink(merged);
  return merged;
}

/** The sketch of all weights. */
function sketchOf({ keys, rest }: TopKState): CountMin {
  if (rest !== undefined) return rest.sketch;
  const sketch = emptySketch();
  for (const [key, { weight }] of keys) addWeight(sketch, hashScalar(key), weight);
  return sketch;
}

/** Holds invariant 2: leaves out the keys below the threshold, which goes up until they fit. */
function shrink(state: TopKState): void {
  const { threshold, sketch } = state.rest ?? { threshold: 0, sketch: sketchOf(state) };
  const raised = Math.max(threshold, lowestThreshold(state.keys));
  for (const [key, { level }] of state.keys) {
    if (level >= raised) state.keys.set(key, { level, weight: 0 });
    else {
      state.keys.delete(key);
      state.cost -= costOf(key);
    }
  }
  state.rest = { threshold: raised, sketch };
}

/** The lowest level from which on the keys fit. */
function lowestThreshold(keys: TopKState['keys']): number {
  const costs: number[] = Array.from({ length: LEVELS }, () => 0);
  for (const [key, { level }] of keys) costs[level] = (costs[level] ?? 0) + costOf(key);
  let left = COST_MAX;
  return (
    costs.findLastIndex((cost) => {
      left -= cost;
      return left < 0;
    }) + 1
  );
}

function topOf(state: TopKState, k: number): readonly TopEntry[] {
  const { rest } = state;
  const error = rest === undefined ? 0 : roundExact(totalOf(rest.sketch)) * EXCESS_MAX;
  return [...state.keys]
    .map(([key, entry]) => {
      const weight = rest === undefined ? entry.weight : weightOf(rest.sketch, hashScalar(key));
      return { key, weight: roundExact(weight), error };
    })
    .sort((a, b) => b.weight - a.weight || compareScalars(a.key, b.key))
    .slice(0, k);
}

/**
 * All keys: [[key, weight, level, ...]], in the order of the keys. With a sketch:
 * [[key, level, ...], threshold, the sketch].
 */
function encodeState({ keys, rest }: TopKState): Encoded {
  const order = [...keys].sort(([left], [right]) => compareScalars(left, right));
  if (rest === undefined) {
    return [order.flatMap(([key, { level, weight }]) => [key, encodeExact(weight), level])];
  }
  return [
    order.flatMap(([key, { level }]) => [key, level]),
    rest.threshold,
    encodeSketch(rest.sketch),
  ];
}

function decodeState(encoded: Encoded): TopKState {
  const [flat, threshold, sketch] = listIn('top-k', encoded);
  const rest =
    sketch === undefined
      ? undefined
      : { threshold: naturalIn('top-k', threshold), sketch: decodeSketch(sketch) };
  const state: TopKState = { keys: new Map(), cost: 0, rest };
  const values = listIn('top-k', flat);
  const width = rest === undefined ? 3 : 2;
  for (let at = 0; at < values.length; at += width) {
    const key = scalarIn('top-k', values[at]);
    const weight = rest === undefined ? decodeExact(values[at + 1]) : 0;
    const level = naturalIn('top-k', values[at + width - 1]);
    addKey(state, key, { level, weight });
  }
  if (state.cost > COST_MAX || state.keys.size * width !== values.length) {
    throw misread('top-k', encoded, `different keys that cost at most ${COST_MAX}`);
  }
  return state;
}
