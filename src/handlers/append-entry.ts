import { TransientError } from '../core/errors.ts';
import type { FoldedId } from '../core/id-table.ts';
import { encodeEntry, type LedgerEntry } from '../core/ledger.ts';
import type { Decision } from '../core/plan.ts';
import type { PackPlan } from '../core/plan-packs.ts';
import { isAfter } from '../core/position.ts';
import { isRedriveWriter } from '../core/writer.ts';
import type { Head } from './head.ts';
import type { LedgerHeads } from './ledger-heads.ts';
import { entryTtlSeconds } from './lifetimes.ts';
import { retryFailed } from './retry.ts';
import { requestRevisions } from './revision-requests.ts';
import { printOf } from './take-turn.ts';
import type { SourceRecord, WriteContext } from './write-context.ts';

/** Tries against other tries; each loss means that another one made progress. */
const LOSSES_MAX = 20;

/** What an append needs. */
export interface Append {
  readonly heads: LedgerHeads;
  readonly head: Head;
  /** The prefix whose cells, events and quarantine are durable; at least one decision. */
  readonly decisions: readonly Decision<SourceRecord>[];
  /** What the prefix touches: closed windows among them are asked to be looked at again. */
  readonly packs: ReadonlyMap<string, PackPlan>;
}

/**
 * Appends the entry that makes a prefix done. When another try appended first, what that one covers is
 * dropped and the rest goes into the entry after it; the decisions are the same in every try, so
 * nothing is lost or doubled by who is first.
 *
 * @returns how often another try was first
 * @throws TransientError when the ledger doesn't answer: the entry may be there or not
 */
export async function appendEntry(context: WriteContext, append: Append): Promise<number> {
  const { heads, head } = append;
  for (let losses = 0; losses < LOSSES_MAX; losses += 1) {
    const rest = append.decisions.filter(({ record }) => isAfter(record.position, head.position));
    if (rest.length === 0) return losses;
    await request(context, append, rest);
    const entry = entryOf(context, head, rest);
    const write = { item: encodeEntry(entry), condition: { type: 'absent' } } as const;
    const [result] = await retryFailed(context, [write], (writes) =>
      context.ports.ledger.putIf(writes, context),
    );
    if (result?.status === 'written') {
      head.apply(entry);
      return losses;
    }
    if (result?.status !== 'conflict') throw unanswered(context.writer, result?.error);
    // Also after a lost answer: then the entry found is this one, and nothing is left.
    await heads.catchUp(context.writer, head, context);
    checkInForce(context, head, append.decisions);
  }
  throw new TransientError(
    `ledger of ${context.writer}: lost ${LOSSES_MAX} times against other tries`,
  );
}

/**
 * Another version took the writer over meanwhile: then everything of this one was finished before, or it would
 * not have been taken over. What is left, all the same, is not appended.
 */
function checkInForce(
  { writer, program }: WriteContext,
  head: Head,
  decisions: readonly Decision<SourceRecord>[],
): void {
  const print = printOf(head);
  if (print === undefined || print === program.fingerprint || isRedriveWriter(writer)) return;
  if (decisions.every(({ record }) => !isAfter(record.position, head.position))) return;
  throw new TransientError(`${writer}: version ${print} has taken over; its records come again`);
}

/** Before each try: the head that lost may have learnt that windows were closed. */
async function request(
  context: WriteContext,
  { head, packs, decisions }: Append,
  rest: readonly Decision<SourceRecord>[],
): Promise<void> {
  const last = rest.at(-1)?.record;
  if (last === undefined) return;
  await requestRevisions(context, { head, packs: packs.values(), prefix: decisions.length, last });
}

function entryOf(context: WriteContext, head: Head, decisions: readonly Decision[]): LedgerEntry {
  const last = decisions.at(-1);
  const ids: FoldedId[] = [];
  let { highArrivalMs } = head;
  for (const decision of decisions) {
    highArrivalMs = Math.max(highArrivalMs, decision.record.arrivalMs);
    if (decision.type === 'accepted' && decision.id !== undefined) ids.push(decision.id);
  }
  const nowMs = context.clock.now();
  return {
    writer: context.writer,
    n: head.n + 1,
    position: last?.record.position,
    watermarkMs: last?.watermarkMs,
    highArrivalMs,
    ids,
    closedThroughMs: head.closedThroughMs,
    fingerprint: context.program.fingerprintAt(highArrivalMs),
    writtenMs: nowMs,
    ttlSeconds: entryTtlSeconds(context.program.settings, highArrivalMs, nowMs),
  };
}

function unanswered(writer: string, cause: unknown): TransientError {
  return new TransientError(`ledger of ${writer}: no answer; its records come again`, {
    cause,
    fields: { writer },
  });
}
