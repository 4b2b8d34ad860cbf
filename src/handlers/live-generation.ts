import {
  decodeLive,
  encodeLive,
  LIVE_ATTRIBUTE,
  LIVE_KEY,
  type LiveGeneration,
} from '../core/generation.ts';
import type { Item, Table } from '../ports/table.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';

/** Which generation readers look at. @param ledger of the data stack @throws TransientError */
export async function liveGeneration(
  ledger: Pick<Table, 'query'>,
  context: RetryContext,
): Promise<LiveGeneration> {
  return decodeLive(await stored(ledger, context));
}

/**
 * Makes a generation the live one, unless another swap came between.
 *
 * @returns what is live now: who wanted another one, reads and tries again
 * @throws TransientError: it may have been swapped or not
 */
export async function swapGeneration(
  ledger: Table,
  to: string,
  context: RetryContext,
): Promise<LiveGeneration> {
  const item = await stored(ledger, context);
  const now = decodeLive(item);
  if (now.live === to) return now;
  const swapped: LiveGeneration = { live: to, before: now.live };
  const condition =
    item === undefined
      ? ({ type: 'absent' } as const)
      : ({ type: 'equals', attribute: LIVE_ATTRIBUTE, value: now.live } as const);
  const write = { item: encodeLive(swapped), condition };
  const [result] = await retryFailed(context, [write], (writes) => ledger.putIf(writes, context));
  if (result?.status === 'failed') throw result.error;
  return result?.status === 'written' ? swapped : liveGeneration(ledger, context);
}

async function stored(
  ledger: Pick<Table, 'query'>,
  context: RetryContext,
): Promise<Item | undefined> {
  const { pk, sk } = LIVE_KEY;
  const { items } = await retryCall(context, () => ledger.query({ pk }, context));
  return items.find((item) => item.sk === sk);
}
