import { DeadlineError, InvariantError, TransientError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SendOptions } from '../../ports/table.ts';

/**
 * Settings of every AWS client: one attempt a call, as the handlers do the retries and the deadline
 * must hold for each send (exactly-once rule 9).
 */
export const CLIENT_DEFAULTS = { maxAttempts: 1 } as const;

/** Longest wait for one answer, milliseconds. */
const REQUEST_MS_MAX = 10_000;

/** Errors that are a mistake of ours: the same call fails again. */
const PERMANENT = new Set([
  'ValidationException',
  'ResourceNotFoundException',
  'AccessDeniedException',
  'NoSuchBucket',
  'AccessDenied',
  'InvalidArgumentException',
]);

/** What sends are bounded by. */
export interface SendContext extends SendOptions {
  readonly clock: Clock;
}

/**
 * Sends one request, unless the deadline has passed, and gives up waiting at the deadline.
 *
 * @param operation named in errors, such as `Query ledger`
 * @throws DeadlineError before sending; TransientError when the service refused or did not answer;
 *   InvariantError for what can't go through later
 */
export async function sendOnce<Output>(
  operation: string,
  context: SendContext,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> {
  const leftMs = context.deadlineMs - context.clock.now();
  if (leftMs <= 0) throw new DeadlineError(operation);
  try {
    return await send({ abortSignal: AbortSignal.timeout(Math.min(leftMs, REQUEST_MS_MAX)) });
  } catch (error) {
    // What was answered can't be read.
    if (error instanceof InvariantError) throw error;
    throw classify(operation, error);
  }
}

/** The answer, or the error that says nothing about the items: they may be there or not. */
export async function settled<Output>(
  operation: string,
  context: SendContext,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output | Error> {
  try {
    return await sendOnce(operation, context, send);
  } catch (error) {
    if (error instanceof Error && !(error instanceof InvariantError)) return error;
    throw error;
  }
}

/** What a failed call means for the caller. */
export function classify(operation: string, error: unknown): Error {
  const name = error instanceof Error ? error.name : String(error);
  const message = `${operation}: ${name}`;
  if (PERMANENT.has(name)) {
    const detail = error instanceof Error ? error.message : '';
    return new InvariantError(`${message}: ${detail}`, {
      cause: error,
      fields: { operation, name },
    });
  }
  return new TransientError(`${message}; the same call may go through later`, {
    cause: error,
    fields: { operation, name },
  });
}

/** Splits a list into runs of at most `size`. */
export function chunk<Value>(
  values: readonly Value[],
  size: number,
): readonly (readonly Value[])[] {
  const count = Math.ceil(values.length / size);
  return Array.from({ length: count }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
