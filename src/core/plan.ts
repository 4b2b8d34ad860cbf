import { encodeGroup } from './cell.ts';
import { decode } from './decode.ts';
import { type DerivedEvent, derive } from './derive.ts';
import { guarded } from './guarded.ts';
import type { HashKey } from './hash.ts';
import type { FoldedId } from './id-table.ts';
import { Identifier, type UnknownId, type WriterState } from './identify.ts';
import { blockKey, blockOf, bucketOf, packPartition } from './layout.ts';
import { GROUP_BYTES_MAX } from './page.ts';
import type { Position } from './position.ts';
import type { Aggregate, FoldInput, Program, WindowSpan } from './program.ts';
import { Refusal, type Rejection, refuse } from './rejection.ts';

/**
 * Decides what happens to each record of a writer, in the order of position, and collects what is to
 * be folded into which cell. Writes nothing.
 *
 * Boundary: the handlers give it records after the ledger's head and store what it decided.
 *
 * Invariants
 * 1. A decision depends only on the writer's records before it (through the head's watermark and ids)
 *    and on the record itself: never on the clock, the batch or what is stored. Held by taking nothing
 *    else in.
 * 2. Only accepted records enter the ids and raise the watermark.
 * 3. A record that is refused or repeated leaves no trace in a cell: folds are added after the last
 *    check.
 */

/** A record as it came from the stream. */
export interface InputRecord {
  readonly position: Position;
  /** Arrival at the stream, milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

/** An event to be kept on its own. */
export interface KeptEvent {
  /** Source and id, or writer and position where the event has no id; at most 2,048 bytes. */
  readonly name: string;
  readonly key: string;
  readonly timeMs: number;
  /** The rows that the transform gave, as JSON. */
  readonly rows: string;
}

/** What was decided on one record; `watermarkMs` is the writer's after it. */
export type Decision<R extends InputRecord = InputRecord> = {
  readonly record: R;
  readonly watermarkMs: number | undefined;
} & (
  | {
      readonly type: 'accepted';
      /** Undefined where the event has no id: then its position is its id. */
      readonly id: FoldedId | undefined;
      readonly kept: KeptEvent | undefined;
      /** For the pipelines that this one feeds. */
      readonly derived: readonly DerivedEvent[];
      readonly partlyLate: boolean;
      /** Behind the watermark of the records before, where it changed a window that had ended; else 0. */
      readonly correctsMs: number;
    }
  | { readonly type: 'duplicate' }
  | { readonly type: 'rejected'; readonly rejection: Rejection }
);

/** One row's inputs for one cell. */
export interface Fold extends FoldInput {
  /** Index of the record's decision. */
  readonly ordinal: number;
}

/** A cell that the records touch, with its folds in the order of position. */
export interface CellPlan {
  /** Names the cell within its pack. */
  readonly key: string;
  readonly group: string;
  readonly span: WindowSpan;
  readonly folds: Fold[];
}

/** A pack that the records touch, with its cells in the order of their first fold. */
export interface PackPlan {
  readonly aggregate: Aggregate;
  readonly pk: string;
  /** Start of its pages' sort keys. */
  readonly block: string;
  /** Latest end of a window of the block, milliseconds since 1970 UTC. */
  readonly endMs: number;
  readonly cells: Map<string, CellPlan>;
}

/** What a planner is made for. */
export interface PlannerOptions {
  readonly program: Program;
  readonly writer: string;
  readonly idKey: HashKey;
  readonly state: WriterState;
}

/** Longest name of an event in bytes: DynamoDB's limit of a partition key. */
export const NAME_BYTES_MAX = 2048;

/** Longest JSON of an event's rows in bytes: 400 KB less room for its other attributes. */
export const ROWS_BYTES_MAX = 390 * 1024;

/** Cells that one event may touch; more is a mistake in the transform. */
export const FOLDS_MAX = 10_000;

const utf8 = new TextEncoder();

/** See the head of this file. */
export class Planner<R extends InputRecord = InputRecord> {
  readonly #program: Program;
  readonly #writer: string;
  readonly #identifier: Identifier;
  #watermarkMs: number | undefined;

  /** One a record, in the order given. */
  readonly decisions: Decision<R>[] = [];
  /** Touched packs by partition key and block. */
  readonly packs = new Map<string, PackPlan>();

  constructor(options: PlannerOptions) {
    this.#program = options.program;
    this.#writer = options.writer;
    const { program, idKey, state } = options;
    this.#identifier = new Identifier(program.settings, idKey, state);
    this.#watermarkMs = state.watermarkMs;
  }

  /** Ids of which the state can't tell; while there are some, no decision counts. */
  get unknown(): readonly UnknownId[] {
    return this.#identifier.unknown;
  }

