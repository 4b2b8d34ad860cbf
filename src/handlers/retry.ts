import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { isTransient } from './transient.ts';

/** What bounds retries within one invocation. */
export interface RetryContext {
  readonly clock: Clock;
  readonly random: Random;
  /** No try starts at or after this time; milliseconds since 1970 UTC. */
  readonly deadlineMs: number;
}

/** First and longest pause between tries, milliseconds. */
const PAUSE_FIRST_MS = 50;
const PAUSE_MAX_MS = 2_000;

/** Most tries of one call; the deadline usually comes first. */
export const ATTEMPTS_MAX = 12;

/**
 * Waits before try number `attempt` (1 is the first repeat) with full jitter: a random time up to an
 * exponentially growing bound, so that many clients don't come back at once
 * (AWS Architecture Blog, "Exponential Backoff And Jitter").
 *
 * @returns false when there is no time left for the pause, and it did not wait
 */
export async function pause(context: RetryContext, attempt: number): Promise<boolean> {
  const bound = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** (attempt - 1));
  const ms = Math.floor(context.random.next() * bound);
  if (attempt >= ATTEMPTS_MAX || context.clock.now() + ms >= context.deadlineMs) return false;
  await context.clock.sleep(ms);
  return true;
}

/** Repeats a call that throws a TransientError, until time or tries run out: then throws the last one. */
export async function retryCall<Result>(
  context: RetryContext,
  call: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isTransient(error) || !(await pause(context, attempt))) throw error;
    }
  }
}

/**
 * Sends inputs, and those whose result is `failed` again, until none failed or time or tries run out.
 *
 * @returns one result an input, in their order
 */
export async function retryFailed<Input, Result extends { readonly status: string }>(
  context: RetryContext,
  inputs: readonly Input[],
  send: (inputs: readonly Input[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const results = new Map<Input, Result>();
  let open = inputs;
  for (let attempt = 1; open.length > 0; attempt += 1) {
    const answers = await send(open);
    for (const [index, input] of open.entries()) {
      const answer = answers[index];
      if (answer !== undefined) results.set(input, answer);
    }
    open = open.filter((input) => results.get(input)?.status === 'failed');
    if (open.length > 0 && !(await pause(context, attempt))) break;
  }
  return inputs.flatMap((input) => results.get(input) ?? []);
}
