import { TransientError } from '../core/errors.ts';
import { encodeEntry, type LedgerEntry } from '../core/ledger.ts';
import { comparePositions, type Position } from '../core/position.ts';
import { markerPrint, printOfEntry, type Turn, turnOf, type VersionList } from '../core/version.ts';
import type { Head } from './head.ts';
import type { LedgerHeads } from './ledger-heads.ts';
import { entryTtlSeconds } from './lifetimes.ts';
import { retryFailed } from './retry.ts';
import type { SourceRecord, WriteContext } from './write-context.ts';

/**
 * Which of a writer's records this version of the pipeline decides on, and the *switch markers* between versions
 * (exactly-once rule 8): ledger entries with the same position and watermark, and the next version's fingerprint.
 *
 * Invariants
 * 1. A version decides on records of its own turn only. Held by the list of versions, which is older than
 *    the records (`VersionWatch`).
 * 2. A marker is appended by the version in force when everything before the next one's first record is
 *    finished, or by the next version when its first record is the first that is not.
 * 3. Who lost against another try decides nothing: it has read the ledger before.
 */

/** The records that this version decides on. */
export type TakenTurn = Turn & { readonly type: 'taken' };

/** @throws TransientError where it is another version's turn: the records come again, to that one */
export function turnFor(
  { writer, program }: WriteContext,
  head: Head,
  list: VersionList,
  records: readonly SourceRecord[],
): TakenTurn {
  const stand = { print: printOf(head), highArrivalMs: head.highArrivalMs };
  const arrivals = records.map(({ arrivalMs }) => arrivalMs);
  const turn = turnOf(list, program.fingerprint, stand, arrivals);
  if (turn.type === 'taken') return turn;
  throw new TransientError(`${writer}: ${turn.why}`, { fields: { writer } });
}

/** Takes the writer over. @throws TransientError, DeadlineError */
export async function enter(context: WriteContext, heads: LedgerHeads, head: Head): Promise<void> {
  await appendMarker(context, { heads, head }, context.program.fingerprint);
}

/**
 * Hands the writer over, unless another try did.
 *
 * @throws TransientError, DeadlineError; the marker is then appended by the next try, or by the next version
 */
export async function leaveTo(
  context: WriteContext,
  ledger: { readonly heads: LedgerHeads; readonly head: Head },
  print: string,
): Promise<void> {
  const inForce = printOf(ledger.head) ?? context.program.fingerprint;
  if (inForce === context.program.fingerprint) await appendMarker(context, ledger, print);
}

/** The version in force after the newest entry; undefined before the first. */
export function printOf({ fingerprint }: Head): string | undefined {
  return fingerprint === undefined ? undefined : printOfEntry(fingerprint);
}

async function appendMarker(
  context: WriteContext,
  { heads, head }: { readonly heads: LedgerHeads; readonly head: Head },
  print: string,
): Promise<void> {
  const { writer, program, clock, ports } = context;
  const { position } = head;
  const nowMs = clock.now();
  const marker: LedgerEntry = {
    writer,
    n: head.n + 1,
    position,
    watermarkMs: head.watermarkMs,
    highArrivalMs: head.highArrivalMs,
    ids: [],
    closedThroughMs: head.closedThroughMs,
    fingerprint: markerPrint(print),
    writtenMs: nowMs,
    ttlSeconds: entryTtlSeconds(program.settings, head.highArrivalMs, nowMs),
  };
  const write = { item: encodeEntry(marker), condition: { type: 'absent' } } as const;
  const [result] = await retryFailed(context, [write], (writes) =>
    ports.ledger.putIf(writes, context),
  );
  if (result?.status === 'written') {
    head.apply(marker);
    return;
  }
  if (result?.status === 'conflict') {
    await heads.catchUp(writer, head, context);
    // After a lost answer the entry found is this one; else the records were chosen by an older head.
    if (printOf(head) === print && isSame(head.position, position)) return;
  }
  throw new TransientError(`${writer}: no switch marker to ${print}; its records come again`, {
    cause: result?.status === 'failed' ? result.error : undefined,
  });
}

function isSame(left: Position | undefined, right: Position | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return comparePositions(left, right) === 0;
}
