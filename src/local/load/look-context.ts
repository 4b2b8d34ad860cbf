import { systemClock } from '../../adapters/aws/clock.ts';
import { systemRandom } from '../../adapters/aws/random.ts';
import type { RetryContext } from '../../handlers/retry.ts';

/** Time for one look into the tables, milliseconds. */
const LOOK_MS = 10_000;

/** What bounds one look into the tables. */
export function lookContext(): RetryContext {
  return { clock: systemClock, random: systemRandom, deadlineMs: systemClock.now() + LOOK_MS };
}
