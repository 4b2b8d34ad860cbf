import type { MinuteLoad } from '../../core/scaling.ts';
import type { ShardScaler } from '../../ports/shard-scaler.ts';

/** A stream's shards in memory, changed at once; a test says what it got. */
export interface MemoryShardScaler extends ShardScaler {
  shards: number;
  changing: boolean;
  minutes: readonly MinuteLoad[];
  /** What was asked for, in order. */
  readonly resized: number[];
}

/** A stream of so many shards that got nothing. */
export function makeMemoryShardScaler(shards: number): MemoryShardScaler {
  const scaler: MemoryShardScaler = {
    shards,
    changing: false,
    minutes: [],
    resized: [],
    count: async () => ({ open: scaler.shards, changing: scaler.changing }),
    load: async (fromMs) => scaler.minutes.filter(({ startMs }) => startMs >= fromMs),
    resize: async (to) => {
      scaler.resized.push(to);
      scaler.shards = to;
    },
  };
  return scaler;
}
