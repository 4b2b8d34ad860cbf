import { encodeGroup } from './cell.ts';
import { decode } from './decode.ts';
import { type DerivedEvent, derive } from './derive.ts';
import { type GuardedStage, refusalOf } from './guarded.ts';
import type { HashKey } from './hash.ts';
import type { FoldedId } from './id-table.ts';
import {
  type EventIdentity,
  eventName,
  Identifier,
  type UnknownId,
  type WriterState,
} from './identify.ts';
import { GROUP_BYTES_MAX } from './page.ts';
import { type Fold, type PackPlan, PackPlans } from './plan-packs.ts';
import type { Position } from './position.ts';
import type { Aggregate, Program, WindowSpan } from './program.ts';
import type { QuickEvent } from './quick-decoder.ts';
import { Refusal, type Rejection, refuse } from './rejection.ts';
import { isLongerThan } from './utf8.ts';

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
  /** Names the event where it has no id of its own; default: writer and position. */
  readonly name?: string;
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

/** See the head of this file. */
export class Planner<R extends InputRecord = InputRecord> {
  readonly #program: Program;
  readonly #writer: string;
  readonly #identifier: Identifier;
  readonly #plans: PackPlans;
  #watermarkMs: number | undefined;
  /** Of the record at hand: what is known of its event, and whether the user's code runs. */
  #known: Known = NOTHING;
  #stage: GuardedStage | undefined;

  /** One a record, in the order given. */
  readonly decisions: Decision<R>[] = [];

  constructor(options: PlannerOptions) {
    this.#program = options.program;
    this.#writer = options.writer;
    this.#plans = new PackPlans(options.writer);
    const { program, idKey, state } = options;
    this.#identifier = new Identifier(program.settings, idKey, state);
    this.#watermarkMs = state.watermarkMs;
  }

  /** Touched packs by partition key and block. */
  get packs(): ReadonlyMap<string, PackPlan> {
    return this.#plans.packs;
  }

  /** Ids of which the state can't tell; while there are some, no decision counts. */
  get unknown(): readonly UnknownId[] {
    return this.#identifier.unknown;
  }

  /** Decides on the next record. Never throws for a bad record. */
  decide(record: R): void {
    const before = { record, watermarkMs: this.#watermarkMs };
    this.#known = NOTHING;
    this.#stage = undefined;
    try {
      const accepted = this.#accept(record);
      this.decisions.push(accepted ?? { ...before, type: 'duplicate' });
    } catch (thrown) {
      const error = this.#stage === undefined ? thrown : refusalOf(this.#stage, thrown);
      if (!(error instanceof Refusal)) throw error;
      const rejection = describe(error.rejection, this.#known);
      this.decisions.push({ ...before, type: 'rejected', rejection });
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
    const decoded: ValidEvent =
      program.decodeQuickly?.(record.bytes) ?? this.#decoded(record.bytes);
    const { event } = decoded;
    const source = decoded.source ?? '';
    this.#known = { source, id: decoded.id };
    this.#stage = 'time';
    const timeMs = program.timeOf(event);
    this.#stage = 'validate';
    const id = decoded.id ?? program.idOf(event);
    this.#stage = undefined;
    this.#known = { source, id, timeMs };
    checkTime(timeMs, record.arrivalMs, program.settings.futureMs);
    const name = this.#nameOf({ source, id }, record);
    const folded = this.#identifier.identify(
      { source, id, name, derived: decoded.derived },
      record,
    );
    if (folded === 'duplicate') return undefined;
    return this.#take({ record, event, timeMs, folded, name });
  }

  /** The reference path: the document, then the schema. @throws Refusal */
  #decoded(bytes: Uint8Array): ValidEvent {
    const { id, source, data, originMs } = decode(bytes, this.#program.format);
    this.#known = { source: source ?? '', id };
    this.#stage = 'validate';
    const validation = this.#program.validate(data);
    this.#stage = undefined;
    if (validation.ok) {
      const derived = originMs === undefined ? undefined : { data, originMs };
      return { event: validation.event, id, source, derived };
    }
    const issues = validation.issues.slice(0, 10);
    throw new Refusal({ reason: 'schema', stage: 'validate', issues });
  }

  #nameOf(ids: Ids, record: InputRecord): string {
    if (ids.id !== undefined) return eventName(ids.source, ids.id);
    if (record.name !== undefined) return record.name;
    const { shard, sequence, index } = record.position;
    return `${this.#writer} ${shard}:${sequence}:${index}`;
  }

  #take(candidate: Candidate<R>): Decision<R> {
    const { record, event, timeMs, name } = candidate;
    if (isLongerThan(name, NAME_BYTES_MAX)) {
      throw tooLarge('id', `got more than ${NAME_BYTES_MAX} bytes of source and id`);
    }
    this.#stage = 'transform';
    const rows = this.#program.transform(event, record.arrivalMs);
    this.#stage = undefined;
    const { live, partlyLate } = this.#targetsOf(rows, timeMs);
    for (const target of live) this.#fill(target);
    if (live.length > FOLDS_MAX) {
      throw tooLarge('', `got ${live.length} cells from one event, expected at most ${FOLDS_MAX}`);
    }
    const kept = this.#keep(candidate, rows);
    const derived = derive(this.#program, { name, timeMs, arrivalMs: record.arrivalMs }, rows);
    this.#fold(live, candidate);
    if (candidate.folded !== undefined) this.#identifier.remember(candidate.folded);
    const behindMs = (this.#watermarkMs ?? timeMs) - timeMs;
    this.#watermarkMs = Math.max(this.#watermarkMs ?? timeMs, timeMs);
    const corrects = behindMs > 0 && live.some(({ span }) => span.endMs <= timeMs + behindMs);
    return {
      type: 'accepted',
      record,
      id: candidate.folded,
      kept,
      derived,
      partlyLate,
      correctsMs: corrects ? behindMs : 0,
      watermarkMs: this.#watermarkMs,
    };
  }

  /**
   * The windows that the rows belong to and that still live at the watermark of the records before.
   *
   * @throws Refusal late
   */
  #targetsOf(rows: readonly unknown[], timeMs: number): Targets {
    const watermarkMs = this.#watermarkMs ?? Number.NEGATIVE_INFINITY;
    const live: Target[] = [];
    let late = 0;
    for (const row of rows) {
      for (const aggregate of this.#program.aggregates) {
        for (const span of this.#spansOf(aggregate, row, timeMs)) {
          if (aggregate.isLive(span, timeMs, watermarkMs)) {
            live.push({ row, aggregate, span, group: '', inputs: NO_INPUTS });
          } else late += 1;
        }
      }
    }
    if (live.length > 0 || late === 0) return { live, partlyLate: late > 0 };
    const got = `got an event of ${new Date(timeMs).toISOString()}`;
    // Nothing is too late for a writer that has counted nothing: then the windows are gone.
    const message = Number.isFinite(watermarkMs)
      ? `${got} at watermark ${new Date(watermarkMs).toISOString()}, expected it within the allowed lateness`
      : `${got}, expected one whose windows are still kept`;
    throw refuse('late', 'plan', { path: '', message });
  }

  #spansOf(aggregate: Aggregate, row: unknown, timeMs: number): readonly WindowSpan[] {
    this.#stage = 'transform';
    const takes = aggregate.takes(row);
    this.#stage = undefined;
    return takes ? aggregate.assign(timeMs) : NO_SPANS;
  }

