import {
  type ArchiveTail,
  decodeTail,
  encodeTail,
  TAIL_POSITION,
  tailKey,
  tailPartition,
} from '../core/archive-tail.ts';
import { TransientError } from '../core/errors.ts';
import { compareSequences } from '../core/position.ts';
import type { ConditionalWrite, Item, Table } from '../ports/table.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';

/** Tries against other archivers; each loss means that another one made progress. */
const LOSSES_MAX = 20;

/** Where a tail is. */
export interface TailName {
  readonly epoch: string;
  readonly shard: number;
}

/** A shard's tail, or undefined where nothing of it is archived. @throws TransientError, DeadlineError */
export async function readTail(
  ledger: Table,
  { epoch, shard }: TailName,
  context: RetryContext,
): Promise<ArchiveTail | undefined> {
  const key = { pk: tailPartition(epoch), sk: tailKey(shard) };
  const [result] = await retryFailed(context, [key], (keys) => ledger.get(keys, context));
  if (result?.status === 'failed') throw result.error;
  return result?.item === undefined ? undefined : decodeTail(result.item);
}

/** The tails of all shards of an epoch. @throws TransientError, DeadlineError */
export async function readTails(
  ledger: Table,
  epoch: string,
  context: RetryContext,
): Promise<readonly ArchiveTail[]> {
  const items: Item[] = [];
  let after: string | undefined;
  do {
    const query = { pk: tailPartition(epoch), ...(after === undefined ? {} : { after }) };
    const page = await retryCall(context, () => ledger.query(query, context));
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items.map(decodeTail);
}

/**
 * Moves a shard's tail to where `reached` is, unless it is further already.
 *
 * Invariant: a tail never goes back. It is written only while it is the one that was read; whoever moved
 * it in between had made durable what is up to there, so going on from its tail is right.
 *
 * @param read what `readTail` gave
 * @throws TransientError, DeadlineError: it may have moved or not
 */
export async function moveTail(
  ledger: Table,
  { read, reached }: { readonly read: ArchiveTail | undefined; readonly reached: ArchiveTail },
  context: RetryContext,
): Promise<void> {
  let before = read;
  for (let losses = 0; losses < LOSSES_MAX; losses += 1) {
    if (before !== undefined && compareSequences(before.last, reached.last) >= 0) return;
    const write = tailWrite(before, before === undefined ? reached : joined(before, reached));
    const [result] = await retryFailed(context, [write], (some) => ledger.putIf(some, context));
    if (result?.status === 'written') return;
    if (result?.status === 'failed') throw result.error;
    before =
      result?.current === undefined
        ? await readTail(ledger, reached, context)
        : decodeTail(result.current);
  }
  throw new TransientError(
    `archive tail of shard ${reached.shard}: lost ${LOSSES_MAX} times against other archivers; the records come again`,
  );
}

/** Notes that nothing had arrived after the tail until `knownMs`; false when the tail has moved. */
export async function renewTail(
  ledger: Table,
  tail: ArchiveTail,
  context: RetryContext & { readonly knownMs: number },
): Promise<boolean> {
  const write = tailWrite(tail, { ...tail, knownMs: Math.max(tail.knownMs, context.knownMs) });
  const [result] = await retryFailed(context, [write], (some) => ledger.putIf(some, context));
  if (result?.status === 'failed') throw result.error;
  return result?.status === 'written';
}

function tailWrite(before: ArchiveTail | undefined, tail: ArchiveTail): ConditionalWrite {
  return {
    item: encodeTail(tail),
    condition:
      before === undefined
        ? { type: 'absent' }
        : { type: 'equals', attribute: TAIL_POSITION, value: before.last },
  };
}

/** The tail further on: the first record stays, and what was known of the time stays known. */
function joined(before: ArchiveTail, reached: ArchiveTail): ArchiveTail {
  const isEarlier = compareSequences(reached.first, before.first) < 0;
  const { first, firstArrivalMs } = isEarlier ? reached : before;
  return { ...reached, first, firstArrivalMs, knownMs: Math.max(before.knownMs, reached.knownMs) };
}
