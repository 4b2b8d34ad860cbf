import { CLOSING_THROUGH, encodeRequest, finalAt } from '../core/closing.ts';
import { TransientError } from '../core/errors.ts';
import { numberIn } from '../core/item.ts';
import type { PackPlan } from '../core/plan-packs.ts';
import { packPosition } from '../core/position.ts';
import { isRedriveWriter } from '../core/writer.ts';
import type { Head } from './head.ts';
import { cellTtlSeconds } from './lifetimes.ts';
import { retryFailed } from './retry.ts';
import type { SourceRecord, WriteContext } from './write-context.ts';

/** A prefix whose cells are durable and whose ledger entry is not written yet. */
export interface Folded {
  readonly head: Head;
  readonly packs: Iterable<PackPlan>;
  /** Number of records in the prefix, and the last one. */
  readonly prefix: number;
  readonly last: SourceRecord;
}

/**
 * Asks for another look at the windows that were closed without waiting for this writer, as its head says.
 * After the cells, before the ledger entry: a record counts as finished only when its window will be looked
 * at again.
 *
 * @throws TransientError when a request may not be there
 */
export async function requestRevisions(context: WriteContext, folded: Folded): Promise<void> {
  const { program, clock } = context;
  const throughMs = await closedThrough(context, folded.head);
  if (throughMs === undefined) return;
  const items = [...windowsOf(folded, throughMs)].map(([, { pack, windowMs, endMs }]) =>
    encodeRequest(
      {
        aggregate: pack.aggregate.name,
        windowMs,
        writer: context.writer,
        position: packPosition(folded.last.position),
      },
      'open',
      cellTtlSeconds(program.settings, pack.aggregate, { endMs, nowMs: clock.now() }),
    ),
  );
  if (items.length === 0) return;
  const results = await retryFailed(context, items, (open) =>
    context.ports.aggregates.putAll(open, context),
  );
  const failed = results.find(({ status }) => status !== 'written');
  if (failed === undefined) return;
  throw new TransientError(
    `closed windows of ${context.writer}: not asked for; the records come again`,
    {
      cause: failed.status === 'failed' ? failed.error : undefined,
    },
  );
}

/**
 * The closer tells writers through their ledgers, but the one that brings refused events back: that one asks,
 * after its cells are durable. Either its question comes after the closer's note, or its cells came before, and
 * are in what the closer reads after the note.
 */
async function closedThrough(context: WriteContext, head: Head): Promise<number | undefined> {
  return isRedriveWriter(context.writer) ? closingThrough(context) : head.closedThroughMs;
}

/**
 * Through where windows were closed without knowing of a writer that has just been registered: its head
 * starts with that.
 *
 * @throws TransientError
 */
export async function closingThrough(context: WriteContext): Promise<number | undefined> {
  if (context.program.settings.closing === null) return undefined;
  const [result] = await retryFailed(context, [CLOSING_THROUGH], (keys) =>
    context.ports.aggregates.get(keys, context),
  );
  if (result?.status !== 'read') {
    throw new TransientError(
      `closed windows: no answer; the records of ${context.writer} come again`,
      {
        cause: result?.error,
      },
    );
  }
  return result.item === undefined ? undefined : numberIn(result.item, 't');
}

interface TouchedWindow {
  readonly pack: PackPlan;
  readonly windowMs: number;
  readonly endMs: number;
}

/** The windows that the prefix touches and that may be closed through a watermark. */
function windowsOf({ packs, prefix }: Folded, throughMs: number): Map<string, TouchedWindow> {
  const windows = new Map<string, TouchedWindow>();
  for (const pack of packs) {
    const { aggregate } = pack;
    if (!aggregate.closes) continue;
    for (const { span, folds } of pack.cells.values()) {
      if ((folds[0]?.ordinal ?? 0) >= prefix) continue;
      // Of a session's slot some sessions may be closed before its end.
      const earliestMs = aggregate.type === 'session' ? span.startMs : span.endMs;
      if (finalAt(aggregate, { endMs: earliestMs }) > throughMs) continue;
      const key = `${aggregate.name} ${span.startMs}`;
      windows.set(key, { pack, windowMs: span.startMs, endMs: span.endMs });
    }
  }
  return windows;
}
