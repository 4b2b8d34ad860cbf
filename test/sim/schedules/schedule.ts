/** A family of simulations, one a seed. */
export interface Schedule {
  /** Short; it is printed. */
  readonly name: string;
  /** Seeds 1 to this many are what tells mutants. */
  readonly seeds: number;
  /** The real handlers in a small world, put into one situation, without the mapping engine and chance; default false. */
  readonly scene?: boolean;
  /** How many of them `npm test` runs; default all. */
  readonly tested?: number;
  /** The promises that were broken; empty when all held. */
  run(seed: number): Promise<readonly string[]>;
}
