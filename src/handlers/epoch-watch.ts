import { MillraceError } from '../core/errors.ts';
import { epochOf } from '../core/writer.ts';
import type { Stream } from '../ports/stream.ts';
import type { RetryContext } from './retry.ts';
import { retryCall } from './retry.ts';

/** The stream was deleted and made again while this container lived. */
export class StreamRecreatedError extends MillraceError {
  override readonly name = 'StreamRecreatedError';

  constructor(before: string, now: string) {
    super(
      'stream-recreated',
      `stream: got epoch ${now}, expected ${before}; nothing was written, the next invocation starts the new epoch's writers`,
      { fields: { before, now } },
    );
  }
}

/** How long an answer is believed, milliseconds. */
const BELIEVED_MS = 60_000;

/**
 * Knows the stream's epoch, and asks again each minute.
 *
 * Invariant: a change of epoch throws once, before anything is written under either name, and forgets
 * what it knew, so that the next invocation starts anew.
 */
export class EpochWatch {
  readonly #stream: Stream;
  #epoch: string | undefined;
  #askedMs = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** @throws StreamRecreatedError, TransientError, DeadlineError */
  async current(context: RetryContext): Promise<string> {
    const now = context.clock.now();
    if (this.#epoch !== undefined && Math.abs(now - this.#askedMs) < BELIEVED_MS)
      return this.#epoch;
    const identity = await retryCall(context, () => this.#stream.identify(context));
    const epoch = epochOf(identity);
    const before = this.#epoch;
    this.#epoch = before === undefined || before === epoch ? epoch : undefined;
    this.#askedMs = now;
    if (before !== undefined && before !== epoch) throw new StreamRecreatedError(before, epoch);
    return epoch;
  }
}
