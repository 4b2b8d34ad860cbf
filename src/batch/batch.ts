import { durationMs } from '../core/duration.ts';
import type { ColumnDefinition } from '../core/pipeline/column-types.ts';
import type { AnyPipeline, WindowDefinition } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { nearest, scaled } from './exact-number.ts';

/**
 * A plain batch computation over the same events, to compare a pipeline's results with: one pass, maps
 * in memory, sums as whole numbers. Of the pipeline it uses the schema, the transform and the
 * functions that the user wrote; windows, lateness, repeats and columns it works out by itself.
 */

/** An event that the stream took, in the order within its lane. */
export interface BatchEvent {
  readonly bytes: Uint8Array;
  /** The partition or shard that orders it. */
  readonly lane: string;
  readonly arrivalMs: number;
}

/** A result: `column -> value` of a group of a window. */
export type BatchRows = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** What became of the events. */
export interface BatchResult {
  /** By `resultName(...)`. */
  readonly rows: BatchRows;
  readonly accepted: number;
  readonly repeats: number;
  readonly refused: ReadonlyMap<RejectionReason, number>;
}

/** Names one result. */
export function resultName(window: string, startMs: number, group: string): string {
  return `${window} ${new Date(startMs).toISOString()} ${group}`;
}

interface Tally {
  count: number;
  sum: bigint;
  least: number | null;
  greatest: number | null;
  /** The state of a user's own accumulator. */
  state: unknown;
}

interface LaneState {
  watermarkMs: number;
  /** Bytes and arrival of each counted id. */
  readonly ids: Map<string, { readonly text: string; readonly arrivalMs: number }>;
}

type Verdict = RejectionReason | 'accepted' | 'repeat';

/** See the head of this file. */
export class BatchComputation {
  readonly #pipeline: AnyPipeline;
  readonly #program: Program;
  readonly #lanes = new Map<string, LaneState>();
  readonly #cells = new Map<string, { window: WindowDefinition; tallies: Map<string, Tally> }>();
  /** Rows of session windows by window, slot and group: their runs are known only at the end. */
  readonly #sessions = new Map<string, SessionRows>();
  readonly #verdicts = new Map<Verdict, number>();

  constructor(pipeline: AnyPipeline, program: Program) {
    this.#pipeline = pipeline;
    this.#program = program;
  }

  /** Takes the next event of its lane. */
  add(event: BatchEvent): Verdict {
    const verdict = this.#judge(event);
    this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1);
    return verdict;
  }

  /** Everything so far. */
  result(): BatchResult {
    const { accepted = 0, repeat: repeats = 0, ...refused } = Object.fromEntries(this.#verdicts);
    const rows = [...this.#cells].map(
      ([name, { window, tallies }]) => [name, columnsOf(window, tallies)] as const,
    );
    for (const session of this.#sessions.values()) rows.push(...sessionRows(session));
    return {
      rows: new Map(rows),
      accepted,
      repeats,
      refused: new Map(Object.entries(refused) as [RejectionReason, number][]),
    };
  }

  #judge(event: BatchEvent): Verdict {
    const opened = this.#open(event.bytes);
    if (opened === undefined) return 'not-decodable';
    const validation = this.#program.validate(opened.data);
    if (!validation.ok) return 'schema';
    const lane = this.#lanes.get(event.lane) ?? {
      watermarkMs: Number.NEGATIVE_INFINITY,
      ids: new Map(),
    };
    this.#lanes.set(event.lane, lane);
    const timeMs = this.#program.timeOf(validation.event);
    if (timeMs > event.arrivalMs + this.#program.settings.futureMs) return 'future';
    const id = opened.id ?? this.#program.idOf(validation.event);
    const text = Buffer.from(event.bytes).toString('latin1');
    const before = id === undefined ? undefined : lane.ids.get(id);
    const { horizonMs } = this.#program.settings;
    if (before !== undefined && event.arrivalMs - before.arrivalMs <= horizonMs) {
      return before.text === text ? 'repeat' : 'id-conflict';
    }
    const verdict = this.#fold(validation.event, timeMs, lane);
    if (verdict === 'accepted') {
      if (id !== undefined) lane.ids.set(id, { text, arrivalMs: event.arrivalMs });
      lane.watermarkMs = Math.max(lane.watermarkMs, timeMs);
    }
    return verdict;
  }

  #open(bytes: Uint8Array): { data: unknown; id: string | undefined } | undefined {
    try {
      const document = JSON.parse(Buffer.from(bytes).toString());
      if (this.#program.format === 'json') return { data: document, id: undefined };
      if (typeof document.id !== 'string') return undefined;
      return { data: document.data, id: `${document.source} ${document.id}` };
    } catch {
      return undefined;
    }
  }

  #fold(event: unknown, timeMs: number, lane: LaneState): 'accepted' | 'late' | 'transform' {
    const rows = this.#rowsOf(event);
    if (rows === undefined) return 'transform';
    const targets = rows.flatMap((row) => this.#targetsOf(row, timeMs));
    const open = targets.filter(
      ({ name, window, endMs }) =>
        endMs + durationMs(name, window.lateness ?? this.#pipeline.lateness) > lane.watermarkMs,
    );
    if (targets.length > 0 && open.length === 0) return 'late';
    for (const target of open) this.#add(target, timeMs);
    return 'accepted';
  }

  #targetsOf(row: unknown, timeMs: number): readonly Target[] {
    return Object.entries(this.#pipeline.windows).flatMap(([name, window]) => {
      if (window.where !== undefined && window.where(row as never) !== true) return [];
      const sizeMs = durationMs(name, window.size);
      if (window.type === 'hopping') {
        const everyMs = durationMs(name, window.every);
        const starts: number[] = [];
        for (let start = floorTo(timeMs, everyMs); start > timeMs - sizeMs; start -= everyMs) {
          starts.push(start);
        }
        return starts.map((startMs) => ({ name, window, row, startMs, endMs: startMs + sizeMs }));
      }
      const startMs = floorTo(timeMs, sizeMs);
      // An event of a session is late by its own time.
      const endMs = window.type === 'session' ? timeMs : startMs + sizeMs;
      return [{ name, window, row, startMs, endMs }];
    });
  }

  #rowsOf(event: unknown): readonly unknown[] | undefined {
    try {
      return this.#program.transform(event);
    } catch {
      return undefined;
    }
  }

  #add({ name, window, row, startMs }: Target, timeMs: number) {
    const group = JSON.stringify(window.by.map((field) => Reflect.get(Object(row), field) ?? null));
    const key = resultName(name, startMs, group);
    if (window.type === 'session') {
      const session = this.#sessions.get(key) ?? { name, window, group, rows: [] };
      this.#sessions.set(key, session);
      session.rows.push({ timeMs, row });
      return;
    }
    const cell = this.#cells.get(key) ?? { window, tallies: new Map<string, Tally>() };
    this.#cells.set(key, cell);
    addRow(cell.tallies, window, { timeMs, row });
  }
}

