import type { BatchResult } from '../batch/batch.ts';
import { ClosedWindowsListener } from './closed-windows.ts';
import { CloserDriver } from './closer-driver.ts';
import { type ClosedState, type ClosingResult, checkClosed, readClosed } from './closing-check.ts';
import type { Cloud } from './cloud.ts';
import type { ResultSource } from './results.ts';
import type { CloserDeployment } from './stacks.ts';

/** What closing is run with. */
export interface ClosedRunOptions {
  readonly cloud: Cloud;
  readonly closer: CloserDeployment;
  readonly source: ResultSource;
  readonly signal: AbortSignal;
}

/** Runs the closer beside the consumer, and at the end holds what it published against what is right. */
export class ClosedRun {
  readonly #source: ResultSource;
  readonly #driver: CloserDriver;
  readonly #before: readonly ClosedState[];

  private constructor(source: ResultSource, driver: CloserDriver, before: readonly ClosedState[]) {
    this.#source = source;
    this.#driver = driver;
    this.#before = before;
  }

  /** Starts closing and listening; ends with the signal. */
  static async start({ cloud, closer, source, signal }: ClosedRunOptions): Promise<ClosedRun> {
    const listener = await ClosedWindowsListener.open(cloud.clients, closer.busName);
    const before = await readClosed(source);
    const { lambda } = cloud.clients;
    const driver = new CloserDriver({ lambda, closerName: closer.name, listener, signal });
    driver.start();
    return new ClosedRun(source, driver, before);
  }

  /** Closes everything that is final by now. @throws CommandError when the function fails */
  finish(): Promise<void> {
    return this.#driver.finish();
  }

  /** What was published, and whether it is what the batch computation has. */
  async verify(computed: BatchResult): Promise<ClosingResult> {
    const after = await readClosed(this.#source);
    return checkClosed({ before: this.#before, after }, this.#driver.heard, computed);
  }
}
