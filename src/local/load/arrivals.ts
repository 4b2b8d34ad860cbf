import type { Random } from '../../ports/random.ts';

/** What arrives how often. */
export interface ArrivalOptions {
  readonly startMs: number;
  /** Events a second, on average. */
  readonly rate: number;
  /** How long events arrive. */
  readonly seconds: number;
  readonly random: Random;
}

/**
 * An open loop: events are due at times that nothing of the system under test can change, as a Poisson
 * process has them. A closed loop sends less while answers are late, and leaves out exactly the waits that
 * people would have had (Schroeder, Wierman, Harchol-Balter: Open Versus Closed, NSDI 2006).
 */
export class Arrivals {
  readonly #options: ArrivalOptions;
  readonly #endMs: number;
  #nextMs: number;

  constructor(options: ArrivalOptions) {
    this.#options = options;
    this.#endMs = options.startMs + options.seconds * 1000;
    this.#nextMs = this.#after(options.startMs);
  }

  /** True while something is still to come. */
  get isOpen(): boolean {
    return this.#nextMs < this.#endMs;
  }

  /** The times that have come due since the last call, milliseconds since 1970 UTC. */
  due(nowMs: number): readonly number[] {
    const times: number[] = [];
    while (this.isOpen && this.#nextMs <= nowMs) {
      times.push(this.#nextMs);
      this.#nextMs = this.#after(this.#nextMs);
    }
    return times;
  }

  #after(ms: number): number {
    const { rate, random } = this.#options;
    return ms - (Math.log(1 - random.next()) * 1000) / rate;
  }
}
