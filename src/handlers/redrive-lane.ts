import { TransientError } from '../core/errors.ts';
import { hashKeyOf } from '../core/hash.ts';
import { decodePosition, encodePosition } from '../core/position.ts';
import type { Program } from '../core/program.ts';
import type { QuarantineDocument } from '../core/quarantine.ts';
import {
  documentNoteKey,
  encodeNote,
  idNoteKey,
  nextPart,
  type PlanPart,
  type RedriveJob,
  type RedrivePlan,
  redrivePosition,
} from '../core/redrive.ts';
import { redriveLaneProgram } from '../core/redrive-program.ts';
import type { Item } from '../ports/table.ts';
import { Head } from './head.ts';
import type { ConsumePorts, Invocation } from './ports.ts';
import { type ContainerState, processWriter } from './process-writer.ts';
import { folderOf, readPart } from './redrive-parts.ts';
import type { BatchReport } from './report.ts';
import type { Budget } from './reserve.ts';
import { type RetryContext, retryFailed } from './retry.ts';
import type { SourceRecord, WriteContext } from './write-context.ts';

/** A job whose plan is fixed. */
export type PlannedJob = RedriveJob & { readonly plan: RedrivePlan };

/** The call that folds. */
export interface FoldCall {
  readonly invocation: Invocation;
  readonly budget: Budget;
  /** No further part is begun at or after this time; milliseconds since 1970 UTC. */
  readonly untilMs: number;
  readonly context: RetryContext;
  readonly report: BatchReport;
}

/** Ids are not looked at in this lane. */
const NO_KEY = hashKeyOf(new TextEncoder().encode('millrace no ids '));

/** The writer of the events that are brought back: parts of jobs, folded as batches of a stream are. */
export class RedriveLane {
  readonly #ports: ConsumePorts;
  readonly #program: Program;
  readonly #state: ContainerState;

  constructor(ports: ConsumePorts, program: Program, state: ContainerState) {
    this.#ports = ports;
    this.#program = program;
    this.#state = state;
  }

  /**
   * Folds parts of a job while there is time.
   *
   * @returns how many of its events are finished
   * @throws TransientError, DeadlineError
   */
  async fold(job: PlannedJob, call: FoldCall): Promise<number> {
    const { plan, number } = job;
    const head = await this.#head(plan.writer, call.context);
    const first = nextPart(number, head.position);
    if (first === undefined) return plan.events;
    for (let part = first; part < plan.parts; part += 1) {
      const folder = folderOf(this.#ports, this.#program);
      const place = { folder, number, token: plan.token, part };
      const stored = await readPart(this.#ports, place, call.context);
      if (call.context.clock.now() >= call.untilMs) return stored.before;
      const left = await this.#foldPart(job, { part, stored, head }, call);
      if (left > 0) return stored.before + stored.events.length - left;
    }
    return plan.events;
  }

  async #head(writer: string, context: RetryContext): Promise<Head> {
    const ancestors = async () => [];
    const request = { writer, minArrivalMs: context.clock.now(), ancestors };
    const heads = await this.#state.heads.fresh([request], context);
    const head = heads.get(writer);
    if (head instanceof Head) return head;
    throw head ?? new TransientError(`ledger of ${writer}: no answer; run the job again`);
  }

  /** Answers how many of its events are not finished. */
  async #foldPart(
    { plan, number, createdMs }: PlannedJob,
    { part, stored, head }: { readonly part: number; readonly stored: PlanPart; head: Head },
    { invocation, budget, context, report }: FoldCall,
  ): Promise<number> {
    const places = stored.events.map((event, line) => ({
      ...event,
      position: redrivePosition(number, part, line),
    }));
    await this.#note(
      places.flatMap(({ document, id, position }) => {
        const note = { job: number, position: encodePosition(position) };
        const own = encodeNote(documentNoteKey(document), note);
        return id === undefined ? [own] : [own, encodeNote(idNoteKey(id), note)];
      }),
      context,
    );
    const records = places.map(({ document, position }) => recordOf(document, position));
    const write: WriteContext = {
      ...context,
      ports: this.#ports,
      program: redriveLaneProgram(this.#program, createdMs),
      writer: plan.writer,
      invocation,
    };
    const batch = { head, records, idKey: NO_KEY, stopMs: budget.stopMs };
    report.received += records.length;
    const unfinished = await processWriter(write, batch, this.#state, report);
    return unfinished === undefined ? 0 : records.length - records.indexOf(unfinished);
  }

  /** Before anything is folded. The same in every try. */
  async #note(notes: readonly Item[], context: RetryContext): Promise<void> {
    const results = await retryFailed(context, notes, (open) =>
      this.#ports.ledger.putAll(open, context),
    );
    const failed = results.find(({ status }) => status !== 'written');
    if (failed === undefined) return;
    throw new TransientError('redrive: events are not noted; run the job again', {
      cause: failed.status === 'failed' ? failed.error : undefined,
    });
  }
}

/** The event as it came to the stream. */
function recordOf(
  { writer, position: original, partitionKey, arrival, bytes }: QuarantineDocument,
  position: SourceRecord['position'],
): SourceRecord {
  const { shard, sequence, index } = decodePosition(original);
  return {
    position,
    sequence,
    partitionKey,
    arrivalMs: Date.parse(arrival),
    bytes: Buffer.from(bytes, 'base64'),
    name: `${writer} ${shard}:${sequence}:${index}`,
  };
}
