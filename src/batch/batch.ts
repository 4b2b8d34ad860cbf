import { durationMs } from '../core/duration.ts';
import type { AnyPipeline, WindowDefinition } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { type ColumnInput, columnInput, computeColumn, isColumnInput } from './columns.ts';
import { type BatchDerived, deriveAll } from './derived.ts';

/**
 * A plain batch computation over the same events, to compare a pipeline's results with: all rows in
 * memory, columns from the whole list of their inputs. Of the pipeline it uses the schema, the transform
 * and the functions that the user wrote; windows, lateness, repeats and columns it works out by itself.
 */

/** An event that the stream took, in the order within its lane. */
export interface BatchEvent {
  readonly bytes: Uint8Array;
  /** The partition or shard that orders it. */
  readonly lane: string;
  readonly arrivalMs: number;
  /** What names the event if it has no id of its own: its writer and position. Default: nothing. */
  readonly name?: string;
  /** The version of the pipeline that decides on it; default: the computation's own. */
  readonly by?: BatchVersion | undefined;
}

/** A version of the pipeline. */
export interface BatchVersion {
  readonly pipeline: AnyPipeline;
  /** As it was made of it. */
  readonly program: Program;
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
  /** Results that are too far from the exact ones: by `resultName(...)` and column, with what is wrong. */
  readonly doubts: ReadonlyMap<string, string>;
  /** What other pipelines are fed with, each once. */
  readonly derived: readonly BatchDerived[];
}

/** Names one result. */
export function resultName(window: string, startMs: number, group: string): string {
  return `${window} ${new Date(startMs).toISOString()} ${group}`;
}

interface LaneState {
  watermarkMs: number;
  /** Bytes and arrival of each counted id. */
  readonly ids: Map<string, { readonly text: string; readonly arrivalMs: number }>;
}

/** What became of one event. */
export type Verdict = RejectionReason | 'accepted' | 'repeat';

/** See the head of this file. */
export class BatchComputation {
  readonly #own: BatchVersion;
  /** The version that decides on the present event. */
  #by: BatchVersion;
  readonly #lanes = new Map<string, LaneState>();
  readonly #cells = new Map<string, CellRows>();
  readonly #verdicts = new Map<Verdict, number>();
  /** By name and data: an event that was counted twice, after the horizon, is derived once. */
  readonly #derived = new Map<string, BatchDerived>();
  readonly #ancestors: readonly BatchComputation[];

  /** @param ancestors of the shards that this one's lanes came from: their ids and watermarks go on */
  constructor(
    pipeline: AnyPipeline,
    program: Program,
    ancestors: readonly BatchComputation[] = [],
  ) {
    this.#own = { pipeline, program };
    this.#by = this.#own;
    this.#ancestors = ancestors;
  }

