import type { Feed } from '../../core/feed.ts';
import { partitionOf } from '../../core/partition.ts';
import type { Program } from '../../core/program.ts';
import type { TimedRow } from './timed-rows.ts';

/** An event as it is sent. */
export interface FeedEvent {
  readonly bytes: Uint8Array;
  readonly key: string;
  /** Its logical partition; undefined where the stream's shards take that place. */
  readonly partition: number | undefined;
  readonly timeMs: number;
}

/** Makes events of rows. */
export interface EventMaker {
  /** The row's event, with what `over` says instead. */
  make(timed: TimedRow, over?: EventOverride): FeedEvent;
  /** The row's data, as the schema reads it. */
  dataOf(timed: TimedRow, timeMs?: number): unknown;
  /** True when the events have ids, so that a repeat can be known. */
  readonly hasIds: boolean;
}

/** What a spoiled event has other than its row says. */
export interface EventOverride {
  readonly data?: unknown;
  readonly id?: string | null;
}

/** What events are made with. */
export interface EventMakerOptions {
  readonly feed: Feed<unknown>;
  readonly program: Program;
  /** Names the run in the events' source, so that a second run has other events. */
  readonly run: string;
  /** The pipeline's `id` field, where its format is `json`. */
  readonly idField: string | undefined;
}

/** CloudEvents 1.0 in structured mode, or the bare event where the pipeline reads that. */
export function makeEventMaker(options: EventMakerOptions): EventMaker {
  const { feed, program, run, idField } = options;
  const source = `urn:millrace:${program.name}:${run}`;
  const dataOf = ({ row, index, timeMs }: TimedRow, atMs = timeMs) =>
    feed.data(row, { timeMs: atMs, index });
  const make = (timed: TimedRow, over: EventOverride = {}): FeedEvent => {
    const data = 'data' in over ? over.data : dataOf(timed);
    const id = over.id === undefined ? feed.id(timed.row, timed.index) : over.id;
    const envelope = {
      specversion: '1.0',
      ...(id === null ? {} : { id }),
      source,
      type: `${program.name}.event`,
      time: new Date(timed.timeMs).toISOString(),
      datacontenttype: 'application/json',
      data,
    };
    const bare = idField === undefined ? data : { ...Object(data), [idField]: `${run}-${id}` };
    const document = program.format === 'cloudevents' ? envelope : bare;
    const bytes = Buffer.from(JSON.stringify(document));
    return { bytes, timeMs: timed.timeMs, ...routeOf(program, dataOf(timed)) };
  };
  return { make, dataOf, hasIds: program.format === 'cloudevents' || idField !== undefined };
}

/** Where a good event of the row goes: its spoiled form goes there too. */
function routeOf(
  program: Program,
  data: unknown,
): { readonly key: string; readonly partition: number | undefined } {
  const { partitions } = program.settings;
  const validation = program.validate(data);
  const key = validation.ok ? program.keyOf(validation.event) : '';
  return { key, partition: partitions === 'shard' ? undefined : partitionOf(key, partitions) };
}
