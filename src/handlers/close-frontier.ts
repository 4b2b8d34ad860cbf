import { CLOSING_FORMAT, CLOSING_THROUGH } from '../core/closing.ts';
import { numberIn } from '../core/item.ts';
import { encodeEntry, type LedgerEntry } from '../core/ledger.ts';
import type { Program } from '../core/program.ts';
import { epochOf, isRedriveWriter } from '../core/writer.ts';
import type { Table } from '../ports/table.ts';
import { newestEntry, registeredWriters } from './ledger-tails.ts';
import { entryTtlSeconds } from './lifetimes.ts';
import type { KeepPorts } from './ports.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';

/** What is needed to know how far the writers are. */
export interface FrontierPorts extends KeepPorts {
  readonly aggregates: Table;
}

/** How far every writer is. */
export interface Frontier {
  /** Every writer that ever wrote, of streams that are gone too: their cells count. */
  readonly writers: readonly string[];
  /** No writer changes what is final at this watermark, or it leaves a request; undefined: none yet. */
  readonly throughMs: number | undefined;
  /** Writers that were told that they are not waited for. */
  readonly forced: number;
}

interface Tail {
  readonly writer: string;
  /** Undefined: registered, and nothing finished yet. */
  readonly entry: LedgerEntry | undefined;
  /** Since when nothing was appended, milliseconds since 1970 UTC. */
  readonly sinceMs: number;
  /** What it has passed: its watermark, or what it was told. */
  readonly passedMs: number;
}

/**
 * The watermark that all writers of the stream have passed. A writer that has appended nothing for the
 * pipeline's `closing.idle` is not waited for: a marker in its ledger, with the same position and watermark,
 * tells it through where windows were closed, so that a batch of it that is in flight must see that.
 *
 * Busy writers are waited for, whatever their watermark. Where all are idle, event time goes on with the
 * clock: through now less the idle time.
 *
 * @throws TransientError
 */
export async function closeFrontier(
  ports: FrontierPorts,
  program: Program,
  context: RetryContext,
): Promise<Frontier> {
  const epoch = epochOf(await retryCall(context, () => ports.stream.identify(context)));
  const registered = await registeredWriters(ports.ledger, context);
  const writers = registered.map(({ writer }) => writer);
  const tails: Tail[] = [];
  for (const one of registered) {
    // What brings refused events back is never waited for: it asks how far windows are closed.
    if (one.epoch !== epoch || isRedriveWriter(one.writer)) continue;
    const entry = await newestEntry(ports.ledger, one.writer, context);
    tails.push(tailOf(one, entry));
  }
  const idleMs = program.settings.closing?.idleMs ?? Number.POSITIVE_INFINITY;
  const nowMs = ports.clock.now();
  const busy = tails.filter(({ sinceMs }) => nowMs - sinceMs < idleMs);
  const goalMs =
    busy.length > 0 ? Math.min(...busy.map(({ passedMs }) => passedMs)) : nowMs - idleMs;
  if (tails.length === 0 || !Number.isFinite(goalMs)) {
    return { writers, throughMs: undefined, forced: 0 };
  }
  const throughMs = wholeMinute(goalMs);
  const behind = tails.filter((tail) => !busy.includes(tail) && tail.passedMs < throughMs);
  const announcedMs = await announced(ports, context);
  for (const tail of behind) {
    // Never less than was closed before: a writer without an entry has no other place to know it from.
    const toldMs = Math.max(throughMs, announcedMs ?? throughMs);
    const told = await tell(ports, program, { tail, throughMs: toldMs, context });
    // It has just appended: it isn't idle, and the next run sees how far it is.
    if (!told) return { writers, throughMs: undefined, forced: 0 };
  }
  const known = await announce(ports, throughMs, { writers, announcedMs, context });
  return { writers, throughMs: known ? throughMs : undefined, forced: behind.length };
}

/** How far windows were, or were about to be, closed. @throws TransientError */
async function announced(ports: FrontierPorts, context: RetryContext): Promise<number | undefined> {
  const [found] = await retryFailed(context, [CLOSING_THROUGH], (keys) =>
    ports.aggregates.get(keys, context),
  );
  if (found?.status !== 'read') throw found?.error;
  return found.item === undefined ? undefined : numberIn(found.item, 't');
}

/**
 * Notes how far windows are about to be closed, then looks for writers that nobody knew of: one that is
 * registered after this look reads the note; one that is there now is waited for by the next run.
 */
async function announce(
  ports: FrontierPorts,
  throughMs: number,
  {
    writers,
    announcedMs: beforeMs,
    context,
  }: {
    readonly writers: readonly string[];
    readonly announcedMs: number | undefined;
    readonly context: RetryContext;
  },
): Promise<boolean> {
  if (beforeMs === undefined || beforeMs < throughMs) {
    const item = { ...CLOSING_THROUGH, v: CLOSING_FORMAT, t: throughMs };
    const condition =
      beforeMs === undefined
        ? ({ type: 'absent' } as const)
        : ({ type: 'equals', attribute: 't', value: beforeMs } as const);
    const [result] = await retryFailed(context, [{ item, condition }], (writes) =>
      ports.aggregates.putIf(writes, context),
    );
    if (result?.status === 'failed') throw result.error;
    // Another run is at it, or the answer was lost: the next run goes on.
    if (result?.status !== 'written') return false;
  }
  const now = await registeredWriters(ports.ledger, context);
  return now.length === writers.length;
}

/** Markers are written when a minute has passed, not for each event that moves a watermark. */
function wholeMinute(ms: number): number {
  return Math.floor(ms / 60_000) * 60_000;
}

function tailOf(
  { writer, sinceMs }: { readonly writer: string; readonly sinceMs: number },
  entry: LedgerEntry | undefined,
): Tail {
  const watermarkMs = entry?.watermarkMs ?? Number.NEGATIVE_INFINITY;
  const closedMs = entry?.closedThroughMs ?? Number.NEGATIVE_INFINITY;
  return {
    writer,
    entry,
    sinceMs: entry === undefined ? sinceMs : lastRecordMs(entry),
    passedMs: Math.max(watermarkMs, closedMs),
  };
}

/** A marker of the closer or the keeper is no sign of life. */
function lastRecordMs({ highArrivalMs, writtenMs, ids }: LedgerEntry): number {
  return ids.length > 0 ? writtenMs : highArrivalMs;
}

/** Appends the marker; false when the writer was first. @throws TransientError */
async function tell(
  ports: KeepPorts,
  program: Program,
  {
    tail,
    throughMs,
    context,
  }: { readonly tail: Tail; readonly throughMs: number; readonly context: RetryContext },
): Promise<boolean> {
  const nowMs = ports.clock.now();
  const { entry } = tail;
  const marker: LedgerEntry = {
    writer: tail.writer,
    n: (entry?.n ?? 0) + 1,
    position: entry?.position,
    watermarkMs: entry?.watermarkMs,
    highArrivalMs: entry?.highArrivalMs ?? 0,
    ids: [],
    closedThroughMs: throughMs,
    fingerprint: entry?.fingerprint ?? '',
    writtenMs: nowMs,
    ttlSeconds: entryTtlSeconds(program.settings, entry?.highArrivalMs ?? 0, nowMs),
  };
  const write = { item: encodeEntry(marker), condition: { type: 'absent' } } as const;
  const [result] = await retryFailed(context, [write], (writes) =>
    ports.ledger.putIf(writes, context),
  );
  if (result?.status === 'failed') throw result.error;
  return result?.status === 'written';
}
