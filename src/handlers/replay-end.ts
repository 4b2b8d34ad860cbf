import type { ArchiveTail } from '../core/archive-tail.ts';
import { MillraceError } from '../core/errors.ts';
import type { ReplayPorts } from './ports.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** How much sooner than its retention says the stream may be taken to forget, milliseconds: time to start a mapping in. */
const MARGIN_MS = 3_600_000;

/**
 * True when the stream still holds every record that arrived after those up to these tails. Of a shard without a
 * tail nothing was ever archived: what the stream forgot of it, nobody has.
 */
export async function isInStream(
  ports: Pick<ReplayPorts, 'clock' | 'shards'>,
  tails: readonly ArchiveTail[],
  context: RetryContext & { readonly streamMs: number },
): Promise<boolean> {
  const listed = new Set(await retryCall(context, () => ports.shards.list(context)));
  const forgottenMs = ports.clock.now() - context.streamMs + MARGIN_MS;
  // Of a shard that isn't listed any more nothing can come.
  return tails.every(({ shard, knownMs }) => !listed.has(shard) || knownMs >= forgottenMs);
}

/** Where writers are shards, a child goes on with its parents' ids, and only the stream knows which those are. */
export class UnknownLineageError extends MillraceError {
  override readonly name = 'UnknownLineageError';

  constructor(shards: readonly string[]) {
    super(
      'unknown-lineage',
      `replay: got shards ${shards.join(', ')} which the stream doesn't list any more, expected those of this stream within its retention, as producers choose their own partition keys; replay from a later time on`,
      { fields: { shards } },
    );
  }
}

/** @throws UnknownLineageError when some shard of a range isn't listed by the stream any more */
export async function checkLineage(
  ports: Pick<ReplayPorts, 'shards'>,
  tails: readonly ArchiveTail[],
  context: RetryContext & { readonly current: string; readonly fromMs: number },
): Promise<void> {
  const listed = new Set(await retryCall(context, () => ports.shards.list(context)));
  const gone = tails
    .filter(({ lastArrivalMs }) => lastArrivalMs >= context.fromMs)
    .filter(({ epoch, shard }) => epoch !== context.current || !listed.has(shard));
  if (gone.length > 0) {
    throw new UnknownLineageError(gone.map(({ epoch, shard }) => `${epoch} ${shard}`));
  }
}
