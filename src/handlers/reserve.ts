/** Least time kept for writing, milliseconds. */
const RESERVE_MIN_MS = 2_000;

/** Kept at the end for the answer itself, milliseconds: nothing is sent in it. */
const ANSWER_MS = 500;

/** Write phases remembered. */
const SAMPLES_MAX = 100;

/** When an invocation stops planning, and when it stops sending; milliseconds since 1970 UTC. */
export interface Budget {
  readonly stopMs: number;
  readonly deadlineMs: number;
  /** How long the invocation can last in all, milliseconds. */
  readonly invocationMs: number;
}

/**
 * Splits an invocation's time (exactly-once rule 9): the reserve for writing is the larger of 2 s and
 * three times the 99th percentile of the recent write phases, and at most a third of the time-out.
 */
export class Reserve {
  readonly #samplesMs: number[] = [];

  /** Remembers how long a write phase took. */
  observe(writeMs: number): void {
    this.#samplesMs.push(writeMs);
    if (this.#samplesMs.length > SAMPLES_MAX) this.#samplesMs.shift();
  }

  /** The budget of an invocation that starts now. */
  budget(nowMs: number, endMs: number): Budget {
    const invocationMs = Math.max(0, endMs - nowMs);
    const sorted = [...this.#samplesMs].sort((left, right) => left - right);
    const p99 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
    const reserveMs = Math.min(Math.max(RESERVE_MIN_MS, 3 * p99), invocationMs / 3);
    const answerMs = Math.min(ANSWER_MS, invocationMs / 10);
    return { stopMs: endMs - reserveMs, deadlineMs: endMs - answerMs, invocationMs };
  }
}
