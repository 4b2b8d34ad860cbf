import { encodeGroup } from '../core/cell.ts';
import { decode } from '../core/decode.ts';
import { partitionOf } from '../core/partition.ts';
import type { Aggregate, Program } from '../core/program.ts';

/** An event as a producer sends it. */
export interface SentEvent {
  readonly bytes: Uint8Array;
  /** When it arrived, milliseconds since 1970 UTC: references have versions. */
  readonly timeMs: number;
}

/** What an event became. */
export interface SampledEvent {
  readonly bytes: Uint8Array;
  readonly timeMs: number;
  readonly key: string;
  readonly id: string | undefined;
  readonly source: string;
  readonly rows: readonly unknown[];
}

/** One row's part in a window. */
export interface SampledRow {
  readonly key: string;
  /** The group as JSON. */
  readonly group: string;
  /** One a column. */
  readonly inputs: readonly unknown[];
}

/** How often a key meets a group. */
export interface GroupShare {
  readonly key: string;
  readonly group: string;
  /** Rows of the group an event of the stream. */
  readonly weight: number;
}

/** What goes into a window. */
export interface WindowSample {
  readonly aggregate: Aggregate;
  readonly shares: readonly GroupShare[];
  /** Rows of the group that has most, to fold states of; none where nothing is known of the events. */
  readonly rows: readonly SampledRow[];
}

/** What is known of a pipeline's events. */
export interface Sample {
  /** Bytes of a record on average, its partition key included. */
  readonly eventBytes: number;
  /** Share of the stream's events by key; they add up to 1. */
  readonly keys: ReadonlyMap<string, number>;
  readonly windows: readonly WindowSample[];
  readonly events: readonly SampledEvent[];
  /** Derived events an event. */
  readonly derived: number;
}

/** Bytes of a partition key such as `p-12`. */
const PARTITION_KEY_BYTES = 4;

/** Reads events as the pipeline does; those that it would refuse are left out. */
export function sampleOf(program: Program, sent: Iterable<SentEvent>): Sample {
  const events = [...sent].flatMap((one) => readEvent(program, one) ?? []);
  const count = Math.max(1, events.length);
  const rows = events.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const all = events.flatMap((event) => event.rows);
  const derived = program.outputs.reduce(
    (sum, output) => sum + all.filter((row) => output.takes(row)).length,
    0,
  );
  return {
    eventBytes: rows / count + PARTITION_KEY_BYTES,
    keys: sharesOf(events.map(({ key }) => key)),
    windows: program.aggregates.map((aggregate) => windowSample(aggregate, events)),
    events,
    derived: derived / count,
  };
}

function readEvent(program: Program, { bytes, timeMs }: SentEvent): SampledEvent | undefined {
  const decoded = decode(bytes, program.format);
  const validation = program.validate(decoded.data);
  if (!validation.ok) return undefined;
  const { event } = validation;
  return {
    bytes,
    timeMs,
    key: program.keyOf(event),
    id: decoded.id ?? program.idOf(event),
    source: decoded.source ?? '',
    rows: program.transform(event, timeMs),
  };
}

/** Rows of the largest group at most. */
const ROWS_MAX = 2_000;

function windowSample(aggregate: Aggregate, events: readonly SampledEvent[]): WindowSample {
  const rows = events.flatMap(({ key, rows: all }) =>
    all.flatMap((row): SampledRow[] =>
      aggregate.takes(row)
        ? [
            {
              key,
              group: encodeGroup(aggregate.groupOf(row)),
              inputs: aggregate.columns.map((column) => column.inputOf(row)),
            },
          ]
        : [],
    ),
  );
  const byGroup = Map.groupBy(rows, ({ group }) => group);
  const [largest = []] = [...byGroup.values()].sort((left, right) => right.length - left.length);
  const pairs = Map.groupBy(rows, ({ key, group }) => `${key}\n${group}`);
  return {
    aggregate,
    shares: [...pairs.values()].map(([first, ...more]) => ({
      key: first?.key ?? '',
      group: first?.group ?? '',
      weight: (more.length + 1) / Math.max(1, events.length),
    })),
    rows: largest.slice(0, ROWS_MAX),
  };
}

function sharesOf(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = Map.groupBy(keys, (key) => key);
  return new Map([...counts].map(([key, all]) => [key, all.length / keys.length]));
}

/** The writer of a key: its partition, or a shard where producers choose their keys. */
export function writerOf(key: string, writers: number): number {
  return partitionOf(key, writers);
}
