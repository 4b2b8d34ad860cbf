import type { Coverage } from './messages.ts';
import type { Mutant } from './mutants.ts';
import { isAlive } from './score.ts';
import type { Outcome } from './try.ts';

/** How often a line is printed where there is no terminal, milliseconds. */
const LINE_EVERY_MS = 10_000;

const CLEAR_LINE = '\r\u001b[K';

/** Tells how far it is, and when time is over. */
export class Progress {
  readonly #all: number;
  readonly #limitMs: number;
  readonly #startMs = Date.now();
  #triesFromMs = Date.now();
  #printedMs = 0;
  #tried = 0;
  #alive = 0;

  /** @param limitMs time in all, milliseconds */
  constructor(all: number, limitMs: number) {
    this.#all = all;
    this.#limitMs = limitMs;
  }

  get isOver(): boolean {
    return Date.now() - this.#startMs >= this.#limitMs;
  }

  /** The battery passes without a mutant. */
  start({ runs }: Coverage): void {
    this.#triesFromMs = Date.now();
    const ms = runs.reduce((sum, run) => sum + run.ms, 0);
    console.log(
      `${this.#all} mutants, ${runs.length} simulations each at most (${Math.round(ms)} ms of CPU)`,
    );
  }

  /** One more is tried. */
  add(outcome: Outcome): void {
    this.#tried += 1;
    const isTerminal = process.stdout.isTTY;
    if (isAlive(outcome)) {
      this.#alive += 1;
      if (isTerminal) process.stdout.write(CLEAR_LINE);
      console.log(shownOf(outcome.mutant));
    }
    if (!isTerminal && Date.now() - this.#printedMs < LINE_EVERY_MS) return;
    this.#printedMs = Date.now();
    if (isTerminal) process.stdout.write(`${CLEAR_LINE}${this.#text()}`);
    else console.log(this.#text());
  }

  /** Ends the line. */
  end(): void {
    if (process.stdout.isTTY) process.stdout.write(CLEAR_LINE);
    console.log(this.#text());
  }

  #text(): string {
    const each = (Date.now() - this.#triesFromMs) / Math.max(1, this.#tried);
    const restMs = Math.min(
      each * (this.#all - this.#tried),
      this.#limitMs - (Date.now() - this.#startMs),
    );
    const seconds = Math.max(0, Math.round(restMs / 1000));
    const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    return `${this.#tried} of ${this.#all} tried, ${this.#tried - this.#alive} killed, ${this.#alive} alive, ${left} left`;
  }
}

/** A mutant in one line. */
function shownOf({ file, line, mutator, from, to }: Mutant): string {
  const [before, after] = [from, to].map((text) => text.replace(/\s+/g, ' ').slice(0, 80));
  return `  alive: ${file}:${line} ${mutator}: ${before} => ${after}`;
}
