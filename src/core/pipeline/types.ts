import type { Duration } from '../duration.ts';
import type { Reference } from '../reference.ts';
import type { OutputOf, Schema } from '../schema.ts';
import type { ColumnScope, Columns, FieldsOf, Fn, ResultOf } from './column-types.ts';
import type { OutputScope, Outputs } from './output-types.ts';

/** Shows `A & B` as one object in an editor. */
export type Flat<T> = { [K in keyof T]: T[K] } & {};

/** The group of a window: its fields and their types. */
export type GroupOf<T, B> = [B] extends [never]
  ? Record<never, never>
  : B extends readonly (infer F)[]
    ? { readonly [N in F & keyof T]: T[N] }
    : { readonly [N in B & keyof T]: T[N] };

/** A window of a pipeline, as data. */
export interface WindowDefinition<Group = unknown, Result = unknown> {
  readonly type: 'tumbling' | 'hopping' | 'session';
  /** Length of a window; of sessions, the longest one. */
  readonly size: Duration;
  /** Hopping windows: distance between two starts. */
  readonly every?: Duration;
  /** Sessions: events less than this apart belong together. */
  readonly gap?: Duration;
  readonly by: readonly string[];
  readonly keep: Columns;
  readonly where?: (row: never) => unknown;
  /** Groups expected in one window. */
  readonly groups?: number;
  readonly lateness?: Duration;
  readonly retention?: Duration;
  /** Only in types. */
  readonly Group?: Group;
  /** Only in types. */
  readonly Result?: Result;
}

/** The windows of a pipeline by name. */
export type Windows = Readonly<Record<string, WindowDefinition>>;

/** Options of every window. */
export interface WindowOptions<B, K, T = never> {
  /** A field, or fields, whose values make the group; without it all rows are one group. */
  readonly by?: B;
  readonly keep: K;
  /** Only rows for which this says true; default every row. */
  readonly where?: Fn<T, boolean>;
  /** Default: the pipeline's lateness. */
  readonly lateness?: Duration;
  /** How long results are kept after the window's end; default: the pipeline's `retention.windows`. */
  readonly retention?: Duration;
  /**
   * How many groups one window is expected to have, 1 to 100,000,000; default 100 with `by`. Cells are
   * laid out for it: a wrong one costs read and write units, never a result. Never change it.
   */
  readonly groups?: number;
}

/** Options of `hopping`. */
export interface HoppingOptions<B, K, T = never> extends WindowOptions<B, K, T> {
  /** Distance between the starts of two windows; divides the size, at most 100 times. */
  readonly every: Duration;
}

/** Options of `session`. */
export interface SessionOptions<B, K, T = never> extends WindowOptions<B, K, T> {
  /** Sessions are cut at whole multiples of this since 1970 UTC; at most 500 times the gap. */
  readonly max: Duration;
}

/** A field that can be part of a group. */
type Groupable = string | number | boolean;

/** What `by` may be: one of those fields, or a list of them. */
type GroupFields<T> = keyof FieldsOf<T, Groupable> | readonly (keyof FieldsOf<T, Groupable>)[];

/** What windows are made with; it knows the type of the rows. */
export interface Scope<T> extends ColumnScope<T> {
  /** Windows of equal size without overlap, on event time. */
  tumbling<const K extends Columns, const B extends GroupFields<T> = never>(
    size: Duration,
    options: WindowOptions<B, K, T>,
  ): WindowDefinition<Flat<GroupOf<T, B>>, Flat<ResultOf<K>>>;
  /** Windows of equal size that start more often than they end: an event counts in `size / every`. */
  hopping<const K extends Columns, const B extends GroupFields<T> = never>(
    size: Duration,
    options: HoppingOptions<B, K, T>,
  ): WindowDefinition<Flat<GroupOf<T, B>>, Flat<ResultOf<K>>>;
  /** Runs of events of a group that come less than `gap` apart: a result tells its first and last time. */
  session<const K extends Columns, const B extends GroupFields<T> = never>(
    gap: Duration,
    options: SessionOptions<B, K, T>,
  ): WindowDefinition<Flat<GroupOf<T, B>>, Flat<ResultOf<K>>>;
}

/** Options of `enrich`. */
export interface EnrichOptions<On, Missing> {
  /** The field whose value names the row of the reference. */
  readonly on: On;
  /** What happens when there is none: quarantine the event (default), or enrich with null. */
  readonly missing?: Missing;
}

/** The steps of a transform. It records them; nothing runs yet. */
export interface Chain<T> {
  map<R extends object>(run: (row: T) => R): Chain<R>;
  filter(keep: (row: T) => boolean): Chain<T>;
  /** One row becomes none, one or many. */
  flatMap<R extends object>(run: (row: T) => readonly R[]): Chain<R>;
  enrich<const As extends string, Row, const M extends 'null' | 'quarantine' = 'quarantine'>(
    as: As,
    from: Reference<Row>,
    options: EnrichOptions<keyof FieldsOf<T, string>, M>,
  ): Chain<Flat<T & { readonly [K in As]: 'null' extends M ? Row | null : Row }>>;
}

