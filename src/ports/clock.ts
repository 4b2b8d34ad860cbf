/** Time, so that the simulation can run it. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** Resolves after the given milliseconds. */
  sleep(ms: number): Promise<void>;
}
