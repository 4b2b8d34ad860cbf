import { setTimeout as delay } from 'node:timers/promises';
import { UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import type { ReplayRequest } from '../../handlers/replay.ts';
import type { ReplayGap, ReplayReport } from '../../handlers/replay-report.ts';
import type { LocalClients } from '../clients.ts';
import type { DeployedGeneration } from '../generations.ts';
import { CommandError, EXIT } from '../local-error.ts';
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

/** Calls in a row that finish nothing before it gives up: something else than a busy service is in the way. */
const STANDING_MAX = 20;

const WAIT_MS = 15_000;

/**
 * Calls the function again and again until it has nothing more to do. Interrupted or not, what was done is
 * kept, and the next run goes on.
 *
 * @throws ReplayCallError when calls keep dying; CommandError when they finish nothing
 */
export async function runReplay(options: ReplayRunOptions): Promise<ReplaySums> {
  const { signal, onProgress } = options;
  const startMs = Date.now();
  const patience = new Patience(options.replayer);
  let sums = emptySums();
  let first: ReplaySums | undefined;
  for (;;) {
    signal.throwIfAborted();
    const report = await patience.ask(options.request);
    if (report === undefined) continue;
    sums = added(sums, report, (Date.now() - startMs) / 1000);
    first ??= sums;
    onProgress(sums, secondsLeft(first, sums));
    if (report.state === 'complete' || report.state === 'gap') return sums;
    if (report.state === 'waiting') await delay(WAIT_MS, undefined, { signal });
  }
}

/** Calls the function, and knows when to give up. */
class Patience {
  readonly #replayer: Replayer;
  #deaths = 0;
  #standing = 0;

  constructor(replayer: Replayer) {
    this.#replayer = replayer;
  }

  /** Undefined: the call died. @throws ReplayCallError, CommandError */
  async ask(request: ReplayRunOptions['request']): Promise<ReplayReport | undefined> {
    try {
      const report = await askReplay(this.#replayer, { ...request, seconds: CALL_SECONDS });
      this.#deaths = 0;
      this.#standing = report.state === 'more' && report.read === 0 ? this.#standing + 1 : 0;
      if (this.#standing === STANDING_MAX) throw doesNotMove(this.#replayer, report);
      return report;
    } catch (error) {
      this.#deaths += 1;
      if (!(error instanceof ReplayCallError) || this.#deaths === DEATHS_MAX) throw error;
      return undefined;
    }
  }
}

function doesNotMove({ name }: Replayer, { stops }: ReplayReport): CommandError {
  return new CommandError('The replay does not move', {
    exitCode: EXIT.refused,
    detail: `${name}: got ${STANDING_MAX} calls that finished nothing (${stops.join('; ') || 'no reason'}), expected some records of each`,
    next: 'mend what it names; the same command goes on',
  });
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

/** By the pace since the first call of this run, which may have gone on where another one ended. */
function secondsLeft(first: ReplaySums, { fraction, seconds }: ReplaySums): number | undefined {
  const done = fraction - first.fraction;
  if (done <= 0) return undefined;
  return Math.round(((seconds - first.seconds) / done) * (1 - fraction));
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
