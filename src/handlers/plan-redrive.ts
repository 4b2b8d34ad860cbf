import { type Cluster, Clusters, documentName } from '../core/cluster.ts';
import type { HashKey } from '../core/hash.ts';
import type { FoldedId } from '../core/id-table.ts';
import type { Program } from '../core/program.ts';
import type { QuarantineDocument } from '../core/quarantine.ts';
import {
  decodeNote,
  documentNoteKey,
  idNoteKey,
  type RedriveChoice,
  type RedriveNote,
} from '../core/redrive.ts';
import { redriveProgram } from '../core/redrive-program.ts';
import { tryAgain } from '../core/try-again.ts';
import { isRedriveWriter } from '../core/writer.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { ItemKey, Table } from '../ports/table.ts';
import { countedEvents } from './counted-ids.ts';
import { quarantinedDocuments } from './read-quarantine.ts';
import { type RetryContext, retryFailed } from './retry.ts';

/**
 * Decides which refused events a job takes. What it decides is stored before anything is done by it, and
 * jobs are planned one after the other: the notes of the jobs before are whole.
 */

/** What a plan is made from. */
export interface PlanSource {
  readonly quarantine: Bucket;
  readonly ledger: Table;
  readonly program: Program;
  readonly idKey: HashKey;
}

/** What is to be planned. */
export interface PlanRequest {
  readonly choice: RedriveChoice;
  /** When the job was asked for; milliseconds since 1970 UTC. */
  readonly createdMs: number;
  /** It takes what it has found by then; milliseconds since 1970 UTC. */
  readonly stopMs: number;
}

/** Why an event is not taken although it would pass now. */
export type LeftOut =
  /** A job before took it. */
  | 'redriven'
  /** Another document of the same event is taken, or was. */
  | 'repeat'
  /** The same id was counted in the meantime. */
  | 'counted'
  /** Its id was counted before, with other bytes: what it says of itself. */
  | 'id-conflict'
  /** It killed the function, and wasn't asked for by that reason. */
  | 'crash';

/** What was found. */
export interface RedriveFindings {
  readonly events: number;
  /** Of the events that are taken: why they had been refused. */
  readonly taken: readonly Cluster[];
  /** Of those that would be refused again: why. */
  readonly refused: readonly Cluster[];
  readonly leftOut: Readonly<Record<LeftOut, number>>;
  /** False when there may be more of them: for the limit, the time, or memory. */
  readonly complete: boolean;
}

/** An event that is taken. */
export interface PlannedEvent {
  readonly document: QuarantineDocument;
  readonly writer: string;
  readonly arrivalMs: number;
  /** Undefined where it has no id. */
  readonly id: FoldedId | undefined;
}

/** A plan: the events in the order in which they are folded, by arrival. */
export interface PlanResult {
  readonly events: readonly PlannedEvent[];
  readonly findings: RedriveFindings;
}

/** Bytes of all documents of a plan, as they are kept in memory. */
const PLAN_BYTES_MAX = 96 * 1024 * 1024;

/** Events whose notes are read together. */
const CHUNK = 500;

/** @throws TransientError, DeadlineError */
export async function planRedrive(
  source: PlanSource,
  request: PlanRequest,
  context: RetryContext,
): Promise<PlanResult> {
  const planner = new RedrivePlanner(source, request, context);
  return planner.plan();
}

