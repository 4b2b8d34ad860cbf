import { TransientError } from '../core/errors.ts';
import type { VirtualClock } from './clock.ts';
import type { Send } from './container.ts';
import type { Dice } from './dice.ts';
import { LATE_MS } from './faults.ts';

/** What a service is reached through whose requests carry items with luck of their own. */
export interface ItemPath {
  readonly send: Send;
  readonly clock: VirtualClock;
  readonly dice: Dice;
}

/** An item that was not taken, or of which nobody was told. */
export interface FailedItem {
  readonly status: 'failed';
  readonly error: Error;
}

/** Puts one item of a request: it may be refused, taken later, or its answer may be lost. */
export async function putWithLuck<Result>(
  { dice, clock }: ItemPath,
  step: string,
  put: () => Promise<readonly Result[]>,
): Promise<Result | FailedItem> {
  const luck = dice.oneOf(['refuse', 'loseAnswer', 'applyLate'], step);
  if (luck === 'refuse') return failedItem(step, luck);
  if (luck === 'applyLate') {
    clock.at(clock.now() + dice.upTo(LATE_MS), put);
    return failedItem(step, luck);
  }
  const [result = failedItem(step, 'no answer')] = await put();
  return luck === 'loseAnswer' ? failedItem(step, luck) : result;
}

/** What is answered of an item that was not taken. */
export function failedItem(step: string, why: string): FailedItem {
  return { status: 'failed', error: new TransientError(`${step}: simulated ${why}`) };
}
