import { makeManualClock } from '../../src/adapters/memory/clock.ts';
import { makeMemoryPublisher } from '../../src/adapters/memory/publisher.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { BatchComputation } from '../../src/batch/batch.ts';
import type { WindowEvent } from '../../src/core/closing.ts';
import { compile } from '../../src/core/compile.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { Program } from '../../src/core/program.ts';
import { makeClose } from '../../src/handlers/close.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import type { Item } from '../../src/ports/table.ts';
import { checkPublished } from '../../src/sim/check-closing.ts';
import { checkClosing } from './check-closing.ts';
import {
  type ClosingPorts,
  type ClosingWorld,
  FaultyRun,
  HEALED,
  type Rates,
} from './faulty-ports.ts';
import { envelope, makeWorld, NOON_MS, record } from './world.ts';

const MINUTE_MS = 60_000;

/** Events come for this long; then faults end, and everything has to be published. */
const FAULTS_FOR_MS = 60 * MINUTE_MS;
const END_MS = 240 * MINUTE_MS;
const TIMEOUT_MS = 60_000;
const CLOSE_EVERY_MS = 2 * MINUTE_MS;
const LOOPS_MAX = 200_000;

/** A record of the simulated stream. */
export interface LaneRecord {
  readonly partition: number;
  readonly sequence: number;
  readonly shard: number;
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

/** What is simulated. */
export interface ClosingSimulation {
  readonly seed: number;
  readonly pipeline: AnyPipeline;
  readonly partitions: number;
  readonly rates: Rates;
  /** Changes what the closer or the consumer does: how planted bugs are tried. */
  readonly plant?: (ports: ClosingPorts, role: 'closer' | 'consumer') => ClosingPorts;
}

/** How it ended. */
export interface ClosingResult {
  /** Promises that were broken. */
  readonly violations: readonly string[];
  /** Everything that was published, in its order, repeats included. */
  readonly events: readonly WindowEvent[];
  /** The table of aggregates at the end. */
  readonly aggregates: readonly Item[];
  /** Events that were published, repeats included, and of them corrections. */
  readonly published: number;
  readonly corrections: number;
  readonly runs: number;
}

/**
 * Consumers and closers in virtual time over one world, with faults: the closer is started on its
 * schedule, whatever became of the run before. Partitions fall silent for longer than the idle time, and
 * come back with events of windows that were closed without them. The same seed gives the same run.
 */
export function simulateClosing(simulation: ClosingSimulation): Promise<ClosingResult> {
  return new Driver(simulation).run();
}

class Driver {
  readonly #simulation: ClosingSimulation;
  readonly #random;
  readonly #world: ClosingWorld;
  readonly #program: Program;
  readonly #lanes: LaneRecord[][];
  readonly #finished: number[];
  #sequence = 0;
  #shard = 0;
  #sending = true;
  #runs = 0;
  #broken: string | undefined;

  constructor(simulation: ClosingSimulation) {
    this.#simulation = simulation;
    this.#random = makeSeededRandom(simulation.seed);
    this.#program = compile(simulation.pipeline);
    this.#world = {
      ...makeWorld(NOON_MS),
      clock: makeManualClock(NOON_MS),
      publisher: makeMemoryPublisher(),
    };
    this.#lanes = Array.from({ length: simulation.partitions }, () => []);
    this.#finished = this.#lanes.map(() => 0);
  }

