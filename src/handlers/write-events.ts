import type { KeptEvent } from '../core/plan.ts';
import { encodePosition } from '../core/position.ts';
import type { Item } from '../ports/table.ts';
import { seconds } from './lifetimes.ts';
import { retryFailed } from './retry.ts';
import {
  firstError,
  type SourceRecord,
  type Unwritten,
  type WriteContext,
} from './write-context.ts';

/** Format version of event items. */
export const EVENT_FORMAT = 1;

/** Sort key of every event item: there is one a name. */
const EVENT_KEY = 'event';

/** An accepted record whose event is kept on its own. */
export interface KeptRecord {
  readonly ordinal: number;
  readonly record: SourceRecord;
  readonly kept: KeptEvent;
}

/**
 * Puts the event items. Idempotent: an item follows from its record alone.
 *
 * @returns the records whose item may not be there
 */
export async function writeEvents(
  context: WriteContext,
  records: readonly KeptRecord[],
): Promise<Unwritten<KeptRecord>> {
  const retentionMs = context.program.settings.retention.eventsMs;
  if (retentionMs === null || records.length === 0) return { records: [], error: undefined };
  // An id that came again beyond the horizon within one batch: the later event stays.
  const byName = new Map(records.map((one) => [one.kept.name, one]));
  const items = [...byName.values()].map((one) => eventItem(context.writer, one, retentionMs));
  const results = await retryFailed(context, items, (open) =>
    context.ports.events.putAll(open, context),
  );
  const missing = new Set(
    items.filter((_, index) => results[index]?.status !== 'written').map((item) => item.pk),
  );
  return {
    records: records.filter(({ kept }) => missing.has(kept.name)),
    error: firstError(results),
  };
}

/**
 * Attributes: k key, e event time, a arrival, w writer, p position, d the rows as JSON; the TTL counts
 * from the later of event time and arrival.
 */
function eventItem(writer: string, { record, kept }: KeptRecord, retentionMs: number): Item {
  return {
    pk: kept.name,
    sk: EVENT_KEY,
    v: EVENT_FORMAT,
    k: kept.key,
    e: kept.timeMs,
    a: record.arrivalMs,
    w: writer,
    p: encodePosition(record.position),
    d: kept.rows,
    ttl: seconds(Math.max(kept.timeMs, record.arrivalMs) + retentionMs),
  };
}