  /** Takes the next event of its lane. */
  add(event: BatchEvent): Verdict {
    this.#by = event.by ?? this.#own;
    const verdict = this.#judge(event);
    this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1);
    return verdict;
  }

  /** Everything so far. */
  result(): BatchResult {
    const { accepted = 0, repeat: repeats = 0, ...refused } = Object.fromEntries(this.#verdicts);
    const results = [...this.#cells.values()].flatMap((cell) =>
      cell.window.type === 'session' ? sessionsOf(cell) : [resultOf(cell, cell.startMs)],
    );
    return {
      rows: new Map(results.map(({ name, columns }) => [name, columns])),
      doubts: new Map(results.flatMap(({ doubts }) => doubts)),
      derived: [...this.#derived.values()],
      accepted,
      repeats,
      refused: new Map(Object.entries(refused) as [RejectionReason, number][]),
    };
  }

  #judge(event: BatchEvent): Verdict {
    const opened = this.#open(event.bytes);
    if (opened === undefined) return 'not-decodable';
    const validation = this.#by.program.validate(opened.data);
    if (!validation.ok) return 'schema';
    const lane = this.#laneOf(event.lane);
    const timeMs = this.#by.program.timeOf(validation.event);
    if (timeMs > event.arrivalMs + this.#by.program.settings.futureMs) return 'future';
    const id = opened.id ?? this.#by.program.idOf(validation.event);
    const text = repeatedText(event, opened);
    const before = id === undefined ? undefined : lane.ids.get(id);
    if (before !== undefined && before.arrivalMs >= this.#repeatsSince(event, opened)) {
      return before.text === text ? 'repeat' : 'id-conflict';
    }
    const name = opened.id ?? nameOf(id, event);
    const verdict = this.#fold(
      validation.event,
      { timeMs, arrivalMs: event.arrivalMs, name },
      lane,
    );
    if (verdict === 'accepted') {
      if (id !== undefined) lane.ids.set(id, { text, arrivalMs: event.arrivalMs });
      lane.watermarkMs = Math.max(lane.watermarkMs, timeMs);
    }
    return verdict;
  }

  #laneOf(name: string): LaneState {
    const known = this.#lanes.get(name) ?? joined(this.#ancestors.flatMap((one) => one.#end()));
    this.#lanes.set(name, known);
    return known;
  }

  /** What its lanes know at their end, or its ancestors' where nothing came. */
  #end(): readonly LaneState[] {
    if (this.#lanes.size > 0) return [...this.#lanes.values()];
    return this.#ancestors.flatMap((one) => one.#end());
  }

  /** From when on a copy counts as a repeat: the horizon, or where the event was derived, its origin. */
  #repeatsSince({ arrivalMs }: BatchEvent, { originMs }: Opened): number {
    const { horizonMs, retention } = this.#by.program.settings;
    if (originMs === undefined) return arrivalMs - horizonMs;
    const oldestMs = arrivalMs - retention.streamMs - 30 * 60_000;
    return Math.min(arrivalMs - horizonMs, Math.max(originMs - 5 * 60_000, oldestMs));
  }

  #open(bytes: Uint8Array): Opened | undefined {
    try {
      const document = JSON.parse(Buffer.from(bytes).toString());
      if (this.#by.program.format === 'json') {
        return { data: document, id: undefined, originMs: undefined };
      }
      if (typeof document.id !== 'string') return undefined;
      const { source, id, data, originms } = document;
      const isFed = this.#by.pipeline.fedBy.includes(
        /^urn:millrace:([^:]+):/.exec(source)?.[1] ?? '',
      );
      const isOrigin = isFed && typeof originms === 'string' && /^\d{1,15}$/.test(originms);
      const originMs = isOrigin ? Number(originms) : undefined;
      return { data, id: `${source} ${id}`, originMs };
    } catch {
      return undefined;
    }
  }

  #fold(event: unknown, of: EventFacts, lane: LaneState): 'accepted' | 'late' | 'transform' {
    const rows = this.#rowsOf(event, of.arrivalMs);
    if (rows === undefined) return 'transform';
    const targets = rows.flatMap((row) => this.#targetsOf(row, of.timeMs));
    const open = targets.filter(
      ({ name, window, endMs }) =>
        endMs + durationMs(name, window.lateness ?? this.#by.pipeline.lateness) > lane.watermarkMs,
    );
    if (targets.length > 0 && open.length === 0) return 'late';
    if (!open.every(({ window, row }) => isTaken(window, row))) return 'transform';
    const derived = deriveAll(this.#by.pipeline, of.name, rows);
    if (derived === undefined) return 'transform';
    for (const one of derived) this.#derived.set(`${one.name} ${one.data}`, one);
    for (const target of open) this.#add(target, of);
    return 'accepted';
  }

  #targetsOf(row: unknown, timeMs: number): readonly Target[] {
    return Object.entries(this.#by.pipeline.windows).flatMap(([name, window]) => {
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

  #rowsOf(event: unknown, arrivalMs: number): readonly unknown[] | undefined {
    try {
      return this.#by.program.transform(event, arrivalMs);
    } catch {
      return undefined;
    }
  }

  #add({ name, window, row, startMs }: Target, of: EventFacts) {
    const group = JSON.stringify(window.by.map((field) => Reflect.get(Object(row), field) ?? null));
    const key = resultName(name, startMs, group);
    const cell = this.#cells.get(key) ?? { name, window, group, startMs, rows: [] };
    this.#cells.set(key, cell);
    cell.rows.push({ ...of, row, window });
  }
}

