import { makeManualClock } from '../../src/adapters/memory/clock.ts';
import { makeMemoryPublisher } from '../../src/adapters/memory/publisher.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { compile } from '../../src/core/compile.ts';
import type { Program } from '../../src/core/program.ts';
import type { RedriveChoice } from '../../src/core/redrive.ts';
import { announceSwitch } from '../../src/handlers/announce-switch.ts';
import { makeClose } from '../../src/handlers/close.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import { makeRedrive, type RedriveAnswer } from '../../src/handlers/redrive.ts';
import type { RedriveRequest } from '../../src/handlers/redrive-request.ts';
import { checkRedrive } from './check-redrive.ts';
import { type ClosingWorld, FaultyRun, HEALED, type Rates } from './faulty-ports.ts';
import {
  FIRST,
  type LaneRecord,
  MENDED,
  MENDED_MS,
  PARTITIONS,
  PLACES,
} from './redrive-pipelines.ts';
import { envelope, makeWorld, NOON_MS, record } from './world.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

const FAULTS_UNTIL_MS = NOON_MS + 150 * MINUTE_MS;
const LAST_JOB_MS = NOON_MS + 180 * MINUTE_MS;
const END_MS = NOON_MS + 360 * MINUTE_MS;
const TIMEOUT_MS = 60_000;
const CLOSE_EVERY_MS = 4 * MINUTE_MS;
const LOOPS_MAX = 100_000;

/** Functions that the simulation runs: its own, or ones with a mistake. */
export interface RedriveHandlers {
  readonly makeConsume: typeof makeConsume;
  readonly makeClose: typeof makeClose;
  readonly makeRedrive: typeof makeRedrive;
}

/** What is simulated. */
export interface RedriveSimulation {
  readonly seed: number;
  readonly rates: Rates;
  readonly handlers?: RedriveHandlers;
}

/** How it ended. */
export interface RedriveResult {
  /** Promises that were broken. */
  readonly violations: readonly string[];
  /** Events that were brought back, and jobs that did. */
  readonly redriven: number;
  readonly jobs: number;
  /** Corrections of closed windows that were published. */
  readonly corrections: number;
}

/**
 * A stream is consumed by a pipeline that refuses many of its events; then by a mended one, while jobs bring
 * them back, several at once, under faults. At the end a job without a filter brings back the rest. The same
 * seed gives the same run.
 */
export function simulateRedrive(simulation: RedriveSimulation): Promise<RedriveResult> {
  return new Driver(simulation).run();
}

class Driver {
  readonly #simulation: RedriveSimulation;
  readonly #handlers: RedriveHandlers;
  readonly #random;
  readonly #world: ClosingWorld;
  readonly #first: Program = compile(FIRST);
  readonly #mended: Program = compile(MENDED);
  readonly #lanes: LaneRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #finished: number[] = this.#lanes.map(() => 0);
  #sequence = 0;
  #broken: string | undefined;

