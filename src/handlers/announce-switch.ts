import { MillraceError, TransientError } from '../core/errors.ts';
import {
  encodeVersions,
  LEAD_MS,
  type PipelineVersion,
  VERSIONS_MAX,
  VERSIONS_REVISION,
  type VersionList,
} from '../core/version.ts';
import type { Table } from '../ports/table.ts';
import { type RetryContext, retryFailed } from './retry.ts';
import { readVersions } from './version-watch.ts';

/** A change of the list of versions that must not be made; the list is as it was. */
export class SwitchRefusedError extends MillraceError {
  override readonly name = 'SwitchRefusedError';

  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('switch-refused', message, { fields });
  }
}

/** A switch from one version of a pipeline to another. */
export interface Announcement {
  /** Print of the version that is deployed. */
  readonly from: string;
  readonly to: string;
  /** Arrival of the first record of the new version, milliseconds since 1970 UTC. */
  readonly atMs: number;
  /** The least time from now to `atMs`, milliseconds; default and least on AWS: `LEAD_MS`. */
  readonly leadMs?: number;
}

/**
 * Announces a switch: writes it into the list of versions. To announce the same again changes nothing.
 *
 * @param context its deadline is at most 10 s away: an announcement must not be applied much later than its call
 * @throws SwitchRefusedError when it is too late for that time, or another switch is under way
 * @throws TransientError when the ledger doesn't answer: it may be announced or not
 */
export async function announceSwitch(
  ledger: Table,
  { from, to, atMs, leadMs = LEAD_MS }: Announcement,
  context: RetryContext,
): Promise<VersionList> {
  const stored = await readVersions(ledger, context);
  const versions = stored?.versions ?? [{ fromMs: 0, print: from }];
  const last = versions.at(-1);
  if (last?.print === to && (last.fromMs === atMs || last.fromMs <= context.clock.now())) {
    if (stored !== undefined) return stored;
  }
  checkNoneIsPending(last, context);
  if (last?.print !== from) {
    throw new SwitchRefusedError(
      `got version ${from} deployed, expected ${last?.print}: deploy that one, then switch`,
      { from, expected: last?.print },
    );
  }
  const leftMs = atMs - context.clock.now();
  if (leftMs < leadMs) {
    throw new SwitchRefusedError(
      `got a switch in ${Math.round(leftMs / 1000)} s, expected at least ${leadMs / 1000} s from now: functions believe for so long what they know`,
      { atMs, leadMs },
    );
  }
  return change(ledger, stored, [...versions, { fromMs: atMs, print: to }], context);
}

/**
 * Takes the pending switch back.
 *
 * @param leadMs as it was for the announcement
 * @throws SwitchRefusedError when none is pending, or its time is too near: some functions may not learn of it
 */
export async function abortSwitch(
  ledger: Table,
  context: RetryContext,
  leadMs: number = LEAD_MS,
): Promise<VersionList> {
  const stored = await readVersions(ledger, context);
  const last = stored?.versions.at(-1);
  const nowMs = context.clock.now();
  if (stored === undefined || last === undefined || last.fromMs <= nowMs) {
    throw new SwitchRefusedError('got no switch that is still to come, expected one to take back');
  }
  if (last.fromMs - nowMs < leadMs) {
    throw new SwitchRefusedError(
      `got a switch in ${Math.round((last.fromMs - nowMs) / 1000)} s, expected at least ${leadMs / 1000} s: it can't be taken back any more; go on, and switch back`,
    );
  }
  return change(ledger, stored, stored.versions.slice(0, -1), context);
}

function checkNoneIsPending(last: PipelineVersion | undefined, context: RetryContext): void {
  if (last === undefined || last.fromMs <= context.clock.now()) return;
  throw new SwitchRefusedError(
    `got another switch, to version ${last.print} at ${new Date(last.fromMs).toISOString()}, expected none: take it back, or let it come`,
    { pending: last },
  );
}

async function change(
  ledger: Table,
  stored: VersionList | undefined,
  versions: readonly PipelineVersion[],
  context: RetryContext,
): Promise<VersionList> {
  const list = {
    revision: (stored?.revision ?? 0) + 1,
    versions: versions.slice(-VERSIONS_MAX),
  };
  const condition =
    stored === undefined
      ? ({ type: 'absent' } as const)
      : ({ type: 'equals', attribute: VERSIONS_REVISION, value: stored.revision } as const);
  const write = { item: encodeVersions(list), condition };
  const [result] = await retryFailed(context, [write], (writes) => ledger.putIf(writes, context));
  if (result?.status === 'written') return list;
  // After a lost answer the list found is this one.
  const found = await readVersions(ledger, context);
  if (JSON.stringify(found) === JSON.stringify(list)) return list;
  throw new TransientError(
    'list of versions: not changed, something else changed it; run it again',
    {
      cause: result?.status === 'failed' ? result.error : undefined,
    },
  );
}