  /** Reads the group and what goes into the columns. @throws Refusal */
  #fill(target: Target): void {
    const { row, aggregate } = target;
    this.#stage = 'transform';
    target.group = encodeGroup(aggregate.groupOf(row));
    this.#stage = undefined;
    if (isLongerThan(target.group, GROUP_BYTES_MAX)) {
      throw tooLarge(aggregate.by.join(), `got a group key over ${GROUP_BYTES_MAX} bytes`);
    }
    this.#stage = 'transform';
    target.inputs = aggregate.columns.map((column) => column.inputOf(row));
    this.#stage = undefined;
  }

  #fold(live: readonly Target[], { timeMs, name }: Candidate): void {
    const ordinal = this.decisions.length;
    for (const { aggregate, span, group, inputs } of live) {
      this.#plans.cellOf(aggregate, span, group).folds.push({ ordinal, timeMs, name, inputs });
    }
  }

  #keep(candidate: Candidate, rows: readonly unknown[]): KeptEvent | undefined {
    this.#stage = 'transform';
    const key = this.#program.keyOf(candidate.event);
    this.#stage = undefined;
    if (!key.isWellFormed() || !candidate.name.isWellFormed()) {
      throw refuse('schema', 'plan', {
        path: '',
        message:
          'got half a character (a lone surrogate) in the key or the id, expected whole ones',
      });
    }
    if (this.#program.settings.retention.eventsMs === null) return undefined;
    this.#stage = 'transform';
    const json = JSON.stringify(rows);
    this.#stage = undefined;
    if (isLongerThan(json, ROWS_BYTES_MAX)) {
      throw tooLarge('', `got rows of more than ${ROWS_BYTES_MAX} bytes of JSON`);
    }
    return { name: candidate.name, key, timeMs: candidate.timeMs, rows: json };
  }
}

interface Ids {
  readonly source: string;
  readonly id: string | undefined;
}

/** An event out of its bytes. */
interface ValidEvent extends QuickEvent {
  /** Where the event says of which record it was derived. */
  readonly derived?: EventIdentity['derived'];
}

/** What may be told of an event that is refused. */
type Known = Ids & { readonly timeMs?: number };

const NOTHING: Known = { source: '', id: undefined };

interface Candidate<R extends InputRecord = InputRecord> {
  readonly record: R;
  readonly event: unknown;
  readonly timeMs: number;
  readonly name: string;
  readonly folded: FoldedId | undefined;
}

/** A window that a row belongs to; group and inputs are read when it is known that the event isn't late. */
interface Target {
  readonly row: unknown;
  readonly aggregate: Aggregate;
  readonly span: WindowSpan;
  group: string;
  inputs: Fold['inputs'];
}

interface Targets {
  readonly live: readonly Target[];
  readonly partlyLate: boolean;
}

const NO_INPUTS: Fold['inputs'] = [];
const NO_SPANS: readonly WindowSpan[] = [];

/** A refusal with what is known of the event. */
function describe(rejection: Rejection, known: Known): Rejection {
  return {
    ...rejection,
    ...(known.source === '' ? {} : { source: known.source.slice(0, 300) }),
    ...(known.id === undefined ? {} : { id: known.id.slice(0, 300) }),
    ...(known.timeMs !== undefined && Number.isFinite(known.timeMs)
      ? { eventTimeMs: known.timeMs }
      : {}),
  };
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
