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

/** Runs in a silence, in a calm one, and once everything works. */
const RUNS = { silent: 12, calm: 4, healed: 5 } as const;

/** Faults go on for so long after the last silence, milliseconds. */
const FAULTS_AFTER_MS = 300_000;

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
    await this.#silence(everyMs, { moreMs: 0, calm: random.next() < 0.5 });
    while (!producer.isDone || !source.isDone) {
      await clock.sleep(1 + below(random, 2 * everyMs), 'background');
      this.#close();
    }
    await this.#silence(everyMs, { moreMs: FAULTS_AFTER_MS, calm: false });
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

  /** Nothing comes, then the closer runs: calm, or under faults that go on for so much longer. */
  async #silence(
    everyMs: number,
    { moreMs, calm }: { readonly moreMs: number; readonly calm: boolean },
  ): Promise<void> {
    const { clock, random, producer, onSilence } = this.#options;
    const ms = this.#silenceMs();
    // Nothing comes while the closer is at it, so that windows are closed before they are corrected.
    const closingMs = RUNS.silent * 2 * everyMs;
    producer.delay(ms + closingMs);
    onSilence(ms + closingMs + moreMs);
    await clock.sleep(ms);
    this.#calm = calm;
    for (let run = 0; run < (calm ? RUNS.calm : RUNS.silent); run += 1) {
      this.#close();
      await clock.sleep(below(random, 2 * everyMs));
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