  async run(): Promise<ClosingResult> {
    const { clock } = this.#world;
    const sending = this.#lanes.map((_, partition) => this.#send(partition));
    Promise.all(sending).then(() => {
      this.#sending = false;
    });
    for (const partition of this.#lanes.keys()) this.#deliver(partition);
    this.#schedule();
    for (let loop = 0; clock.now() < NOON_MS + END_MS; loop += 1) {
      await settled();
      const nextMs = clock.nextWake();
      if (nextMs === undefined) break;
      if (loop === LOOPS_MAX) throw new Error(`seed ${this.#simulation.seed} goes on for ever`);
      clock.advance(Math.max(0, nextMs - clock.now()));
    }
    return this.#result();
  }

  #result(): ClosingResult {
    const { seed, pipeline } = this.#simulation;
    const { events } = this.#world.publisher;
    const batch = new BatchComputation(pipeline, this.#program);
    for (const { partition, bytes, arrivalMs } of this.#lanes.flat()) {
      batch.add({ bytes, lane: `p${partition}`, arrivalMs });
    }
    // A record before which many tries died counts nowhere, which the batch computation can't know.
    const hasCrashed = this.#world.quarantineIndex.items().some(({ r }) => r === 'crash');
    const of = { program: this.#program, events };
    const left = this.#lanes.some((lane, at) => (this.#finished[at] ?? 0) < lane.length);
    const found = [
      ...(this.#broken === undefined ? [] : [this.#broken]),
      ...(left ? ['records are left'] : []),
      ...(hasCrashed ? checkPublished(events) : checkClosing({ ...of, computed: batch.result() })),
    ];
    return {
      violations: found.map((text) => `seed ${seed}: ${text}`),
      events,
      aggregates: this.#world.aggregates.items(),
      published: events.length,
      corrections: events.filter(({ type }) => type !== 'window.closed').length,
      runs: this.#runs,
    };
  }

  #rates = (): Rates =>
    this.#world.clock.now() < NOON_MS + FAULTS_FOR_MS ? this.#simulation.rates : HEALED;

  /** A producer of one partition: events, some of them old, and long silences. */
  async #send(partition: number): Promise<void> {
    const { clock } = this.#world;
    const random = this.#random;
    await clock.sleep(random.next() * 20 * MINUTE_MS);
    while (clock.now() < NOON_MS + FAULTS_FOR_MS) {
      const late = random.next() < 0.3 ? random.next() * 25 * MINUTE_MS : random.next() * MINUTE_MS;
      this.#put(partition, clock.now() - late);
      if (random.next() < 0.1) this.#reshard();
      const silent = random.next() < 0.25;
      await clock.sleep((silent ? 15 : 2) * MINUTE_MS * random.next());
    }
  }

  #put(partition: number, timeMs: number): void {
    this.#sequence += 1;
    const place = this.#random.next() < 0.5 ? 'ATL' : 'ORD';
    const data = { place, at: Math.floor(timeMs), amount: this.#sequence };
    const bytes = envelope({ sequence: this.#sequence, data });
    const arrivalMs = this.#world.clock.now();
    this.#lanes[partition]?.push({
      partition,
      sequence: this.#sequence,
      shard: this.#shard,
      arrivalMs,
      bytes,
    });
  }

  /** Later records come from a child shard: positions go on. */
  #reshard(): void {
    this.#world.stream.addShard(this.#shard + 1, [this.#shard]);
    this.#shard += 1;
  }

  /** The mapping of one partition: in order, again and again, at least once. */
  async #deliver(partition: number): Promise<void> {
    const { clock } = this.#world;
    const lane = this.#lanes[partition] ?? [];
    while (this.#sending || (this.#finished[partition] ?? 0) < lane.length) {
      await clock.sleep(1_000 + this.#random.next() * 5_000);
      const from = this.#finished[partition] ?? 0;
      const batch = lane.slice(from, from + 1 + Math.floor(this.#random.next() * 5));
      if (batch.length === 0) continue;
      const finished = await this.#consume(batch);
      // A lost checkpoint: the mapping goes back, here or to the very start.
      const back = this.#rates() !== HEALED && this.#random.next() < 0.05;
      this.#finished[partition] = back ? Math.floor(this.#random.next() * from) : from + finished;
    }
  }

  async #consume(batch: readonly LaneRecord[]): Promise<number> {
    const run = this.#start();
    const consume = makeConsume(this.#planted(run, 'consumer'), this.#program);
    const Records = batch.map(({ shard, sequence, partition, arrivalMs, bytes }) =>
      record({ shard, sequence, bytes, partitionKey: `p-${partition}`, arrivalMs }),
    );
    const done = consume({ Records }, this.#invocation()).then(
      ({ response }) => {
        const [failure] = response.batchItemFailures;
        if (failure === undefined) return batch.length;
        return batch.findIndex(({ sequence }) => String(sequence) === failure.itemIdentifier);
      },
      (error: unknown) => this.#threw(error),
    );
    return this.#raced(run, done, 0);
  }

  /** The closer's schedule: a run may still be at it when the next one starts. */
  async #schedule(): Promise<void> {
    const { clock } = this.#world;
    for (;;) {
      await clock.sleep(CLOSE_EVERY_MS * (0.2 + this.#random.next()));
      this.#runs += 1;
      const run = this.#start();
      const close = makeClose(this.#planted(run, 'closer'), this.#program);
      const done = close(this.#invocation()).then(
        () => 0,
        (error: unknown) => this.#threw(error),
      );
      this.#raced(run, done, 0);
    }
  }

  #start(): FaultyRun {
    return new FaultyRun(this.#world, this.#random, this.#rates);
  }

  #planted(run: FaultyRun, role: 'closer' | 'consumer'): ClosingPorts {
    return this.#simulation.plant?.(run.ports, role) ?? run.ports;
  }

  #invocation() {
    return { requestId: 'r', deadlineMs: this.#world.clock.now() + TIMEOUT_MS };
  }

  /** Its answer, its death, or its time: what it sends after that is its own affair. */
  async #raced<Value>(run: FaultyRun, done: Promise<Value>, otherwise: Value): Promise<Value> {
    const timedOut = this.#world.clock.sleep(TIMEOUT_MS).then(() => otherwise);
    const value = await Promise.race([done, run.death.then(() => otherwise), timedOut]);
    run.die();
    return value;
  }

  #threw(error: unknown): 0 {
    const name = error instanceof Error ? error.name : String(error);
    if (!/Transient|Deadline/.test(name)) this.#broken ??= `threw ${String(error)}`;
    return 0;
  }
}

/** Waits until every promise that can settle has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
