import type { MinuteLoad } from '../core/scaling.ts';
import type { SendOptions } from './table.ts';

/** How many shards a stream has. */
export interface ShardCount {
  readonly open: number;
  /** A change is under way: another one would be refused. */
  readonly changing: boolean;
}

/** A provisioned stream whose number of shards can be changed. */
export interface ShardScaler {
  /** @throws TransientError, DeadlineError */
  count(options: SendOptions): Promise<ShardCount>;
  /**
   * What the stream got in each whole minute from a time on; minutes without records may be left out.
   *
   * @throws TransientError, DeadlineError
   */
  load(fromMs: number, options: SendOptions): Promise<readonly MinuteLoad[]>;
  /** Begins to change the number; it is changed some minutes later. @throws TransientError, DeadlineError */
  resize(shards: number, options: SendOptions): Promise<void>;
}