/** A window that a row belongs to; `endMs` is what its lateness counts from. */
interface Target {
  readonly name: string;
  readonly window: WindowDefinition;
  readonly row: unknown;
  readonly startMs: number;
  readonly endMs: number;
}

interface TimedRow {
  readonly timeMs: number;
  readonly row: unknown;
}

interface SessionRows {
  readonly name: string;
  readonly window: WindowDefinition;
  readonly group: string;
  readonly rows: TimedRow[];
}

/** Sorts the rows of a slot by time and cuts them where the gap is reached. */
function sessionRows({ name, window, group, rows }: SessionRows): [string, Columns][] {
  const gapMs = durationMs(name, window.gap);
  const runs: TimedRow[][] = [];
  for (const one of [...rows].sort((left, right) => left.timeMs - right.timeMs)) {
    const before = runs.at(-1);
    if (before === undefined || one.timeMs - (before.at(-1)?.timeMs ?? 0) >= gapMs)
      runs.push([one]);
    else before.push(one);
  }
  return runs.map((run) => {
    const tallies = new Map<string, Tally>();
    for (const one of run) addRow(tallies, window, one);
    const columns = { ...columnsOf(window, tallies), endMs: run.at(-1)?.timeMs };
    return [resultName(name, run[0]?.timeMs ?? 0, group), columns];
  });
}

type Columns = Readonly<Record<string, unknown>>;

function columnsOf(window: WindowDefinition, tallies: ReadonlyMap<string, Tally>): Columns {
  const columns = Object.entries(window.keep).map(([column, definition]) => [
    column,
    resultOf(definition, tallies.get(column)),
  ]);
  return Object.fromEntries(columns);
}

function addRow(tallies: Map<string, Tally>, window: WindowDefinition, row: TimedRow): void {
  for (const [column, definition] of Object.entries(window.keep)) {
    const tally = tallies.get(column) ?? emptyTally(definition);
    tallies.set(column, tally);
    addTo(tally, definition, row);
  }
}

function floorTo(timeMs: number, sizeMs: number): number {
  return timeMs - (((timeMs % sizeMs) + sizeMs) % sizeMs);
}

function emptyTally({ accumulator }: ColumnDefinition): Tally {
  return { count: 0, sum: 0n, least: null, greatest: null, state: accumulator?.empty() };
}

function addTo(
  tally: Tally,
  { kind, of, accumulator }: ColumnDefinition,
  { timeMs, row }: { timeMs: number; row: unknown },
): void {
  const value = inputOf(of, row);
  if (value === null || value === undefined) return;
  if (kind === 'count' && value !== true) return;
  if (accumulator !== undefined) {
    tally.state = accumulator.add(tally.state, value as never, timeMs, '');
    return;
  }
  tally.count += 1;
  if (typeof value === 'number') addNumber(tally, value);
}

function addNumber(tally: Tally, value: number): void {
  tally.sum += scaled(value);
  if (tally.least === null || value < tally.least) tally.least = value === 0 ? 0 : value;
  if (tally.greatest === null || value > tally.greatest) tally.greatest = value === 0 ? 0 : value;
}

function inputOf(of: ColumnDefinition['of'], row: unknown): unknown {
  if (of === undefined) return true;
  return typeof of === 'function' ? of(row as never) : Reflect.get(Object(row), of);
}

function resultOf({ kind, accumulator }: ColumnDefinition, tally: Tally | undefined): unknown {
  if (tally === undefined) return undefined;
  if (accumulator !== undefined) return accumulator.result(tally.state);
  switch (kind) {
    case 'count':
      return tally.count;
    case 'sum':
      return nearest(tally.sum);
    case 'mean':
      return tally.count === 0 ? null : nearest(tally.sum) / tally.count;
    case 'min':
      return tally.least;
    default:
      return tally.greatest;
  }
}
