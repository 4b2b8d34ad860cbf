import type { EventMaker, FeedEvent } from '../feed/events.ts';
import type { TimedRow } from '../feed/timed-rows.ts';

/**
 * Events without an end, of the rows of a feed again and again: each has an id of its own and happens now,
 * so that none is a repeat and none is late.
 */
export function endlessEvents(
  maker: EventMaker,
  rows: readonly TimedRow[],
): (nowMs: number) => FeedEvent | undefined {
  let made = 0;
  return (nowMs) => {
    const row = rows[made % rows.length];
    if (row === undefined) return undefined;
    made += 1;
    return maker.make({ ...row, timeMs: nowMs }, { id: String(made) });
  };
}
