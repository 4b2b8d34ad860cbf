import type { Hash64 } from '../core/hash.ts';
import { lookbackMs } from '../core/origin.ts';
import type { ProgramSettings } from '../core/program.ts';
import { epochOfWriter, isRedriveWriter } from '../core/writer.ts';
import type { Table } from '../ports/table.ts';
import { newestFirst } from './ledger-entries.ts';
import { registeredWriters } from './ledger-tails.ts';
import type { RetryContext } from './retry.ts';

/** An event whose id may have been counted by the writer that refused it. */
export interface SoughtEvent {
  readonly writer: string;
  readonly id: Hash64;
  /** Milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
}

/**
 * The events whose id was counted by a writer of theirs, within the deduplication horizon before or after
 * them: the producer has sent them again, mended, or a deployment came between two tries. As far back as
 * ledger entries live; who asks later isn't told.
 *
 * @throws TransientError, DeadlineError
 */
export async function countedEvents<Event extends SoughtEvent>(
  source: { readonly ledger: Table; readonly settings: ProgramSettings },
  events: readonly Event[],
  context: RetryContext,
): Promise<ReadonlySet<Event>> {
  const { ledger, settings } = source;
  const horizonMs = lookbackMs(settings);
  const counted = new Set<Event>();
  for (const [lane, some] of await byLane(source, events, context)) {
    const sought = Map.groupBy(some, ({ id }) => nameOf(id));
    const sinceMs = some.reduce((least, one) => Math.min(least, one.arrivalMs), Infinity);
    for await (const entry of newestFirst(ledger, lane, context)) {
      if (entry.highArrivalMs < sinceMs - horizonMs) break;
      const found = entry.ids.flatMap((id) =>
        (sought.get(nameOf(id)) ?? []).filter(
          ({ arrivalMs }) => Math.abs(arrivalMs - id.arrivalMs) <= horizonMs,
        ),
      );
      for (const one of found) counted.add(one);
    }
  }
  return counted;
}

/** Where an event may have been counted: by its own writer; of a stream of shards by those of others, too. */
async function byLane<Event extends SoughtEvent>(
  { ledger, settings }: { readonly ledger: Table; readonly settings: ProgramSettings },
  events: readonly Event[],
  context: RetryContext,
): Promise<ReadonlyMap<string, readonly Event[]>> {
  const own = Map.groupBy(events, ({ writer }) => writer);
  if (settings.partitions !== 'shard' || events.length === 0) return own;
  const lanes = await registeredWriters(ledger, context);
  return new Map(
    lanes
      .filter(({ writer }) => !isRedriveWriter(writer))
      .map(({ writer, epoch }) => [
        writer,
        events.filter((one) => epochOfWriter(one.writer) === epoch),
      ]),
  );
}

function nameOf({ high, low }: Hash64): string {
  return `${high}:${low}`;
}
