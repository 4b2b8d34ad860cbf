import { DeadlineError, TransientError } from '../core/errors.ts';
import type { ClosePorts } from '../handlers/close.ts';
import type { ConsumePorts } from '../handlers/ports.ts';
import type { Random } from '../ports/random.ts';
import type { SendOptions } from '../ports/table.ts';
import type { VirtualClock } from './clock.ts';
import { outletThrough } from './container-outlet.ts';
import { publisherThrough } from './container-publisher.ts';
import { bucketThrough, streamThrough } from './container-services.ts';
import { tableThrough, type Written } from './container-table.ts';
import type { Dice } from './dice.ts';
import { LATE_MS, SLOW_MS, STALL_MS } from './faults.ts';
import { reached } from './outlets.ts';
import type { SimRecord } from './stream.ts';
import type { Trace, TracePlaces } from './trace.ts';
import type { Place, Weather } from './weather.ts';
import type { SimWorld } from './world.ts';

/** One run of a function, as the world sees it. */
export interface Run {
  /** Such as `r-12`. */
  readonly id: string;
  /** What it was given; nothing in a run of the keeper or the closer. */
  readonly records: readonly SimRecord[];
  /** When Lambda ends it, milliseconds since 1970 UTC. */
  readonly endMs: number;
}

/** What a container lives in. */
export interface ContainerOptions {
  readonly name: string;
  readonly world: SimWorld;
  readonly clock: VirtualClock;
  /** What the handlers draw from. */
  readonly random: Random;
  readonly trace: Trace;
  readonly dice: Dice;
  readonly weather: Weather;
  /** Dies at this request of the whole simulation, before or after it; for trying each one. */
  readonly crashAt: CrashPoint | undefined;
  /** Counts requests of the whole simulation. */
  readonly nextRequest: () => number;
  /** Told of each item that was written, whenever it was. */
  readonly onWritten: (written: Written) => void;
  /** Told of what no handler may do. */
  readonly onViolation: (text: string) => void;
}

/** One await of the handler. */
export interface CrashPoint {
  readonly request: number;
  readonly phase: 'before' | 'after';
}

/** One request on its way. */
export interface Request<Answer> extends Place {
  /** Items in it. */
  readonly size: number;
  readonly apply: (run: Run | undefined) => Promise<Answer>;
  /** The answer that says so, or throws it. */
  readonly refused: (error: Error) => Answer;
  readonly places?: () => TracePlaces;
}

/** Sends a request through everything that can go wrong with one. */
export type Send = <Answer>(request: Request<Answer>, options: SendOptions) => Promise<Answer>;

/**
 * A Lambda container's view of the world: the ports with latency and faults.
 *
 * Invariants
 * 1. A dead container goes no further: what it awaits never comes. What it had sent may still be applied.
 * 2. A frozen container goes no further until it is thawed: what came meanwhile waits for it.
 * 3. Nothing here looks at what the handler does; it only sees requests.
 */
export class Container {
  readonly #options: ContainerOptions;
  readonly ports: ConsumePorts & ClosePorts;
  /** Settles when it dies. */
  readonly death: Promise<void>;
  #alive = true;
  #frozen = false;
  #held: (() => void)[] = [];
  #run: Run | undefined;
  #tellDeath: () => void = () => undefined;
  /** True when its own code ended it, as a record that kills the function does. */
  killed = false;

