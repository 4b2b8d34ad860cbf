/** A family of simulations, one a seed. */
export interface Schedule {
  /** Short; it is printed. */
  readonly name: string;
  /** Seeds 1 to this many are what tells mutants. */
  readonly seeds: number;
  /** How many of them `npm test` runs; default all. */
  readonly tested?: number;
  /** The promises that were broken; empty when all held. */
  run(seed: number): Promise<readonly string[]>;
}