interface Opened {
  readonly data: unknown;
  readonly id: string | undefined;
  readonly originMs: number | undefined;
}

/** What must be equal in a repeat: all of it, of a derived event its data. */
function repeatedText({ bytes }: BatchEvent, { data, originMs }: Opened): string {
  return originMs === undefined ? Buffer.from(bytes).toString('latin1') : JSON.stringify(data);
}

/** What the columns need to know of an event. */
interface EventFacts {
  readonly timeMs: number;
  readonly arrivalMs: number;
  readonly name: string;
}

/** A window that a row belongs to; `endMs` is what its lateness counts from. */
interface Target {
  readonly name: string;
  readonly window: WindowDefinition;
  readonly row: unknown;
  readonly startMs: number;
  readonly endMs: number;
}

interface EventRow extends EventFacts {
  readonly row: unknown;
  /** As the version that decided on the event defines it. */
  readonly window: WindowDefinition;
}

/** The rows of a group of a window, or of the slot of time that cuts its sessions. */
interface CellRows {
  readonly name: string;
  readonly window: WindowDefinition;
  readonly group: string;
  readonly startMs: number;
  readonly rows: EventRow[];
}

/** Sorts the rows of a slot by time and cuts them where the gap is reached. */
function sessionsOf(cell: CellRows): readonly CellResult[] {
  const gapMs = durationMs(cell.name, cell.window.gap);
  const runs: EventRow[][] = [];
  for (const one of [...cell.rows].sort((left, right) => left.timeMs - right.timeMs)) {
    const before = runs.at(-1);
    if (before === undefined || one.timeMs - (before.at(-1)?.timeMs ?? 0) >= gapMs)
      runs.push([one]);
    else before.push(one);
  }
  return runs.map((rows) => {
    const result = resultOf({ ...cell, rows }, rows[0]?.timeMs ?? 0);
    return { ...result, columns: { ...result.columns, endMs: rows.at(-1)?.timeMs } };
  });
}

interface CellResult {
  readonly name: string;
  readonly columns: Readonly<Record<string, unknown>>;
  /** What is wrong, by name and column. */
  readonly doubts: readonly (readonly [where: string, doubt: string])[];
}

function resultOf({ name, window, group, rows }: CellRows, startMs: number): CellResult {
  const result = resultName(name, startMs, group);
  const columns = Object.entries(window.keep).map(([column, definition]) => {
    const inputs = rows.flatMap(({ row, window: { keep }, ...of }): ColumnInput[] => {
      const input = columnInput(keep[column] ?? definition, row);
      return input === undefined ? [] : [{ ...input, ...of }];
    });
    return { column, ...computeColumn(definition, inputs) };
  });
  return {
    name: result,
    columns: Object.fromEntries(columns.map(({ column, value }) => [column, value])),
    doubts: columns.flatMap(({ column, doubt }) =>
      doubt === undefined ? [] : [[`${result} ${column}`, doubt] as const],
    ),
  };
}

/** The name of an event without an envelope: no source and its id, or what it was given. */
function nameOf(id: string | undefined, { name = '' }: BatchEvent): string {
  return id === undefined ? name : ` ${id}`;
}

/** Whether every column can take its input of the row. */
function isTaken({ keep }: WindowDefinition, row: unknown): boolean {
  try {
    return Object.values(keep).every((column) => isColumnInput(column, columnInput(column, row)));
  } catch {
    return false;
  }
}

/** One state of several: the latest watermark, the latest arrival of each id. */
function joined(states: readonly LaneState[]): LaneState {
  const ids: Map<string, { readonly text: string; readonly arrivalMs: number }> = new Map();
  for (const [id, seen] of states.flatMap((state) => [...state.ids])) {
    if ((ids.get(id)?.arrivalMs ?? 0) < seen.arrivalMs) ids.set(id, seen);
  }
  const marks = states.map(({ watermarkMs }) => watermarkMs);
  return { watermarkMs: Math.max(Number.NEGATIVE_INFINITY, ...marks), ids };
}

function floorTo(timeMs: number, sizeMs: number): number {
  return timeMs - (((timeMs % sizeMs) + sizeMs) % sizeMs);
}