  constructor(options: ContainerOptions) {
    this.#options = options;
    this.death = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
    const { world, clock, random } = options;
    this.ports = {
      clock: { now: () => clock.now(), sleep: (ms) => this.#sleep(ms) },
      random,
      stream: streamThrough(world.stream, this.send),
      ledger: tableThrough('ledger', world.ledger, { ...options, send: this.send }),
      aggregates: tableThrough('aggregates', world.aggregates, { ...options, send: this.send }),
      events: tableThrough('events', world.events, { ...options, send: this.send }),
      quarantineIndex: tableThrough('quarantine-index', world.quarantineIndex, {
        ...options,
        send: this.send,
      }),
      quarantine: bucketThrough(world.quarantine, this.send),
      publisher: publisherThrough(world.publisher, { ...options, send: this.send }),
      outlets: reached(world.outlets, (outlet) =>
        outletThrough(outlet, { ...options, send: this.send }),
      ),
    };
  }

  get name(): string {
    return this.#options.name;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Begins a run: what had waited in the frozen container goes on beside it. */
  start(run: Run): void {
    this.#run = run;
    this.thaw();
  }

  /** Its code stands still from now on. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Goes on with what had come meanwhile. */
  thaw(): void {
    this.#frozen = false;
    const held = this.#held;
    this.#held = [];
    for (const go of held) go();
  }

  /** Its own code ends it. */
  readonly kill = (): void => {
    this.killed = true;
    this.die();
  };

  /** Ends it: its process is gone. */
  die(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#held = [];
    this.#note('died');
    this.#tellDeath();
  }

  readonly send: Send = async (request, options) => {
    const { clock, dice, nextRequest, onViolation } = this.#options;
    const run = this.#run;
    if (!this.#alive) return never();
    const nowMs = clock.now();
    if (nowMs >= options.deadlineMs) return request.refused(new DeadlineError(request.step));
    if (run !== undefined && nowMs >= run.endMs) {
      onViolation(`${run.id}: sent ${request.step} ${nowMs - run.endMs} ms after its end`);
    }
    const number = nextRequest();
    if (this.#dies(number, 'before', request.step)) return never();
    this.#note(`${request.step} ${request.size}`, request.places);
    const thereMs = this.#latencyMs(request.step);
    const backMs = 1 + dice.upTo(10);
    const travel = this.#travel(request, thereMs, run);
    if (nowMs + thereMs + backMs >= options.deadlineMs) {
      // Whatever becomes of it, the caller hears no more than that.
      travel.catch(() => undefined);
      await clock.sleep(options.deadlineMs - nowMs);
      await this.#passage();
      return request.refused(new DeadlineError(request.step));
    }
    try {
      return await travel;
    } finally {
      await clock.sleep(backMs);
      // Not even the deadline ends it: the function hangs.
      if (dice.strikes('stall', request.step)) await clock.sleep(this.#stallMs(run));
      this.#dies(number, 'after', request.step);
      await this.#passage();
    }
  };

  async #travel<Answer>(
    request: Request<Answer>,
    thereMs: number,
    run: Run | undefined,
  ): Promise<Answer> {
    const { clock, dice, weather } = this.#options;
    await clock.sleep(thereMs);
    const { step } = request;
    weather.changeAt(dice, request, clock.now());
    const lost = (why: string) => request.refused(new TransientError(`${step}: simulated ${why}`));
    const weatherFault = weather.refuses(clock.now(), request.service, request.encrypted);
    if (weatherFault !== undefined) {
      dice.met(weatherFault, step);
      this.#note(`${step} met by ${weatherFault}`, request.places);
      return lost(weatherFault);
    }
    const fault = dice.oneOf(['refuse', 'loseAnswer', 'applyLate'], step);
    if (fault === 'refuse') return lost(fault);
    if (fault === 'applyLate') {
      const atMs = clock.now() + dice.upTo(LATE_MS);
      // Not awaited: it lands whatever becomes of the container.
      clock.at(atMs, () => {
        request.apply(run).catch(() => undefined);
        this.#note(`${step} applied late`, request.places);
      });
      return lost(fault);
    }
    const answer = await request.apply(run);
    return fault === 'loseAnswer' ? lost(fault) : answer;
  }

  async #sleep(ms: number): Promise<void> {
    const { clock, nextRequest } = this.#options;
    if (this.#dies(nextRequest(), 'before', 'pause')) return never();
    await clock.sleep(ms);
    return this.#passage();
  }

  #latencyMs(step: string): number {
    const { dice } = this.#options;
    return dice.strikes('slow', step) ? dice.upTo(SLOW_MS) : 1 + dice.upTo(10);
  }

  /** As likely beyond the end of the run as before it. */
  #stallMs(run: Run | undefined): number {
    const { clock, dice } = this.#options;
    const leftMs = run === undefined ? STALL_MS : Math.max(0, run.endMs - clock.now());
    return dice.upTo(2 * leftMs);
  }

  #dies(request: number, phase: CrashPoint['phase'], step: string): boolean {
    const { crashAt, dice } = this.#options;
    if (!this.#alive) return true;
    const asked = crashAt?.request === request && crashAt.phase === phase;
    if (asked) dice.count('crash');
    else if (!dice.strikes('crash', step)) return false;
    this.#note(`${phase} ${step}`);
    this.die();
    return true;
  }

  /** Goes on at once, later, or never. */
  #passage(): Promise<void> {
    if (!this.#alive) return never();
    if (!this.#frozen) return Promise.resolve();
    return new Promise((resolve) => this.#held.push(resolve));
  }

  #note(text: string, places?: () => TracePlaces): void {
    const { trace, clock, name } = this.#options;
    const run = this.#run === undefined ? '' : ` (${this.#run.id})`;
    trace.add(clock.now(), name, text + run, places);
  }
}

function never<Value>(): Promise<Value> {
  return new Promise(() => undefined);
}
