import type { SendOptions } from './table.ts';

/** Which stream this is: its name alone doesn't tell, as it may have been deleted and made again. */
export interface StreamIdentity {
  readonly arn: string;
  /** Creation time, milliseconds since 1970 UTC. */
  readonly createdMs: number;
}

/** What is asked of a stream besides its records. */
export interface Stream {
  /** @throws TransientError, DeadlineError */
  identify(options: SendOptions): Promise<StreamIdentity>;
  /** The numbers of a shard's parents that the stream still lists (at most two). @throws TransientError, DeadlineError */
  parents(shard: number, options: SendOptions): Promise<readonly number[]>;
}