/** A recorded step. */
export type Step =
  | { readonly op: 'map' | 'filter' | 'flatMap'; readonly run: (row: never) => unknown }
  | {
      readonly op: 'enrich';
      readonly as: string;
      readonly from: Reference;
      readonly on: string;
      readonly missing: 'null' | 'quarantine';
    };

/** When windows are closed, and which. */
export interface ClosingOptions {
  /** Windows whose final results are published; default all. */
  readonly windows?: readonly string[];
  /** A partition without a record for this long isn't waited for; default 10 minutes, at least 1. */
  readonly idle?: Duration;
}

/** How kept events are stored. */
export interface EventOptions {
  /**
   * `each`: an item an event, found by its id at once; `packed`: up to 128 in an item, compressed, a
   * twentieth of the write units. Default `each`.
   */
  readonly layout?: 'each' | 'packed';
  /**
   * Also keep an index: of `each` by key and time, of `packed` by id (by key and time they are found
   * anyway). Costs about 0.03 or 0.01 write units an event. Default true.
   */
  readonly index?: boolean;
}

/** How long what is kept. */
export interface Retention {
  /** Records in the stream, 1 to 365 days; default 1 day. */
  readonly stream?: Duration;
  /** Results after their window's end; default 30 days. */
  readonly windows?: Duration;
  /** Each event on its own, after the later of event time and arrival. Without it events aren't kept. */
  readonly events?: Duration;
  /** Quarantined records; default 30 days. */
  readonly quarantine?: Duration;
  /**
   * Every record as it was sent, after its arrival, for replay and queries: a day longer than in the
   * stream at least; default 365 days. `false` leaves the archive out.
   */
  readonly archive?: Duration | false;
}

/** What the alarms watch. */
export interface Objectives {
  /** Arrival to durable result; default p99 of 60 seconds. */
  readonly latency?: { readonly p99: Duration };
  /** Share of records in quarantine; default 1 %. */
  readonly quarantine?: { readonly max: `${number} %` };
}

/** Options of `definePipeline`. `transform` stands before `outputs` and `windows`: types flow in that order. */
export interface PipelineOptions<S extends Schema, T, W extends Windows> {
  /** The folder's name: lower-case letters, digits and dashes, 2 to 40 characters. */
  readonly name: string;
  readonly schema: S;
  /** What the bytes are: CloudEvents 1.0 whose `data` is the event (default), or the bare event. */
  readonly format?: 'cloudevents' | 'json';
  /** The field that names the event when the format is `json`; without it every record counts. */
  readonly id?: keyof FieldsOf<OutputOf<S>, string>;
  /** Events of one key keep their order and meet in one partition. */
  readonly key:
    | keyof FieldsOf<OutputOf<S>, string | number>
    | ((event: OutputOf<S>) => string | number);
  /** When the event happened: a Date, or milliseconds since 1970 UTC. */
  readonly time:
    | keyof FieldsOf<OutputOf<S>, Date | number>
    | ((event: OutputOf<S>) => Date | number);
  /** Logical partitions, 1 to 1,024, never changed in a stream's life; default 4. `shard` for foreign producers. */
  readonly partitions?: number | 'shard';
  /** How far behind the newest event of its partition an event may come; default 0 seconds. */
  readonly lateness?: Duration;
  /** The same id within this time counts once; default 30 minutes, at most the stream's retention. */
  readonly deduplication?: Duration;
  /**
   * The pipelines whose outputs feed this one. Copies of their events are known as long as their streams may
   * send them again, which is longer than `deduplication`: ledger entries live accordingly.
   */
  readonly fedBy?: readonly string[];
  readonly transform?: (events: Chain<OutputOf<S>>) => Chain<T>;
  /** What other pipelines are fed with, by name: derived events, made of the rows. */
  readonly outputs?: (scope: OutputScope<T>) => Outputs;
  readonly windows: (scope: Scope<T>) => W;
  readonly retention?: Retention;
  /** Publish final results when windows are complete, and corrections after that; without it none are. */
  readonly closing?: ClosingOptions;
  /** How events are stored where `retention.events` keeps them. */
  readonly events?: EventOptions;
  readonly objectives?: Objectives;
}

/** Everything a pipeline file says, as data and pure functions. */
export interface Pipeline<Event = unknown, Row = unknown, W extends Windows = Windows> {
  readonly type: 'pipeline';
  readonly name: string;
  readonly schema: Schema;
  readonly format: 'cloudevents' | 'json';
  readonly id: string | undefined;
  readonly key: string | ((event: never) => unknown);
  readonly time: string | ((event: never) => unknown);
  readonly partitions: number | 'shard';
  readonly lateness: Duration;
  readonly deduplication: Duration;
  readonly fedBy: readonly string[];
  readonly steps: readonly Step[];
  readonly outputs: Outputs;
  readonly windows: W;
  readonly retention: Required<Omit<Retention, 'events' | 'archive'>> & {
    readonly events: Duration | null;
    readonly archive: Duration | null;
  };
  readonly events: Required<EventOptions>;
  readonly closing: Required<ClosingOptions> | null;
  readonly objectives: { readonly latencyP99Ms: number; readonly quarantineMaxPercent: number };
  /** Only in types. */
  readonly Event?: Event;
  /** Only in types. */
  readonly Row?: Row;
}

/** Some pipeline, whatever its events are. */
export type AnyPipeline = Pipeline;
