import { CommandError, EXIT } from './local-error.ts';
import type { MappingProgress } from './mapping-driver.ts';

/** How long nothing may move before a run gives up, milliseconds. */
const STUCK_MS = 60_000;

/** Throws when nothing was finished for a long time although there is something to do. */
export class StuckWatch {
  #finished = -1;
  #sinceMs = Date.now();

  /**
   * @param idle nothing has to move: all is finished, or the mapping stands still on purpose
   * @throws CommandError
   */
  check({ processed, dropped, givenUp, ...progress }: MappingProgress, idle: boolean): void {
    // Finished one way or the other.
    const count = processed + dropped + givenUp;
    if (count !== this.#finished || idle) this.#sinceMs = Date.now();
    this.#finished = count;
    if (Date.now() - this.#sinceMs < STUCK_MS) return;
    throw new CommandError('The pipeline does not move', {
      exitCode: EXIT.refused,
      detail: `got ${count} events finished and nothing new for ${STUCK_MS / 1000} s (${progress.troubled} of ${progress.invocations} invocations failed; the last: ${progress.lastFailure ?? 'nothing'}), expected the function to finish them`,
      next: 'look at the function’s log lines in .millrace/local/emulator.log, or run again with --keep and read its log group',
    });
  }
}
