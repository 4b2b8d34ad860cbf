import { type DerivedEvent, derive } from '../../core/derive.ts';
import { partitionOf } from '../../core/partition.ts';
import type { Program } from '../../core/program.ts';
import type { EventMaker, EventOverride, FeedEvent } from './events.ts';
import type { EventSource } from './source.ts';
import { readTimedRows, type TimedRow } from './timed-rows.ts';

/** What a pipeline without a feed is sent: events that a pipeline before it makes of its own feed. */
export interface FedSource {
  /** The pipeline that feeds. */
  readonly feeder: EventSource;
  /** The pipeline that is fed. */
  readonly fed: Program;
  /** Arrival of the records that the events are made of, milliseconds since 1970 UTC. */
  readonly nowMs: number;
}

/** A row of the feeder's feed, and which of the events made of it. */
interface FedRow {
  readonly source: TimedRow;
  readonly at: number;
}

/** At the first try so many rows are read for each event; then twice as many, until there are enough. */
const ROWS_PER_EVENT = 8;

/** The first rows of the feeder's feed that give events, so many events at most. */
export async function readFedRows(source: FedSource, count: number): Promise<readonly TimedRow[]> {
  const { feed, folder } = source.feeder;
  for (let limit = count * ROWS_PER_EVENT; ; limit *= 2) {
    const { directory } = folder;
    const rows = await readTimedRows({ feed, directory, limit, nowMs: source.nowMs });
    const found = rows.flatMap((row) =>
      derivedOf(source, { source: row, run: '' }).map((_, at): TimedRow => {
        const fedRow: FedRow = { source: row, at };
        return { index: row.index, timeMs: row.timeMs, row: fedRow };
      }),
    );
    if (found.length >= count || rows.length < limit) return found.slice(0, count);
  }
}

/**
 * Makes such events: bytes, id and key are those that the feeder sends.
 *
 * @param run names the run in the source of the feeder's events, so that a second run has other ids
 */
export function makeFedEventMaker(source: FedSource, run: string): EventMaker {
  const { partitions } = source.fed.settings;
  const eventOf = ({ row }: TimedRow, timeMs?: number): DerivedEvent => {
    const { source: from, at } = row as FedRow;
    const moved = derivedOf(source, { source: from, run, timeMs })[at];
    // A row that gives nothing at another time stays at its own.
    const event = moved ?? derivedOf(source, { source: from, run })[at];
    if (event === undefined) throw new TypeError(`row ${from.index} gives no event ${at}`);
    return event;
  };
  const make = (timed: TimedRow, over: EventOverride = {}): FeedEvent => {
    const { bytes, key } = eventOf(timed);
    return {
      bytes: overridden(bytes, over),
      key,
      partition: partitions === 'shard' ? undefined : partitionOf(key, partitions),
      timeMs: timed.timeMs,
    };
  };
  const dataOf = (timed: TimedRow, timeMs?: number) => parse(eventOf(timed, timeMs).bytes)['data'];
  return { make, dataOf, hasIds: true };
}

function derivedOf(
  { feeder: { feed, program }, fed, nowMs }: FedSource,
  {
    source: { row, index, timeMs },
    run,
    timeMs: atMs = timeMs,
  }: { readonly source: TimedRow; readonly run: string; readonly timeMs?: number | undefined },
): readonly DerivedEvent[] {
  const validation = program.validate(feed.data(row as never, { timeMs: atMs, index }));
  if (!validation.ok) return [];
  const name = `urn:millrace:${program.name}:${run} ${feed.id(row as never, index)}`;
  const rows = program.transform(validation.event, nowMs);
  const toFed = program.outputs.filter(({ to }) => to === fed.name).map((output) => output.name);
  return derive(program, { name, timeMs: atMs, arrivalMs: nowMs }, rows).filter(({ output }) =>
    toFed.includes(output),
  );
}

function overridden(bytes: Uint8Array, over: EventOverride): Uint8Array {
  if (!('data' in over) && over.id === undefined) return bytes;
  const { id, ...document } = parse(bytes);
  const data = 'data' in over ? over.data : document['data'];
  const ids = over.id === null ? {} : { id: over.id ?? id };
  return Buffer.from(JSON.stringify({ ...document, ...ids, data }));
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(bytes));
}
