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
  /** Where the documents are: the pipeline's name, or what `quarantineFolder` gives. */
  readonly folder: string;
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
  #kept: readonly PlannedEvent[] = [];
  #bytes = 0;

  constructor(source: PlanSource, request: PlanRequest, context: RetryContext) {
    this.#source = source;
    this.#request = request;
    this.#context = context;
    this.#program = redriveProgram(source.program, request.createdMs);
  }

  async plan(): Promise<PlanResult> {
    const { limit } = this.#request.choice;
    const documents = this.#documents();
    let isWhole = false;
    // What was counted is known late. Ever more is read at once: each look into the ledgers reads all of them.
    for (let chunks = 1; !isWhole && this.#kept.length < limit && this.#hasRoom; chunks *= 2) {
      isWhole = await this.#collect(documents, chunks);
      this.#keep(await this.#withoutCounted(this.#withoutRepeats()));
    }
    const events = this.#kept.slice(0, limit);
    const taken = new Clusters();
    for (const { document } of events) taken.add(document);
    const findings = {
      events: events.length,
      taken: taken.sorted,
      refused: this.#refused.sorted,
      leftOut: this.#leftOut,
      complete: isWhole && this.#kept.length <= limit,
    };
    return { events, findings };
  }

  /** Time and memory for more. */
  get #hasRoom(): boolean {
    return this.#bytes < PLAN_BYTES_MAX && this.#context.clock.now() < this.#request.stopMs;
  }

  #keep(events: readonly PlannedEvent[]): void {
    this.#kept = events;
    this.#bytes = events.reduce((sum, { document }) => sum + document.bytes.length, 0);
  }

  #documents(): AsyncGenerator<QuarantineDocument> {
    const { program, quarantine, folder } = this.#source;
    const { reason, ...range } = this.#request.choice;
    const filter = {
      ...range,
      ...(reason === undefined ? {} : { reason }),
      pipeline: folder,
      limit: Number.POSITIVE_INFINITY,
      streamMs: program.settings.retention.streamMs,
    };
    return quarantinedDocuments(quarantine, filter, this.#context);
  }

  /** Reads documents: so many chunks, and until the limit is reached; true at the end of all. */
  async #collect(documents: AsyncGenerator<QuarantineDocument>, chunks: number): Promise<boolean> {
    const { limit } = this.#request.choice;
    for (let read = 0; read < chunks || this.#kept.length < limit; read += 1) {
      if (!this.#hasRoom) return false;
      const chunk: QuarantineDocument[] = [];
      while (chunk.length < CHUNK) {
        const next = await documents.next();
        if (next.done === true) break;
        chunk.push(next.value);
      }
      await this.#keepNew(chunk);
      if (chunk.length < CHUNK) return true;
    }
    return false;
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
    const kept: PlannedEvent[] = [];
    for (const event of events) {
      const { document, id } = event;
      const same = id === undefined ? undefined : takenIds.get(nameOf(idNoteKey(id)));
      if (same !== undefined && !isDescendant(document, same)) this.#leave('repeat');
      else kept.push(event);
    }
    this.#keep([...this.#kept, ...kept]);
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
    return [...this.#kept].sort(inOrder).filter(({ id }) => {
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
