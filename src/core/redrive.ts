import { REDRIVE_PREFIX } from './contract.ts';
import { InvariantError, show } from './errors.ts';
import type { Hash64 } from './hash.ts';
import { checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { GENERATION } from './ledger.ts';
import { decodePosition, type Position, sortablePosition } from './position.ts';
import type { QuarantineDocument } from './quarantine.ts';
import { REJECTION_REASONS, type RejectionReason } from './rejection.ts';

/**
 * What is stored of jobs that bring refused events back: the jobs themselves, which are the record of who
 * asked for what and when, and a note for each event that a job took.
 */

/** Format version of jobs and notes. */
export const REDRIVE_FORMAT = 1;

/** Events of one job, 1 to this many; what is left takes another one. */
export const REDRIVE_EVENTS_MAX = 100_000;

/** Which refused events a job is about. */
export interface RedriveChoice {
  /** Arrivals in [fromMs, toMs), milliseconds since 1970 UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Only of this reason. Those that killed the function are taken only where this names them. */
  readonly reason: RejectionReason | undefined;
  /** At most so many; 1 to `REDRIVE_EVENTS_MAX`. */
  readonly limit: number;
}

/** `asked`: nobody has looked yet which events it takes; `planned`: they are fixed, and being folded. */
export type RedriveState = 'asked' | 'planned' | 'done' | 'cancelled';

/** A job. It changes its state, and gets its plan; the rest is as it was asked for. */
export interface RedriveJob {
  /** 1, 2, 3 and so on: jobs are done in this order. */
  readonly number: number;
  readonly state: RedriveState;
  readonly choice: RedriveChoice;
  /** Who asked, as the caller says: an ARN, or a name. */
  readonly by: string;
  /** When, milliseconds since 1970 UTC. */
  readonly createdMs: number;
  /** Undefined until it is planned. */
  readonly plan: RedrivePlan | undefined;
  /** When it was done or cancelled. */
  readonly endedMs: number | undefined;
}

/** What a job takes. */
export interface RedrivePlan {
  /** The writer that folds them. */
  readonly writer: string;
  /** Part of the names of its objects. */
  readonly token: string;
  readonly parts: number;
  readonly events: number;
  /** Request id of the invocation that planned it. */
  readonly requestId: string;
}

/** Partition key of the jobs, in the ledger table. They never expire: they are the audit record. */
export const REDRIVE_JOBS = `${GENERATION}|redrive`;

/** Sort key of a job; the byte order of the keys is the order of the numbers. */
export function jobKey(number: number): string {
  return String(number).padStart(9, '0');
}

/**
 * The item of a job. Attributes: s state, c choice (JSON), b by, t created, e ended; of the plan w writer, k
 * token, n parts, d events, r request id.
 */
export function encodeJob(job: RedriveJob): StoredItem {
  const { plan, endedMs } = job;
  return {
    pk: REDRIVE_JOBS,
    sk: jobKey(job.number),
    v: REDRIVE_FORMAT,
    s: job.state,
    c: JSON.stringify(job.choice),
    b: job.by,
    t: job.createdMs,
    ...(plan === undefined
      ? {}
      : { w: plan.writer, k: plan.token, n: plan.parts, d: plan.events, r: plan.requestId }),
    ...(endedMs === undefined ? {} : { e: endedMs }),
  };
}

/** @throws InvariantError when the item is not one that `encodeJob` made */
export function decodeJob(item: StoredItem): RedriveJob {
  checkVersion(item, REDRIVE_FORMAT);
  const choice: RedriveChoice = JSON.parse(textIn(item, 'c'));
  return {
    number: Number(item.sk),
    state: textIn(item, 's') as RedriveState,
    choice: { ...choice, reason: choice.reason },
    by: textIn(item, 'b'),
    createdMs: numberIn(item, 't'),
    plan:
      item.w === undefined
        ? undefined
        : {
            writer: textIn(item, 'w'),
            token: textIn(item, 'k'),
            parts: numberIn(item, 'n'),
            events: numberIn(item, 'd'),
            requestId: textIn(item, 'r'),
          },
    endedMs: item.e === undefined ? undefined : numberIn(item, 'e'),
  };
}

/** Key of the object that holds a part of a plan. */
export function planPartKey(
  folder: string,
  { number, token }: { readonly number: number; readonly token: string },
  part: number,
): string {
  return `${REDRIVE_PREFIX}${folder}/${jobKey(number)}/${token}/${jobKey(part)}.json`;
}

/** A part of a plan: events in the order in which they are folded. */
export interface PlanPart {
  readonly v: typeof REDRIVE_FORMAT;
  /** How many events of the plan stand in the parts before. */
  readonly before: number;
  readonly events: readonly {
    readonly document: QuarantineDocument;
    /** The hash of its id, to note it by; absent where it has none. */
    readonly id?: Hash64;
  }[];
}

/** @throws InvariantError when the bytes are no part of this format */
export function decodePart(bytes: Uint8Array): PlanPart {
  const part: Partial<PlanPart> = JSON.parse(new TextDecoder().decode(bytes));
  if (part.v === REDRIVE_FORMAT) return part as PlanPart;
  throw new InvariantError(
    `part of a redrive: got format version ${show(part.v)}, expected ${REDRIVE_FORMAT}; use the version of Millrace that wrote it, or a newer one`,
  );
}

/** Where an event stands in the lane of the jobs: job, part and line, in the place of shard, sequence and index. */
export function redrivePosition(job: number, part: number, line: number): Position {
  return { shard: job, sequence: String(part), index: line };
}

/** How far a job is: the part that is not known to be finished. @param head position of the lane's ledger */
export function nextPart(job: number, head: Position | undefined): number | undefined {
  if (head === undefined || head.shard < job) return 0;
  return head.shard > job ? undefined : Number(head.sequence);
}

/** A note that a job took an event. */
export interface RedriveNote {
  readonly job: number;
  /** Encoded position in the lane of the jobs. */
  readonly position: string;
}

/** Key of the note of a document. */
export function documentNoteKey({
  writer,
  position,
}: Pick<QuarantineDocument, 'writer' | 'position'>) {
  return {
    pk: `${GENERATION}|redriven|${writer}`,
    sk: sortablePosition(decodePosition(position)),
  } as const;
}

/** Key of the note of an event's id: another document of the same event is not taken again. */
export function idNoteKey({ high, low }: Hash64) {
  const text = high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
  return { pk: `${GENERATION}|redriven-id|${text}`, sk: 'id' } as const;
}

/** The item of a note. It never expires, so that nothing is taken twice, however late. */
export function encodeNote(
  key: { readonly pk: string; readonly sk: string },
  { job, position }: RedriveNote,
): StoredItem {
  return { ...key, v: REDRIVE_FORMAT, j: job, p: position };
}

/** @throws InvariantError when the item is not one that `encodeNote` made */
export function decodeNote(item: StoredItem): RedriveNote {
  checkVersion(item, REDRIVE_FORMAT);
  return { job: numberIn(item, 'j'), position: textIn(item, 'p') };
}

/** Checks a choice that came from outside. @throws InvariantError */
export function checkChoice(value: unknown): RedriveChoice {
  const { fromMs, toMs, reason, limit } = Object(value);
  const isTime = Number.isSafeInteger(fromMs) && Number.isSafeInteger(toMs) && fromMs < toMs;
  const isReason = reason === undefined || Object.hasOwn(REJECTION_REASONS, String(reason));
  const isLimit = Number.isInteger(limit) && limit >= 1 && limit <= REDRIVE_EVENTS_MAX;
  if (isTime && isReason && isLimit) return { fromMs, toMs, reason, limit };
  throw new InvariantError(
    `choice of refused events: got ${show(value)}, expected fromMs before toMs, a reason of the quarantine or none, a limit of 1 to ${REDRIVE_EVENTS_MAX}`,
  );
}
