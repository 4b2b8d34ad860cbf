/** Randomness, so that the simulation can seed it. Not for secrets. */
export interface Random {
  /** The next number in [0, 1). */
  next(): number;
  /** Random bytes; from a cryptographic source outside of the simulation. */
  bytes(count: number): Uint8Array;
}
