import { QUARANTINE_PREFIX } from './contract.ts';
import { InvariantError, show } from './errors.ts';
import type { StoredItem } from './item.ts';
import type { InputRecord } from './plan.ts';
import { encodePosition, sortablePosition } from './position.ts';
import type { SchemaIssue } from './program.ts';
import type { Rejection, RejectionReason, RejectionStage } from './rejection.ts';

/** Format version of quarantine documents and index items. */
export const QUARANTINE_FORMAT = 1;

/** Everything that is kept of a refused record: enough to understand it and to bring it back. */
export interface QuarantineDocument {
  readonly v: typeof QUARANTINE_FORMAT;
  readonly pipeline: string;
  /** Fingerprint of the pipeline that refused it. */
  readonly fingerprint: string;
  readonly reason: RejectionReason;
  readonly stage: RejectionStage;
  readonly issues: readonly SchemaIssue[];
  readonly writer: string;
  /** `shard:sequence:index` within the writer. */
  readonly position: string;
  readonly partitionKey: string;
  /** ISO 8601, UTC. */
  readonly arrival: string;
  readonly eventTime?: string;
  readonly source?: string;
  readonly id?: string;
  /** Lambda's request id and the trace of the invocation that refused it. */
  readonly requestId: string;
  readonly traceId?: string;
  /** The record's bytes, base64. */
  readonly bytes: string;
}

/** @throws InvariantError when the line is not a document of this format */
export function decodeDocument(line: string): QuarantineDocument {
  const document: Partial<QuarantineDocument> = JSON.parse(line);
  if (document.v === QUARANTINE_FORMAT) return document as QuarantineDocument;
  throw new InvariantError(
    `quarantine document: got format version ${show(document.v)}, expected ${QUARANTINE_FORMAT}; use the version of Millrace that wrote it, or a newer one`,
  );
}

/** Start of the keys of a day's objects. @param folder the pipeline's name, or what `quarantineFolder` gives */
export function quarantineDayPrefix(folder: string, dayMs: number): string {
  return `${QUARANTINE_PREFIX}${folder}/${new Date(dayMs).toISOString().slice(0, 10)}/`;
}

/** What a document is made from. */
export interface QuarantineCase {
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly writer: string;
  readonly partitionKey: string;
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly record: InputRecord;
  readonly rejection: Rejection;
}

/** The document of a refused record. */
export function quarantineDocument(found: QuarantineCase): QuarantineDocument {
  const { record, rejection } = found;
  return {
    v: QUARANTINE_FORMAT,
    pipeline: found.pipeline,
    fingerprint: found.fingerprint,
    reason: rejection.reason,
    stage: rejection.stage,
    issues: rejection.issues,
    writer: found.writer,
    position: encodePosition(record.position),
    partitionKey: found.partitionKey,
    arrival: new Date(record.arrivalMs).toISOString(),
    ...(rejection.eventTimeMs === undefined ? {} : timeOf(rejection.eventTimeMs)),
    ...(rejection.source === undefined ? {} : { source: rejection.source }),
    ...(rejection.id === undefined ? {} : { id: rejection.id }),
    requestId: found.requestId,
    ...(found.traceId === undefined ? {} : { traceId: found.traceId }),
    bytes: Buffer.from(record.bytes).toString('base64'),
  };
}

/** An event time beyond what a date can hold is left out; the bytes have it. */
function timeOf(timeMs: number): { eventTime?: string } {
  return Math.abs(timeMs) <= 8.64e15 ? { eventTime: new Date(timeMs).toISOString() } : {};
}

/**
 * Where the documents of one writer and prefix go: by day of the first one's arrival, named by first
 * and last position, so that writing the same again replaces it and other boundaries do no harm.
 */
export function quarantineObjectKey(
  folder: string,
  documents: readonly QuarantineDocument[],
): string {
  const [first] = documents;
  const last = documents.at(-1);
  const prefix = quarantineDayPrefix(folder, Date.parse(first?.arrival ?? ''));
  return `${prefix}${first?.writer ?? ''}/${first?.position ?? ''}-${last?.position ?? ''}.jsonl`;
}

/**
 * The index item of one document: found by writer and position, tells reason and where the document
 * is. Attributes: o object, l line (from 0), r reason, g stage, m first issue's path, a arrival, i id.
 */
export function quarantineIndexItem(
  document: QuarantineDocument,
  found: {
    readonly record: InputRecord;
    readonly object: string;
    readonly line: number;
    readonly ttlSeconds: number;
  },
): StoredItem {
  return {
    pk: document.writer,
    sk: sortablePosition(found.record.position),
    v: QUARANTINE_FORMAT,
    o: found.object,
    l: found.line,
    r: document.reason,
    g: document.stage,
    m: document.issues[0]?.path ?? '',
    a: found.record.arrivalMs,
    i: document.id ?? '',
    ttl: found.ttlSeconds,
  };
}