  constructor(simulation: RedriveSimulation) {
    this.#simulation = simulation;
    this.#handlers = simulation.handlers ?? { makeConsume, makeClose, makeRedrive };
    this.#random = makeSeededRandom(simulation.seed);
    this.#world = {
      ...makeWorld(NOON_MS),
      clock: makeManualClock(NOON_MS),
      publisher: makeMemoryPublisher(),
    };
  }

  async run(): Promise<RedriveResult> {
    const { clock } = this.#world;
    for (const partition of this.#lanes.keys()) {
      this.#send(partition);
      this.#deliver(partition);
    }
    await this.#announce();
    this.#close();
    for (let user = 0; user < 3; user += 1) this.#redrive();
    this.#redriveRest();
    for (let loop = 0; clock.now() < END_MS; loop += 1) {
      await settled();
      const nextMs = clock.nextWake();
      if (nextMs === undefined || this.#broken !== undefined) break;
      if (loop === LOOPS_MAX) this.#broken = 'goes on for ever';
      clock.advance(Math.max(0, nextMs - clock.now()));
    }
    return this.#result();
  }

  /** The mended pipeline decides on what arrives from then on. */
  async #announce(): Promise<void> {
    const { ledger, clock } = this.#world;
    const { random } = this.#world;
    const context = { clock, random, deadlineMs: Number.POSITIVE_INFINITY };
    const [from, to] = [this.#first.fingerprint, this.#mended.fingerprint];
    await announceSwitch(ledger, { from, to, atMs: MENDED_MS, leadMs: 0 }, context);
  }

  #result(): RedriveResult {
    const { seed } = this.#simulation;
    const left = this.#lanes.some((lane, at) => (this.#finished[at] ?? 0) < lane.length);
    const { violations, ...counts } = checkRedrive(this.#world, this.#lanes);
    const found = [
      ...(this.#broken === undefined ? [] : [this.#broken]),
      ...(left ? ['records are left'] : []),
      ...violations,
    ];
    return { violations: found.map((text) => `seed ${seed}: ${text}`), ...counts };
  }

  #rates = (): Rates =>
    this.#world.clock.now() < FAULTS_UNTIL_MS ? this.#simulation.rates : HEALED;

  get #isMended(): boolean {
    return this.#world.clock.now() >= MENDED_MS;
  }

  /** A producer of one partition. It is quiet while the pipeline is changed. */
  async #send(partition: number): Promise<void> {
    const { clock } = this.#world;
    const random = this.#random;
    while (clock.now() < MENDED_MS - 25 * MINUTE_MS) {
      this.#put(partition);
      await clock.sleep(2 * MINUTE_MS * random.next());
    }
    await clock.sleep(MENDED_MS + 5 * MINUTE_MS - clock.now());
    while (clock.now() < FAULTS_UNTIL_MS - 30 * MINUTE_MS) {
      this.#put(partition);
      await clock.sleep(6 * MINUTE_MS * random.next());
    }
  }

  /** An event; and where it is refused, perhaps once more, or mended under the same id. */
  #put(partition: number): void {
    const random = this.#random;
    const nowMs = this.#world.clock.now();
    this.#sequence += 1;
    const id = `e${this.#sequence}`;
    if (random.next() < 0.05) {
      this.#add(partition, { bytes: Buffer.from('{"half'), event: undefined });
      return;
    }
    const place = this.#place(partition);
    const event = { id, place, at: Math.floor(nowMs - this.#ageMs()) };
    const data = { place, at: event.at, amount: this.#sequence };
    const bytes = envelope({ sequence: 0, data, id });
    this.#add(partition, { bytes, event });
    if (place !== 'NEW' || this.#isMended || random.next() < 0.6) return;
    if (random.next() < 0.5) this.#add(partition, { bytes, event });
    else {
      const mended = { ...data, place: 'ATL' };
      const again = envelope({ sequence: 0, data: mended, id });
      this.#add(partition, { bytes: again, event: { ...event, place: 'ATL' } });
    }
  }

  /** Each partition has keys of its own. */
  #place(partition: number): string {
    const at = this.#random.next();
    if (at < 0.4) return 'NEW';
    return PLACES[partition] ?? 'ATL';
  }

  /** Most are new, some late; some of these too late for their windows, or soon. */
  #ageMs(): number {
    const random = this.#random;
    const at = random.next();
    if (at < 0.7) return random.next() * MINUTE_MS;
    if (at < 0.9) return random.next() * 40 * MINUTE_MS;
    if (at < 0.92) return 40 * DAY_MS;
    return 30 * DAY_MS - random.next() * 180 * MINUTE_MS;
  }

  #add(partition: number, { bytes, event }: Pick<LaneRecord, 'bytes' | 'event'>): void {
    const lane = this.#lanes[partition] ?? [];
    const arrivalMs = this.#world.clock.now();
    lane.push({
      partition,
      sequence: 1_000 * (partition + 1) + lane.length,
      arrivalMs,
      bytes,
      event,
    });
  }

  /** The mapping of one partition: in order, again and again, at least once. */
  async #deliver(partition: number): Promise<void> {
    const { clock } = this.#world;
    const lane = this.#lanes[partition] ?? [];
    while (clock.now() < LAST_JOB_MS) {
      await clock.sleep(1_000 + this.#random.next() * 20_000);
      const from = this.#finished[partition] ?? 0;
      const batch = lane.slice(from, from + 1 + Math.floor(this.#random.next() * 5));
      if (batch.length === 0) continue;
      const finished = await this.#consume(batch);
      this.#finished[partition] = from + finished;
    }
  }

  async #consume(batch: readonly LaneRecord[]): Promise<number> {
    const run = this.#start();
    const program = this.#isMended ? this.#mended : this.#first;
    const consume = this.#handlers.makeConsume(run.wholePorts, program);
    const Records = batch.map(({ sequence, partition, arrivalMs, bytes }) =>
      record({ sequence, bytes, partitionKey: `p-${partition}`, arrivalMs }),
    );
    const done = consume({ Records }, this.#invocation()).then(({ response }) => {
      const [failure] = response.batchItemFailures;
      if (failure === undefined) return batch.length;
      return batch.findIndex(({ sequence }) => String(sequence) === failure.itemIdentifier);
    });
    return (await this.#raced(run, done)) ?? 0;
  }

  async #close(): Promise<void> {
    const { clock } = this.#world;
    for (;;) {
      await clock.sleep(CLOSE_EVERY_MS * (0.2 + this.#random.next()));
      const run = this.#start();
      const program = this.#isMended ? this.#mended : this.#first;
      this.#raced(run, this.#handlers.makeClose(run.ports, program)(this.#invocation()));
    }
  }

  /** A user who asks for jobs, and for their end, and gives up now and then. */
  async #redrive(): Promise<void> {
    const { clock } = this.#world;
    const random = this.#random;
    await clock.sleep(MENDED_MS - clock.now());
    while (clock.now() < FAULTS_UNTIL_MS) {
      // Users come at the same times.
      await clock.sleep(20 * MINUTE_MS - (clock.now() % (20 * MINUTE_MS)) + 1_000);
      const answer = await this.#call({ action: 'ask', choice: this.#choice(), by: 'user' });
      if (answer?.action !== 'ask') continue;
      for (let call = 0; call < 12 && random.next() < 0.9; call += 1) {
        await this.#call({ action: 'run', job: answer.job.number });
      }
    }
  }

  #choice(): RedriveChoice {
    const random = this.#random;
    return {
      fromMs: NOON_MS - DAY_MS,
      toMs: NOON_MS + DAY_MS,
      reason: random.next() < 0.5 ? 'schema' : undefined,
      limit: random.next() < 0.5 ? 5 : 1_000,
    };
  }

  /** The last job, of everything: it comes to its end, and with it all before. */
  async #redriveRest(): Promise<void> {
    const { clock } = this.#world;
    await clock.sleep(LAST_JOB_MS - clock.now());
    const choice = { ...this.#choice(), reason: undefined, limit: 1_000 };
    const asked = await this.#call({ action: 'ask', choice, by: 'the last' });
    if (asked?.action !== 'ask') throw new Error('the last job was not taken');
    for (let call = 0; call < 40; call += 1) {
      const answer = await this.#call({ action: 'run', job: asked.job.number });
      if (answer?.action === 'run' && answer.progress.job.state === 'done') return;
    }
    this.#broken ??= 'the last job does not come to its end';
  }

  async #call(request: RedriveRequest): Promise<RedriveAnswer | undefined> {
    const run = this.#start();
    const redrive = this.#handlers.makeRedrive(run.wholePorts, this.#mended);
    return this.#raced(run, redrive(request, this.#invocation()));
  }

  #start(): FaultyRun {
    return new FaultyRun(this.#world, this.#random, this.#rates);
  }

  #invocation() {
    return { requestId: 'r', deadlineMs: this.#world.clock.now() + TIMEOUT_MS };
  }

  /** Its answer, its death, or its time: what it sends after that is its own affair. */
  async #raced<Value>(run: FaultyRun, done: Promise<Value>): Promise<Value | undefined> {
    const answered = done.catch((error: unknown) => this.#threw(error));
    const timedOut = this.#world.clock.sleep(TIMEOUT_MS).then(() => undefined);
    const value = await Promise.race([answered, run.death.then(() => undefined), timedOut]);
    run.die();
    return value;
  }

  #threw(error: unknown): undefined {
    const name = error instanceof Error ? error.name : String(error);
    if (!/Transient|Deadline/.test(name)) this.#broken ??= `threw ${String(error)}`;
    return undefined;
  }
}

/** Waits until every promise that can settle has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
