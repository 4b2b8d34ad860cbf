import { documentName } from '../core/cluster.ts';
import {
  decodeDocument,
  type QuarantineDocument,
  quarantineDayPrefix,
} from '../core/quarantine.ts';
import type { RejectionReason } from '../core/rejection.ts';
import type { Bucket } from '../ports/bucket.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Which refused events. */
export interface QuarantineFilter {
  readonly pipeline: string;
  /** Arrivals in [fromMs, toMs), milliseconds since 1970 UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason?: RejectionReason;
  /** At most so many. */
  readonly limit: number;
  /** Retention of the stream: a batch spans no more, and its object stands under the day of its first record. */
  readonly streamMs: number;
}

const DAY_MS = 86_400_000;

/** Objects that are read at the same time, and are in memory then; each has at most 8 MB. */
const OBJECTS_AT_ONCE = 8;

/**
 * The documents of refused events in the order of days, once each: a try with other boundaries leaves
 * copies. A few objects are in memory at a time, and the names of what was given.
 *
 * @throws TransientError
 */
export async function* quarantinedDocuments(
  bucket: Bucket,
  filter: QuarantineFilter,
  context: RetryContext,
): AsyncGenerator<QuarantineDocument> {
  const given = new Set<string>();
  for await (const keys of objectKeys(bucket, filter, context)) {
    const bodies = await Promise.all(
      keys.map((key) => retryCall(context, () => bucket.get(key, context))),
    );
    for (const document of bodies.flatMap(documentsIn)) {
      const name = documentName(document);
      if (!fits(document, filter) || given.has(name)) continue;
      given.add(name);
      yield document;
      if (given.size >= filter.limit) return;
    }
  }
}

async function* objectKeys(
  bucket: Bucket,
  { pipeline, fromMs, toMs, streamMs }: QuarantineFilter,
  context: RetryContext,
): AsyncGenerator<readonly string[]> {
  for (let dayMs = startOfDay(fromMs - streamMs); dayMs < toMs; dayMs += DAY_MS) {
    const prefix = quarantineDayPrefix(pipeline, dayMs);
    let after: string | undefined;
    do {
      const query = after === undefined ? { prefix } : { prefix, after };
      const page = await retryCall(context, () => bucket.list(query, context));
      for (let at = 0; at < page.keys.length; at += OBJECTS_AT_ONCE) {
        yield page.keys.slice(at, at + OBJECTS_AT_ONCE);
      }
      after = page.next;
    } while (after !== undefined);
  }
}

/** The documents of an object, one a line. @throws InvariantError for one of another format */
export function documentsIn(body: Uint8Array | undefined): readonly QuarantineDocument[] {
  const lines = new TextDecoder().decode(body).split('\n');
  return lines.filter((line) => line !== '').map(decodeDocument);
}

function fits({ arrival, reason }: QuarantineDocument, filter: QuarantineFilter): boolean {
  const arrivalMs = Date.parse(arrival);
  const within = arrivalMs >= filter.fromMs && arrivalMs < filter.toMs;
  return within && (filter.reason === undefined || filter.reason === reason);
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
