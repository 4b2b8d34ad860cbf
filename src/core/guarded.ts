import { type RejectionReason, refuse } from './rejection.ts';

const REASON_OF_STAGE = {
  validate: 'schema',
  time: 'transform',
  transform: 'transform',
} as const satisfies Record<string, RejectionReason>;

/** Runs the user's code: what it throws refuses the record. @throws Refusal */
export function guarded<Result>(stage: keyof typeof REASON_OF_STAGE, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    const text =
      error instanceof Error ? `${error.name}: ${error.message}` : 'threw no error object';
    throw refuse(REASON_OF_STAGE[stage], stage, { path: '', message: text.slice(0, 300) });
  }
}