class RedrivePlanner {
  readonly #source: PlanSource;
  readonly #request: PlanRequest;
  readonly #context: RetryContext;
  readonly #program: Program;
  readonly #refused = new Clusters();
  readonly #leftOut: Record<LeftOut, number> = {
    redriven: 0,
    repeat: 0,
    counted: 0,
    'id-conflict': 0,
    crash: 0,
  };
  readonly #kept: PlannedEvent[] = [];
  #bytes = 0;

  constructor(source: PlanSource, request: PlanRequest, context: RetryContext) {
    this.#source = source;
    this.#request = request;
    this.#context = context;
    this.#program = redriveProgram(source.program, request.createdMs);
  }

  async plan(): Promise<PlanResult> {
    const isWhole = await this.#collect();
    const found = await this.#withoutCounted(this.#withoutRepeats());
    const { limit } = this.#request.choice;
    const events = found.slice(0, limit);
    const taken = new Clusters();
    for (const { document } of events) taken.add(document);
    const findings = {
      events: events.length,
      taken: taken.sorted,
      refused: this.#refused.sorted,
      leftOut: this.#leftOut,
      complete: isWhole && found.length <= limit,
    };
    return { events, findings };
  }

  /** Reads the documents; false when it did not come to the end. */
  async #collect(): Promise<boolean> {
    const { choice, stopMs } = this.#request;
    const { program, quarantine } = this.#source;
    const { reason, ...range } = choice;
    const filter = {
      ...range,
      ...(reason === undefined ? {} : { reason }),
      pipeline: program.name,
      limit: Number.POSITIVE_INFINITY,
      streamMs: program.settings.retention.streamMs,
    };
    let chunk: QuarantineDocument[] = [];
    for await (const document of quarantinedDocuments(quarantine, filter, this.#context)) {
      chunk.push(document);
      if (chunk.length < CHUNK) continue;
      await this.#keepNew(chunk);
      chunk = [];
      const isFull = this.#kept.length >= choice.limit || this.#bytes >= PLAN_BYTES_MAX;
      if (isFull || this.#context.clock.now() >= stopMs) return false;
    }
    await this.#keepNew(chunk);
    return true;
  }

  /** The event where it would pass now. */
  #judge(document: QuarantineDocument): PlannedEvent | undefined {
    const { reason, writer, arrival } = document;
    if (reason === 'id-conflict') return this.#leave('id-conflict');
    // Looking at it may kill this function, too.
    if (reason === 'crash' && this.#request.choice.reason !== 'crash') return this.#leave('crash');
    const verdict = tryAgain(this.#program, document, this.#source.idKey);
    if (verdict.type === 'passes') {
      return { document, writer, arrivalMs: Date.parse(arrival), id: verdict.id };
    }
    this.#refused.add({ ...document, ...verdict.rejection });
    return undefined;
  }

  #leave(why: LeftOut): undefined {
    this.#leftOut[why] += 1;
    return undefined;
  }

  /** Keeps those that would pass now, and that no job before took. */
  async #keepNew(documents: readonly QuarantineDocument[]): Promise<void> {
    const taken = await this.#notes(documents.map(documentNoteKey));
    const events = documents.flatMap((document) => {
      const isTaken = taken.has(nameOf(documentNoteKey(document)));
      return (isTaken ? this.#leave('redriven') : this.#judge(document)) ?? [];
    });
    const ids = events.flatMap(({ id }) => (id === undefined ? [] : [idNoteKey(id)]));
    const takenIds = await this.#notes(ids);
    for (const event of events) {
      const { document, id } = event;
      const same = id === undefined ? undefined : takenIds.get(nameOf(idNoteKey(id)));
      if (same !== undefined && !isDescendant(document, same)) this.#leave('repeat');
      else {
        this.#kept.push(event);
        this.#bytes += document.bytes.length;
      }
    }
  }

  async #notes(keys: readonly ItemKey[]): Promise<ReadonlyMap<string, RedriveNote>> {
    const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()];
    const results = await retryFailed(this.#context, distinct, (open) =>
      this.#source.ledger.get(open, this.#context),
    );
    const found = new Map<string, RedriveNote>();
    for (const [index, key] of distinct.entries()) {
      const result = results[index];
      if (result?.status !== 'read') throw result?.error;
      if (result.item !== undefined) found.set(nameOf(key), decodeNote(result.item));
    }
    return found;
  }

  /** In the order of arrival; of the documents of one event the first. */
  #withoutRepeats(): readonly PlannedEvent[] {
    const seen = new Set<string>();
    return this.#kept.sort(inOrder).filter(({ id }) => {
      if (id === undefined) return true;
      const name = nameOf(idNoteKey(id));
      if (seen.has(name)) this.#leave('repeat');
      return seen.size < seen.add(name).size;
    });
  }

  async #withoutCounted(events: readonly PlannedEvent[]): Promise<readonly PlannedEvent[]> {
    const { ledger, program } = this.#source;
    const sought = events.flatMap(({ id, ...event }) => (id === undefined ? [] : { ...event, id }));
    const counted = await countedEvents(
      { ledger, settings: program.settings },
      sought,
      this.#context,
    );
    const names = new Set([...counted].map(({ document }) => documentName(document)));
    this.#leftOut.counted += names.size;
    return events.filter(({ document }) => !names.has(documentName(document)));
  }
}

/** A document that a job left behind of an event which it had taken, because the pipeline was changed meanwhile. */
function isDescendant({ writer, position }: QuarantineDocument, note: RedriveNote): boolean {
  return isRedriveWriter(writer) && position === note.position;
}

function inOrder(left: PlannedEvent, right: PlannedEvent): number {
  if (left.arrivalMs !== right.arrivalMs) return left.arrivalMs - right.arrivalMs;
  const [a, b] = [left, right].map(({ document }) => documentNoteKey(document));
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function nameOf(key: ItemKey | undefined): string {
  return `${key?.pk} ${key?.sk}`;
}