  /** Decides on the next record. Never throws for a bad record. */
  decide(record: R): void {
    const before = { record, watermarkMs: this.#watermarkMs };
    try {
      const accepted = this.#accept(record);
      this.decisions.push(accepted ?? { ...before, type: 'duplicate' });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.decisions.push({ ...before, type: 'rejected', rejection: error.rejection });
    }
  }

  /** Quarantines the next record without looking into it: its computation kills the function. */
  decideCrash(record: R, deaths: number): void {
    const message = `the function died ${deaths} times while it worked on this record alone`;
    const rejection: Rejection = {
      reason: 'crash',
      stage: 'plan',
      issues: [{ path: '', message }],
    };
    this.decisions.push({ record, watermarkMs: this.#watermarkMs, type: 'rejected', rejection });
  }

  /** The decision on a good record, or undefined for a duplicate. @throws Refusal */
  #accept(record: R): Decision<R> | undefined {
    const program = this.#program;
    const decoded = decode(record.bytes, program.format);
    const source = decoded.source ?? '';
    return describing({ source, id: decoded.id }, () => {
      const event = this.#validated(decoded.data);
      const timeMs = guarded('time', () => program.timeOf(event));
      const id = decoded.id ?? guarded('validate', () => program.idOf(event));
      return describing({ source, id, timeMs }, () => {
        checkTime(timeMs, record.arrivalMs, program.settings.futureMs);
        const { data, originMs } = decoded;
        const folded = this.#identifier.identify({ source, id, data, originMs }, record);
        if (folded === 'duplicate') return undefined;
        const name = this.#nameOf({ source, id }, record);
        return this.#take({ record, event, timeMs, folded, name });
      });
    });
  }

  #validated(data: unknown): unknown {
    const validation = guarded('validate', () => this.#program.validate(data));
    if (validation.ok) return validation.event;
    const issues = validation.issues.slice(0, 10);
    throw new Refusal({ reason: 'schema', stage: 'validate', issues });
  }

  #nameOf(ids: Ids, record: InputRecord): string {
    if (ids.id !== undefined) return `${ids.source} ${ids.id}`;
    const { shard, sequence, index } = record.position;
    return `${this.#writer} ${shard}:${sequence}:${index}`;
  }

  #take(candidate: Candidate<R>): Decision<R> {
    const { record, event, timeMs, name } = candidate;
    if (utf8.encode(name).length > NAME_BYTES_MAX) {
      throw tooLarge('id', `got more than ${NAME_BYTES_MAX} bytes of source and id`);
    }
    const rows = guarded('transform', () => this.#program.transform(event, record.arrivalMs));
    const targets = rows.flatMap((row) => this.#targetsOf(row, timeMs));
    const live = this.#liveTargets(targets, timeMs);
    const folds = live.map((target) => this.#foldOf(target, candidate));
    if (folds.length > FOLDS_MAX) {
      throw tooLarge('', `got ${folds.length} cells from one event, expected at most ${FOLDS_MAX}`);
    }
    const kept = this.#keep(candidate, rows);
    const source = { name, timeMs, arrivalMs: record.arrivalMs };
    const derived = derive(this.#program, source, rows);
    for (const { target, group, fold } of folds) this.#cellOf(target, group).folds.push(fold);
    if (candidate.folded !== undefined) this.#identifier.remember(candidate.folded);
    const behindMs = (this.#watermarkMs ?? timeMs) - timeMs;
    this.#watermarkMs = Math.max(this.#watermarkMs ?? timeMs, timeMs);
    return {
      type: 'accepted',
      record,
      id: candidate.folded,
      kept,
      derived,
      partlyLate: live.length < targets.length,
      correctsMs: live.some(({ span }) => span.endMs <= timeMs + behindMs) ? behindMs : 0,
      watermarkMs: this.#watermarkMs,
    };
  }

  /** The windows that a row belongs to, live or not. */
  #targetsOf(row: unknown, timeMs: number): readonly Target[] {
    return this.#program.aggregates.flatMap((aggregate) =>
      guarded('transform', () => aggregate.takes(row))
        ? aggregate.assign(timeMs).map((span) => ({ row, aggregate, span }))
        : [],
    );
  }

  /** Those that still live at the watermark of the records before. @throws Refusal late */
  #liveTargets(targets: readonly Target[], timeMs: number): readonly Target[] {
    const watermarkMs = this.#watermarkMs ?? Number.NEGATIVE_INFINITY;
    const live = targets.filter(({ aggregate, span }) =>
      aggregate.isLive(span, timeMs, watermarkMs),
    );
    if (live.length > 0 || targets.length === 0) return live;
    throw refuse('late', 'plan', {
      path: '',
      message: `got an event of ${new Date(timeMs).toISOString()} at watermark ${new Date(watermarkMs).toISOString()}, expected it within the allowed lateness`,
    });
  }

  #foldOf(target: Target, { timeMs, name }: Candidate): TargetFold {
    const { row, aggregate } = target;
    const group = guarded('transform', () => encodeGroup(aggregate.groupOf(row)));
    if (group.length * 3 > GROUP_BYTES_MAX && utf8.encode(group).length > GROUP_BYTES_MAX) {
      throw tooLarge(aggregate.by.join(), `got a group key over ${GROUP_BYTES_MAX} bytes`);
    }
    const inputs = guarded('transform', () =>
      aggregate.columns.map((column) => column.inputOf(row)),
    );
    return { target, group, fold: { ordinal: this.decisions.length, timeMs, name, inputs } };
  }

  #keep(candidate: Candidate, rows: readonly unknown[]): KeptEvent | undefined {
    const key = guarded('transform', () => this.#program.keyOf(candidate.event));
    if (!key.isWellFormed() || !candidate.name.isWellFormed()) {
      throw refuse('schema', 'plan', {
        path: '',
        message:
          'got half a character (a lone surrogate) in the key or the id, expected whole ones',
      });
    }
    if (this.#program.settings.retention.eventsMs === null) return undefined;
    const json = guarded('transform', () => JSON.stringify(rows));
    if (json.length * 3 > ROWS_BYTES_MAX && utf8.encode(json).length > ROWS_BYTES_MAX) {
      throw tooLarge('', `got rows of more than ${ROWS_BYTES_MAX} bytes of JSON`);
    }
    return { name: candidate.name, key, timeMs: candidate.timeMs, rows: json };
  }

  #cellOf({ aggregate, span }: Target, group: string): CellPlan {
    const pack = this.#packOf(aggregate, span, group);
    const key = `${span.startMs} ${group}`;
    const known = pack.cells.get(key);
    if (known !== undefined) return known;
    const cell: CellPlan = { key, group, span, folds: [] };
    pack.cells.set(key, cell);
    return cell;
  }

  #packOf(aggregate: Aggregate, span: WindowSpan, group: string): PackPlan {
    const block = blockOf(aggregate.layout, span.startMs);
    const bucket = bucketOf(aggregate.layout, group);
    const key = `${aggregate.name} ${bucket} ${block.startMs}`;
    const known = this.packs.get(key);
    if (known !== undefined) return known;
    const pack: PackPlan = {
      aggregate,
      pk: packPartition(aggregate.name, this.#writer, bucket),
      block: blockKey(block.startMs),
      endMs: block.endMs - aggregate.layout.gridMs + span.endMs - span.startMs,
      cells: new Map(),
    };
    this.packs.set(key, pack);
    return pack;
  }
}

interface Ids {
  readonly source: string;
  readonly id: string | undefined;
}

interface Candidate<R extends InputRecord = InputRecord> {
  readonly record: R;
  readonly event: unknown;
  readonly timeMs: number;
  readonly name: string;
  readonly folded: FoldedId | undefined;
}

/** A window that a row belongs to. */
interface Target {
  readonly row: unknown;
  readonly aggregate: Aggregate;
  readonly span: WindowSpan;
}

interface TargetFold {
  readonly target: Target;
  readonly group: string;
  readonly fold: Fold;
}

/** Adds what is known of the event to a refusal. */
function describing<Result>(known: Ids & { readonly timeMs?: number }, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal({
      ...error.rejection,
      ...(known.source === '' ? {} : { source: known.source.slice(0, 300) }),
      ...(known.id === undefined ? {} : { id: known.id.slice(0, 300) }),
      ...(known.timeMs !== undefined && Number.isFinite(known.timeMs)
        ? { eventTimeMs: known.timeMs }
        : {}),
    });
  }
}

/** Times that windows and texts can hold: a hundred years inside of what Date can. */
const TIME_MAX_MS = 8.64e15 - 3.2e12;

function checkTime(timeMs: number, arrivalMs: number, futureMs: number): void {
  if (!Number.isSafeInteger(timeMs) || Math.abs(timeMs) > TIME_MAX_MS) {
    throw refuse('transform', 'time', {
      path: '',
      message: 'expected the event time in whole milliseconds since 1970',
    });
  }
  if (timeMs <= arrivalMs + futureMs) return;
  throw refuse('future', 'time', {
    path: '',
    message: `got an event time ${timeMs - arrivalMs} ms after the arrival, expected at most ${futureMs} ms`,
  });
}

function tooLarge(path: string, message: string): Refusal {
  return refuse('too-large', 'plan', { path, message });
}
