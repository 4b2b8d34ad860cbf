import { setTimeout as delay } from 'node:timers/promises';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { WindowEvent } from '../core/closing.ts';
import type { ClosedWindowsListener } from './closed-windows.ts';
import { CommandError, EXIT } from './local-error.ts';

/** What the driver calls and hears. */
export interface CloserDriverOptions {
  readonly lambda: LambdaClient;
  readonly closerName: string;
  readonly listener: ClosedWindowsListener;
  readonly signal: AbortSignal;
}

/** What a run of the function says of itself; the rest is in its log. */
interface RunAnswer {
  readonly windows: number;
}

/** Between two runs, milliseconds: where AWS runs it each minute, a local run has no time for that. */
const EVERY_MS = 2_000;

/** Runs at the end of which one at least must find nothing more to close. */
const LAST_RUNS_MAX = 50;

/** Runs the deployed function that closes windows again and again, and hears what it publishes. */
export class CloserDriver {
  readonly #options: CloserDriverOptions;
  readonly #stop = new AbortController();
  readonly #heard: WindowEvent[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(options: CloserDriverOptions) {
    this.#options = options;
  }

  /** Every event that was published since the start, in the order in which they came. */
  get heard(): readonly WindowEvent[] {
    return this.#heard;
  }

  /** Starts the schedule; ends with the signal. */
  start(): void {
    this.#running = this.#schedule();
    // Thrown by `finish`; until then it must not count as unhandled.
    this.#running.catch(() => undefined);
  }

  /** Ends the schedule, closes what can be closed now, and hears all of it. @throws CommandError */
  async finish(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    for (let run = 0; (await this.#run()) > 0; run += 1) {
      if (run === LAST_RUNS_MAX) throw failed(`${LAST_RUNS_MAX} runs, each with windows to close`);
    }
    await this.#hear();
  }

  async #schedule(): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, this.#stop.signal]);
    while (!signal.aborted) {
      await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#run();
      await this.#hear();
    }
  }

  /** One run; how many windows it closed. */
  async #run(): Promise<number> {
    const { lambda, closerName } = this.#options;
    const answer = await lambda.send(new InvokeCommand({ FunctionName: closerName }));
    const text = answer.Payload?.transformToString() ?? '';
    if (answer.FunctionError !== undefined) throw failed(text);
    const { windows }: RunAnswer = JSON.parse(text);
    return windows;
  }

  async #hear(): Promise<void> {
    for (;;) {
      const events = await this.#options.listener.receive();
      if (events.length === 0) return;
      this.#heard.push(...events);
    }
  }
}

function failed(got: string): CommandError {
  return new CommandError('Windows could not be closed', {
    exitCode: EXIT.refused,
    detail: `the function that closes windows: got ${got}, expected it to come to its end`,
    next: 'look at its log lines in .millrace/local/emulator.log, or run again with --keep and read its log group',
  });
}
