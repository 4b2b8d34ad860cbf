import { type Refusal, type RejectionReason, refuse } from './rejection.ts';

const REASON_OF_STAGE = {
  validate: 'schema',
  time: 'transform',
  transform: 'transform',
} as const satisfies Record<string, RejectionReason>;

/** A stage in which the user's code runs. */
export type GuardedStage = keyof typeof REASON_OF_STAGE;

/** Runs the user's code: what it throws refuses the record. @throws Refusal */
export function guarded<Result>(stage: GuardedStage, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw refusalOf(stage, error);
  }
}

/** The refusal of a record for which the user's code threw. */
export function refusalOf(stage: GuardedStage, thrown: unknown): Refusal {
  const text =
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'threw no error object';
  return refuse(REASON_OF_STAGE[stage], stage, { path: '', message: text.slice(0, 300) });
}
