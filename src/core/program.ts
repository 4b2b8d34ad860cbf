import type { Accumulator, Encoded } from './accumulator.ts';
import type { PackLayout } from './layout.ts';
import type { QuickDecoder } from './quick-decoder.ts';

/** A value that can be part of a group's key. */
export type GroupValue = string | number | boolean | null;

/** One problem that the schema found: where, and what was expected. Never the value itself. */
export interface SchemaIssue {
  /** Path into the event's data, such as `properties.mag`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** The answer of a schema: the event, or what is wrong with it. */
export type Validation =
  | { readonly ok: true; readonly event: unknown }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** A window in event time: [startMs, endMs), in milliseconds since 1970 UTC. */
export interface WindowSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/** One column of a window: which accumulator, and what of a row goes into it. */
export interface Column {
  readonly name: string;
  readonly accumulator: Accumulator<unknown, unknown, unknown>;
  /**
   * The input of a row, or null when the row is to be skipped.
   * @throws when the user's function throws or gives a value that the accumulator can't take
   */
  inputOf(row: unknown): unknown;
}

/** What a row adds to a cell. */
export interface FoldInput {
  /** One a column; null is skipped. */
  readonly inputs: readonly unknown[];
  /** Event time, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** The event's name: source and id, or writer and position. */
  readonly name: string;
}

/** A result of a cell: tumbling and hopping windows give one, session windows one a session. */
export interface CellResult extends WindowSpan {
  /** The columns' results by name. */
  readonly columns: Readonly<Record<string, unknown>>;
}

/**
 * How the state of one group of one window is kept: a commutative monoid with a codec, as each of its
 * columns is.
 */
export interface CellState {
  empty(): unknown;
  /** The given state is not used again. */
  add(state: unknown, fold: FoldInput): unknown;
  merge(left: unknown, right: unknown): unknown;
  encode(state: unknown): Encoded;
  /** @throws InvariantError when `encode` can't have written it */
  decode(encoded: Encoded): unknown;
  results(state: unknown, span: WindowSpan): readonly CellResult[];
}

/** A window of the pipeline with its columns, ready to run. */
export interface Aggregate {
  readonly name: string;
  readonly type: 'tumbling' | 'hopping' | 'session';
  /** How far behind the watermark an event may still correct its window, in milliseconds. */
  readonly latenessMs: number;
  /** How long a result is kept after its window's end, in milliseconds. */
  readonly retentionMs: number;
  /** Sessions: events less than this apart belong together, milliseconds; 0 for other windows. */
  readonly gapMs: number;
  /** Whether final results are published. */
  readonly closes: boolean;
  /** The group's fields, in the order of the key; empty for one group over everything. */
  readonly by: readonly string[];
  readonly columns: readonly Column[];
  readonly cell: CellState;
  readonly layout: PackLayout;
  /** Bytes that a stored state usually takes. */
  readonly stateBytes: number;
  /** The windows whose cells an event time falls into; of sessions, the slot of the grid that cuts them. */
  assign(timeMs: number): readonly WindowSpan[];
  /** Whether an event of this time may still be folded into a window at a watermark. */
  isLive(span: WindowSpan, timeMs: number, watermarkMs: number): boolean;
  /** Whether the window takes the row at all. @throws what the user's function throws */
  takes(row: unknown): boolean;
  /** @throws when a field is not a string, number, boolean or null */
  groupOf(row: unknown): readonly GroupValue[];
}

/** How events are kept: one by one or packed, and whether an index is written for the other way to find them. */
export interface EventLayout {
  readonly layout: 'each' | 'packed';
  readonly index: boolean;
}

/** What another pipeline is fed with, ready to run. */
export interface Output {
  readonly name: string;
  /** The pipeline that is fed. */
  readonly to: string;
  /** Whether the row gives an event. @throws what the user's function throws */
  takes(row: unknown): boolean;
  /** Key of the event. @throws when it isn't a string or a finite number */
  keyOf(row: unknown): string;
  /** The event's data as JSON. @throws what the user's function throws, or when it gives no object */
  dataOf(row: unknown): string;
}

/** Times and limits of a pipeline, all in milliseconds. */
export interface ProgramSettings {
  /** After how long without a record a writer isn't waited for; null: windows are never closed. */
  readonly closing: { readonly idleMs: number } | null;
  /** Matters only where `retention.eventsMs` isn't null. */
  readonly events: EventLayout;
  /** Number of logical partitions, or 'shard' where foreign producers choose their partition keys. */
  readonly partitions: number | 'shard';
  /** Deduplication horizon H: the same id within it counts once. */
  readonly horizonMs: number;
  /** False: ids are not looked at, because repeats were left out before. */
  readonly deduplicates: boolean;
  /** The pipelines that feed this one: of their events it is known how far back a copy can be. */
  readonly fedBy: readonly string[];
  /** How far event time may be ahead of arrival. */
  readonly futureMs: number;
  /** Retention of the stream, of window results, of single events (null: not kept), of quarantine, of the archive (null: there is none). */
  readonly retention: {
    readonly streamMs: number;
    readonly windowsMs: number;
    readonly eventsMs: number | null;
    readonly quarantineMs: number;
    readonly archiveMs: number | null;
  };
}

/**
 * A pipeline made ready to run: everything the handlers need to know of it. Pure and synchronous.
 */
export interface Program {
  readonly name: string;
  /** Changes when a definition changes that can alter a decision; 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** The same, with the versions of references that a record of this arrival is enriched from. */
  fingerprintAt(arrivalMs: number): string;
  /** `cloudevents`: structured-mode CloudEvents 1.0, whose `data` is the event; `json`: the document is the event. */
  readonly format: 'cloudevents' | 'json';
  readonly settings: ProgramSettings;
  readonly aggregates: readonly Aggregate[];
  /**
   * What decodes and validates most events at once; undefined where none was generated. What it gives is what
   * `decode` and `validate` give, and where it gives nothing they decide.
   */
  readonly decodeQuickly: QuickDecoder | undefined;
  /** Never throws for a bad event; throws for a schema that answers with a promise. */
  validate(data: unknown): Validation;
  /** The id within the event, where the pipeline names one; used when the format is `json`. */
  idOf(event: unknown): string | undefined;
  /** The key whose events keep their order. @throws when it isn't a string or a finite number */
  keyOf(event: unknown): string;
  /** Event time in milliseconds since 1970 UTC. @throws when it isn't a valid time */
  timeOf(event: unknown): number;
  /**
   * Maps, filters and enriches: zero or more rows. The arrival tells which version of the references.
   * @throws what the user's function throws
   */
  transform(event: unknown, arrivalMs: number): readonly unknown[];
  /** What it feeds. */
  readonly outputs: readonly Output[];
}
