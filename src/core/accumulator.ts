/** What an accumulator's state is stored as: no objects, so that it is small and ordered. Numbers are finite. */
export type Encoded = string | number | boolean | Uint8Array | null | readonly Encoded[];

/**
 * A commutative monoid with a codec: how one column of a window is kept.
 *
 * Laws, held by properties for each accumulator: `empty` is neutral, `merge` is associative and
 * commutative, `add` in any order and any split over merged states gives the same `result` bit for
 * bit, `decode(encode(state))` equals the state.
 */
export interface Accumulator<Input, State, Result> {
  /** Names the encoding, such as `sum-1`; a changed encoding takes a new name. */
  readonly name: string;
  /**
   * Bytes of an encoded state, as usual and at most; default 16 and 4,096. The usual size decides how
   * cells are laid out and so never changes under one name.
   */
  readonly size?: { readonly typical: number; readonly max: number };
  empty(): State;
  /** Folds one input in and returns the new state; the given state is not used again. */
  add(state: State, input: Input, at: number, id: string): State;
  merge(left: State, right: State): State;
  encode(state: State): Encoded;
  /** @throws InvariantError when the value is not one that `encode` wrote */
  decode(encoded: Encoded): State;
  result(state: State): Result;
}

/** True for what a state can be stored as. */
export function isEncoded(value: unknown): value is Encoded {
  if (Array.isArray(value)) return value.every(isEncoded);
  if (typeof value === 'number') return Number.isFinite(value);
  if (value === null || value instanceof Uint8Array) return true;
  return typeof value === 'string' || typeof value === 'boolean';
}
