import type { QuarantineDocument } from '../core/quarantine.ts';
import { decodeNote, documentNoteKey, type RedriveJob } from '../core/redrive.ts';
import type { Table } from '../ports/table.ts';
import { redriveJobs } from './redrive-jobs.ts';
import { type RetryContext, retryFailed } from './retry.ts';

/** A refused event, and the job that took it. */
export interface TracedDocument {
  readonly document: QuarantineDocument;
  /** Undefined where none did. */
  readonly job: RedriveJob | undefined;
}

/** Documents whose notes are read together. */
const CHUNK = 100;

/** Says of each document which job took it, if one did. @throws TransientError, DeadlineError */
export async function* tracedDocuments(
  ledger: Table,
  documents: AsyncIterable<QuarantineDocument>,
  context: RetryContext,
): AsyncGenerator<TracedDocument> {
  const jobs = new Map((await redriveJobs(ledger, context)).map((job) => [job.number, job]));
  let chunk: QuarantineDocument[] = [];
  for await (const document of documents) {
    chunk.push(document);
    if (chunk.length < CHUNK) continue;
    yield* await traced(ledger, { chunk, jobs }, context);
    chunk = [];
  }
  yield* await traced(ledger, { chunk, jobs }, context);
}

async function traced(
  ledger: Table,
  {
    chunk,
    jobs,
  }: {
    readonly chunk: readonly QuarantineDocument[];
    readonly jobs: ReadonlyMap<number, RedriveJob>;
  },
  context: RetryContext,
): Promise<readonly TracedDocument[]> {
  const keys = chunk.map(documentNoteKey);
  const results = await retryFailed(context, keys, (open) => ledger.get(open, context));
  return chunk.map((document, index) => {
    const result = results[index];
    if (result?.status !== 'read') throw result?.error;
    const { item } = result;
    return { document, job: item === undefined ? undefined : jobs.get(decodeNote(item).job) };
  });
}
