import type { SendOptions } from './table.ts';

/** What stands after a position: a record, nothing up to now, or it took too many reads to tell. */
export type NextRecord =
  | { readonly type: 'record'; readonly arrivalMs: number }
  | { readonly type: 'none' }
  | { readonly type: 'unknown' };

/** The shards of a stream, looked at from outside of an event source mapping. */
export interface Shards {
  /** The numbers of the shards that the stream lists, closed ones among them. @throws TransientError, DeadlineError */
  list(options: SendOptions): Promise<readonly number[]>;
  /**
   * What comes after a record, or first at all. A record that the stream no longer holds is as one
   * before its oldest.
   *
   * @param after sequence number
   * @throws TransientError, DeadlineError
   */
  next(shard: number, after: string | undefined, options: SendOptions): Promise<NextRecord>;
}
