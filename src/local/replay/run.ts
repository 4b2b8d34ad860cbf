import { setTimeout as delay } from 'node:timers/promises';
import { UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import type { ReplayRequest } from '../../handlers/replay.ts';
import type { ReplayGap, ReplayReport } from '../../handlers/replay-report.ts';
import type { LocalClients } from '../clients.ts';
import type { DeployedGeneration } from '../generations.ts';
import { askReplay, ReplayCallError, type Replayer } from './ask.ts';

/** What was done, over all calls. */
export interface ReplaySums {
  readonly state: ReplayReport['state'];
  readonly read: number;
  readonly bytes: number;
  readonly repeated: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly gaps: readonly ReplayGap[];
  /** 0 to 1. */
  readonly fraction: number;
  readonly calls: number;
  readonly seconds: number;
}

/** How it is replayed. */
export interface ReplayRunOptions {
  readonly replayer: Replayer;
  readonly request: Pick<ReplayRequest, 'rate' | 'acceptGaps'>;
  readonly signal: AbortSignal;
  /** Told after each call. @param secondsLeft undefined while nobody can tell */
  readonly onProgress: (sums: ReplaySums, secondsLeft: number | undefined) => void;
}

/** How long one call works: progress is shown after each. */
const CALL_SECONDS = 15;

/** Calls in a row that die before it gives up: a record that kills the function is found within three. */
const DEATHS_MAX = 10;

const WAIT_MS = 15_000;

/**
 * Calls the function again and again until it has nothing more to do. Interrupted or not, what was done is
 * kept, and the next run goes on.
 *
 * @throws ReplayCallError when calls keep dying
 */
export async function runReplay(options: ReplayRunOptions): Promise<ReplaySums> {
  const { replayer, request, signal, onProgress } = options;
  const startMs = Date.now();
  let sums = emptySums();
  for (let deaths = 0; ; ) {
    signal.throwIfAborted();
    try {
      const report = await askReplay(replayer, { ...request, seconds: CALL_SECONDS });
      deaths = 0;
      sums = added(sums, report, (Date.now() - startMs) / 1000);
      onProgress(sums, secondsLeft(sums));
      if (report.state === 'complete' || report.state === 'gap') return sums;
      if (report.state === 'waiting') await delay(WAIT_MS, undefined, { signal });
    } catch (error) {
      deaths += 1;
      if (!(error instanceof ReplayCallError) || deaths === DEATHS_MAX) throw error;
    }
  }
}

function emptySums(): ReplaySums {
  const counts = { read: 0, bytes: 0, repeated: 0, accepted: 0, duplicates: 0, quarantined: 0 };
  return { state: 'more', ...counts, gaps: [], fraction: 0, calls: 0, seconds: 0 };
}

function added(sums: ReplaySums, report: ReplayReport, seconds: number): ReplaySums {
  const names = ['read', 'bytes', 'repeated', 'accepted', 'duplicates', 'quarantined'] as const;
  const counts = Object.fromEntries(names.map((name) => [name, sums[name] + report[name]]));
  const gaps = new Map(
    [...sums.gaps, ...report.gaps].map((gap) => [`${gap.epoch} ${gap.shard} ${gap.until}`, gap]),
  );
  const { state, fraction } = report;
  return {
    ...sums,
    ...counts,
    state,
    fraction,
    gaps: [...gaps.values()],
    calls: sums.calls + 1,
    seconds,
  };
}

/** By the pace of this run; a run that goes on where another ended begins with a fraction. */
function secondsLeft({ fraction, seconds }: ReplaySums): number | undefined {
  return fraction <= 0.001 ? undefined : Math.round((seconds / fraction) * (1 - fraction));
}

/** Lets a generation go on with the stream, on AWS. */
export async function startMapping(
  { lambda }: Pick<LocalClients, 'lambda'>,
  { consumer }: DeployedGeneration,
): Promise<void> {
  if (consumer === undefined) return;
  const command = new UpdateEventSourceMappingCommand({ UUID: consumer.mappingId, Enabled: true });
  await lambda.send(command);
}
