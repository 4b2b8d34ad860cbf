import { InvariantError, show } from '../core/errors.ts';
import { checkChoice, type RedriveChoice } from '../core/redrive.ts';

/** What the function can be asked to do. */
export type RedriveRequest =
  /** What would a job take? Changes nothing. */
  | { readonly action: 'look'; readonly choice: RedriveChoice }
  /** Adds a job. `by`: who asks, 1 to 300 characters. */
  | { readonly action: 'ask'; readonly choice: RedriveChoice; readonly by: string }
  /** Goes on, for some seconds: with the jobs before it first. */
  | { readonly action: 'run'; readonly job: number }
  /** Ends a job that nobody has planned yet. */
  | { readonly action: 'cancel'; readonly job: number };

const BY_LENGTH_MAX = 300;

/** Reads what an invocation was given. @throws InvariantError when it is no request */
export function parseRedriveRequest(value: unknown): RedriveRequest {
  const { action, choice, by, job } = Object(value);
  if (action === 'look') return { action, choice: checkChoice(choice) };
  if (action === 'ask' && isName(by)) return { action, choice: checkChoice(choice), by };
  if ((action === 'run' || action === 'cancel') && Number.isInteger(job)) return { action, job };
  throw new InvariantError(
    `redrive: got ${show(value)}, expected look or ask with a choice and who asks, run or cancel with a job's number; use: npx millrace redrive`,
  );
}

function isName(by: unknown): by is string {
  return typeof by === 'string' && by.length >= 1 && by.length <= BY_LENGTH_MAX;
}
