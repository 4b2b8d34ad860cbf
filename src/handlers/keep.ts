import { encodeEntry, type LedgerEntry } from '../core/ledger.ts';
import type { ProgramSettings } from '../core/program.ts';
import { epochOf } from '../core/writer.ts';
import { newestEntry, registeredWriters } from './ledger-tails.ts';
import { entryLifeMs, entryTtlSeconds } from './lifetimes.ts';
import type { Invocation, KeepPorts } from './ports.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';

/** What a run of the keeper did. */
export interface KeepReport {
  /** Writers of the stream's present epoch. */
  writers: number;
  /** Markers appended. */
  renewed: number;
  /** Writers of streams that are gone; their ledgers may expire. */
  retired: number;
}

/** Keeps the ledgers of idle writers alive. */
export type Keep = (invocation: Invocation) => Promise<KeepReport>;

/**
 * Makes the function that appends a marker (same position and watermark) for each writer whose newest
 * ledger entry is past half of its life, so that a quiet partition keeps its watermark.
 *
 * A marker that loses against a batch is no harm: the batch's entry is newer.
 */
export function makeKeep(ports: KeepPorts, settings: ProgramSettings): Keep {
  return async (invocation) => {
    const context = {
      clock: ports.clock,
      random: ports.random,
      deadlineMs: invocation.deadlineMs - 500,
    };
    const epoch = epochOf(await retryCall(context, () => ports.stream.identify(context)));
    const report: KeepReport = { writers: 0, renewed: 0, retired: 0 };
    for (const writer of await registeredWriters(ports.ledger, context)) {
      if (writer.epoch !== epoch) {
        report.retired += 1;
        continue;
      }
      report.writers += 1;
      if (await renew(ports, settings, context, writer.writer)) report.renewed += 1;
    }
    return report;
  };
}

async function renew(
  ports: KeepPorts,
  settings: ProgramSettings,
  context: RetryContext,
  writer: string,
): Promise<boolean> {
  const nowMs = ports.clock.now();
  const newest = await newestEntry(ports.ledger, writer, context);
  if (newest === undefined || nowMs - newest.writtenMs < entryLifeMs(settings) / 2) return false;
  const marker: LedgerEntry = {
    ...newest,
    n: newest.n + 1,
    ids: [],
    writtenMs: nowMs,
    ttlSeconds: entryTtlSeconds(settings, newest.highArrivalMs, nowMs),
  };
  const write = { item: encodeEntry(marker), condition: { type: 'absent' } } as const;
  const [result] = await retryFailed(context, [write], (writes) =>
    ports.ledger.putIf(writes, context),
  );
  if (result?.status === 'failed') throw result.error;
  return result?.status === 'written';
}
