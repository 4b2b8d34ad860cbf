import { Worker } from 'node:worker_threads';
import { openSchedules, runSchedule, type ScheduleOutcome, type Schedules } from './schedules.ts';

/** Which seeds are run, and by how many threads. */
export interface Jobs {
  readonly schedules: Schedules;
  /** Threads, 1 or more; one runs in the caller's own. */
  readonly jobs: number;
  /** True while the seed is still to be begun. Seeds count from 1. */
  readonly wants: (seed: number) => boolean;
  readonly onOutcome: (outcome: ScheduleOutcome) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs seeds one after the other, some at the same time, until no more are wanted or one fails. Which one
 * fails does not depend on the number of threads: those before it are always run to their end.
 *
 * @returns the outcomes in the order of seeds, up to the first that failed
 */
export async function runJobs(options: Jobs): Promise<readonly ScheduleOutcome[]> {
  const seeds = new Seeds(options);
  if (options.jobs === 1) await runHere(options, seeds);
  else {
    const count = Array.from({ length: options.jobs }, (_, index) => index);
    await Promise.all(count.map(() => runInThread(options, seeds)));
  }
  return seeds.outcomes();
}

/** Gives seeds away, and takes their outcomes. */
class Seeds {
  readonly #options: Jobs;
  readonly #outcomes = new Map<number, ScheduleOutcome>();
  #next = 1;
  #failed = Number.POSITIVE_INFINITY;

  constructor(options: Jobs) {
    this.#options = options;
  }

  /** The next seed, or undefined when there is none. */
  take(): number | undefined {
    const { signal, wants } = this.#options;
    signal.throwIfAborted();
    if (this.#next > this.#failed || !wants(this.#next)) return undefined;
    this.#next += 1;
    return this.#next - 1;
  }

  done(outcome: ScheduleOutcome): void {
    this.#outcomes.set(outcome.seed, outcome);
    if (outcome.violations.length > 0) this.#failed = Math.min(this.#failed, outcome.seed);
    this.#options.onOutcome(outcome);
  }

  outcomes(): readonly ScheduleOutcome[] {
    return [...this.#outcomes.values()]
      .filter(({ seed }) => seed <= this.#failed)
      .sort((left, right) => left.seed - right.seed);
  }
}

async function runHere({ schedules }: Jobs, seeds: Seeds): Promise<void> {
  const optionsOf = await openSchedules(schedules);
  for (let seed = seeds.take(); seed !== undefined; seed = seeds.take()) {
    seeds.done(await runSchedule(optionsOf(seed)));
  }
}

function runInThread({ schedules, signal }: Jobs, seeds: Seeds): Promise<void> {
  const worker = new Worker(new URL('./schedule-worker.ts', import.meta.url), {
    workerData: schedules,
    execArgv: [],
  });
  const ended = new Promise<void>((resolve, reject) => {
    const goOn = () => {
      const seed = seeds.take();
      if (seed === undefined) resolve();
      else worker.postMessage(seed);
    };
    const settle = (step: () => void) => {
      try {
        step();
      } catch (error) {
        reject(error);
      }
    };
    worker.on('message', (message: 'ready' | ScheduleOutcome) =>
      settle(() => {
        if (message !== 'ready') seeds.done(message);
        goOn();
      }),
    );
    worker.on('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return ended.finally(() => worker.terminate());
}
