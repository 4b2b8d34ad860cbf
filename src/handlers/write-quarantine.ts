import {
  type QuarantineDocument,
  quarantineDocument,
  quarantineIndexItem,
  quarantineObjectKey,
} from '../core/quarantine.ts';
import type { Rejection } from '../core/rejection.ts';
import { seconds } from './lifetimes.ts';
import { retryCall, retryFailed } from './retry.ts';
import { endsTry } from './transient.ts';
import {
  firstError,
  type SourceRecord,
  type Unwritten,
  type WriteContext,
} from './write-context.ts';

/** A refused record and its place among the decisions. */
export interface RefusedRecord {
  readonly ordinal: number;
  readonly record: SourceRecord;
  readonly rejection: Rejection;
}

/** Largest object of documents in bytes; a batch's payload is at most 6 MB, base64 included. */
const OBJECT_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Makes the refused records durable: one object for the writer and prefix, then one index item a
 * record. Idempotent: the names come from the positions.
 *
 * @returns the refused records that may not be durable
 */
export async function writeQuarantine(
  context: WriteContext,
  refused: readonly RefusedRecord[],
): Promise<Unwritten<RefusedRecord>> {
  const chunks = chunksOf(context, refused);
  for (const [index, chunk] of chunks.entries()) {
    const { records, error } = await writeChunk(context, chunk);
    if (records.length === 0) continue;
    const left = [...records, ...chunks.slice(index + 1).flat()];
    return { records: left.map((one) => one.refused), error };
  }
  return { records: [], error: undefined };
}

interface Case {
  readonly refused: RefusedRecord;
  readonly document: QuarantineDocument;
  readonly line: string;
}

function chunksOf(context: WriteContext, refused: readonly RefusedRecord[]): readonly Case[][] {
  const chunks: Case[][] = [];
  let bytes = OBJECT_BYTES_MAX;
  for (const one of refused) {
    const document = describe(context, one);
    const line = JSON.stringify(document);
    bytes += line.length;
    if (bytes > OBJECT_BYTES_MAX) {
      chunks.push([]);
      bytes = line.length;
    }
    chunks.at(-1)?.push({ refused: one, document, line });
  }
  return chunks;
}

function describe(context: WriteContext, { record, rejection }: RefusedRecord): QuarantineDocument {
  return quarantineDocument({
    pipeline: context.program.name,
    fingerprint: context.program.fingerprintAt(record.arrivalMs),
    writer: context.writer,
    partitionKey: record.partitionKey,
    requestId: context.invocation.requestId,
    traceId: context.invocation.traceId,
    record,
    rejection,
  });
}

async function writeChunk(context: WriteContext, chunk: readonly Case[]): Promise<Unwritten<Case>> {
  const object = quarantineObjectKey(
    context.ports.quarantineFolder ?? context.program.name,
    chunk.map(({ document }) => document),
  );
  const body = new TextEncoder().encode(`${chunk.map(({ line }) => line).join('\n')}\n`);
  try {
    await retryCall(context, () =>
      context.ports.quarantine.put(object, body, 'application/x-ndjson', context),
    );
  } catch (error) {
    if (endsTry(error)) return { records: chunk, error };
    throw error;
  }
  return writeIndex(context, chunk, object);
}

async function writeIndex(
  context: WriteContext,
  chunk: readonly Case[],
  object: string,
): Promise<Unwritten<Case>> {
  const nowMs = context.clock.now();
  const items = chunk.map(({ refused, document }, line) =>
    quarantineIndexItem(document, {
      record: refused.record,
      object,
      line,
      ttlSeconds: seconds(nowMs + context.program.settings.retention.quarantineMs),
    }),
  );
  const results = await retryFailed(context, items, (open) =>
    context.ports.quarantineIndex.putAll(open, context),
  );
  return {
    records: chunk.filter((_, index) => results[index]?.status !== 'written'),
    error: firstError(results),
  };
}
