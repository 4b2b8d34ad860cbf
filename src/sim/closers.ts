import { finalAt } from '../core/closing.ts';
import { makeClose } from '../handlers/close.ts';
import type { Random } from '../ports/random.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { EventSource } from './event-source.ts';
import type { Lambda } from './lambda.ts';
import type { Producer } from './producer.ts';
import { below } from './randoms.ts';
import type { SimOptions } from './schedule.ts';
import type { Trace } from './trace.ts';
import type { SimWorld } from './world.ts';

/** Who takes part. */
export interface ClosersOptions {
  readonly simulated: SimOptions;
  readonly world: SimWorld;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly random: Random;
  readonly trace: Trace;
  readonly source: EventSource;
  readonly producer: Producer;
  readonly lambda: Lambda;
  /** When faults end, milliseconds since 1970 UTC. */
  readonly healMs: () => number;
  /** Told that nothing comes for so long: faults go on for as much longer. */
  readonly onSilence: (ms: number) => void;
}

const TIMEOUT_MS = 60_000;

/** Runs in a silence, between two silences at most, and once everything works. */
const RUNS = { silent: 9, between: 20, healed: 5 } as const;

/** In a silence runs come so much faster than their schedule says, so that they meet. */
const CLOSER_TOGETHER = 12;

/** So much of a silence has faults before it is calm, milliseconds. */
const STORM_MS = 30_000;

/** How far ahead of its arrival an event's time may be, milliseconds, and some time to spare. */
const AHEAD_MS = 600_000;

/** The longest silence, milliseconds: shorter than any stream's retention. */
const SILENCE_MS_MAX = 20 * 3_600_000;

/**
 * The closer's schedule. Nothing comes for so long that windows are closed, then events come that correct
 * them, then nothing again. Runs overlap: one is started whatever became of the one before.
 */
export class Closers {
  readonly #options: ClosersOptions;
  #ended = false;
  #calm = false;

  constructor(options: ClosersOptions) {
    this.#options = options;
  }

  /** True when every window that can be closed has been; at once where none is to be. */
  get isDone(): boolean {
    return this.#ended;
  }

  /** True while nothing goes wrong, so that windows are closed for sure before events come that correct them. */
  get isCalm(): boolean {
    return this.#calm;
  }

  /** Starts it. */
  start(): void {
    if (this.#options.simulated.closeEveryMs === undefined) this.#ended = true;
    else this.#run(this.#options.simulated.closeEveryMs);
  }

  async #run(everyMs: number): Promise<void> {
    const { simulated, clock, random, producer, source, healMs } = this.#options;
    const last = simulated.events.at(-1)?.atMs ?? simulated.startMs;
    await clock.sleep(below(random, Math.max(1, last - simulated.startMs)));
    await this.#silence(everyMs, random.next() < 0.25);
    for (let run = 0; !producer.isDone || !source.isDone; run += 1) {
      await clock.sleep(1 + below(random, 2 * everyMs), 'background');
      // A mapping that stands still for days would let it run thousands of times.
      if (run < RUNS.between) this.#close();
    }
    await this.#silence(everyMs, false);
    while (clock.now() < healMs()) {
      this.#close();
      await clock.sleep(1 + below(random, 2 * everyMs));
    }
    for (let run = 0; run < RUNS.healed; run += 1) {
      // A late write of a run that is gone may still land.
      await clock.sleep(TIMEOUT_MS);
      await this.#close();
    }
    this.#countRows();
    this.#ended = true;
  }

  /** Nothing comes, then the closer runs, often and under faults, or in calm. */
  async #silence(everyMs: number, calm: boolean): Promise<void> {
    const { clock, random, producer, onSilence } = this.#options;
    const silenceMs = this.#silenceMs();
    const pauseMs = Math.floor(everyMs / CLOSER_TOGETHER);
    const ms = silenceMs + RUNS.silent * pauseMs;
    producer.delay(ms);
    onSilence(ms);
    await clock.sleep(STORM_MS);
    // Hours of faults would only try the same records again and again.
    this.#calm = true;
    await clock.sleep(silenceMs - STORM_MS);
    this.#calm = calm;
    for (let run = 0; run < RUNS.silent; run += 1) {
      this.#close();
      // Two at once want to write the same revision.
      if (random.next() < 0.5) this.#close();
      await clock.sleep(below(random, 2 * pauseMs));
    }
    this.#calm = false;
  }

  /** From now until every window that was begun is final, and no writer is waited for. */
  #silenceMs(): number {
    const { simulated, clock } = this.#options;
    const { aggregates, settings } = simulated.program(() => undefined);
    const nowMs = clock.now();
    const finalMs = aggregates
      .filter(({ closes }) => closes)
      .flatMap((aggregate) =>
        aggregate.assign(nowMs + AHEAD_MS).map((span) => finalAt(aggregate, span)),
      );
    const idleMs = settings.closing?.idleMs ?? 0;
    return Math.min(SILENCE_MS_MAX, Math.max(nowMs, ...finalMs) - nowMs + idleMs + AHEAD_MS);
  }

  /** Settles when the run has ended, or died. */
  async #close(): Promise<void> {
    const { simulated, clock, dice, lambda, trace } = this.#options;
    dice.count('closer');
    const container = lambda.newContainer('closer');
    const endMs = clock.now() + TIMEOUT_MS;
    container.start({ id: 'close', records: [], endMs });
    const program = simulated.program(container.kill);
    const close = (simulated.makeCloser ?? makeClose)(container.ports, program);
    const done = close({ requestId: 'close', deadlineMs: endMs }).catch((error: unknown) => {
      // What fails is tried again by the next run.
      dice.count('failed closer');
      trace.add(clock.now(), 'closer', `threw ${String(error)}`);
    });
    await Promise.race([done, container.death]);
  }

  #countRows(): void {
    const { dice, world } = this.#options;
    const distinct = new Map(world.publisher.events.map(({ id, type }) => [id, type]));
    for (const type of distinct.values()) dice.count(type);
  }
}
