import { makeMemoryBucket } from '../../src/adapters/memory/bucket.ts';
import { makeManualClock } from '../../src/adapters/memory/clock.ts';
import { makeMemoryPublisher } from '../../src/adapters/memory/publisher.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import { FAILURE_PREFIX } from '../../src/core/contract.ts';
import type { Program } from '../../src/core/program.ts';
import { makeArchive } from '../../src/handlers/archive.ts';
import { makeCheckArchive } from '../../src/handlers/check-archive.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import type { BatchResponse } from '../../src/handlers/kinesis-batch.ts';
import { liveGeneration } from '../../src/handlers/live-generation.ts';
import type { ConsumePorts, ReplayPorts } from '../../src/handlers/ports.ts';
import { makeRecover } from '../../src/handlers/recover.ts';
import { makeReplay, type ReplayJob, type ReplayRequest } from '../../src/handlers/replay.ts';
import { liveJob } from '../../src/handlers/replay-job.ts';
import type { ReplayState } from '../../src/handlers/replay-report.ts';
import { FaultyRun, HEALED, type Rates } from './faulty-ports.ts';
import { ShardedStream, StreamMapping, type StreamRecord } from './sharded-stream.ts';
import { envelope, NOON_MS, record } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Events and faults last for so long; then everything has to come to its end. */
const FAULTS_FOR_MS = 60 * HOUR_MS;
const END_MS = 72 * HOUR_MS;
const TIMEOUT_MS = 60_000;
const REPLAY_TIMEOUT_MS = 150_000;
/** From when on batches are given up: the stream has forgotten records by then. */
const GIVES_UP_MS = 35 * HOUR_MS;

/** Names the live mapping among what was given up. */
const LIVE_MAPPING = 'live-mapping';
const LOOPS_MAX = 40_000;

const IDENTITY = {
  arn: 'arn:aws:kinesis:eu-west-1:111122223333:stream/test',
  createdMs: NOON_MS - 1_000,
};

/** The pipeline that runs, and the changed one that a generation is rebuilt under. */
export interface ReplayPrograms {
  readonly live: Program;
  readonly next: Program;
}

/** What is simulated. */
export interface ReplaySimulation {
  readonly seed: number;
  readonly programs: ReplayPrograms;
  readonly rates: Rates;
  /** Default: everything that was archived. */
  readonly job?: ReplayJob;
  /** Enables the generation's mapping in these states; default: when it is complete. */
  readonly startsMapping?: (state: ReplayState) => boolean;
  /**
   * How often the live mapping gives up a batch that is unfinished, 0 to 1; then it is recovered from by itself.
   * Default: it never gives up, and the generation is rebuilt by hand.
   */
  readonly givesUp?: number;
  /** The live consumer stands still for longer than the stream remembers, and what it missed is replayed into its tables. */
  readonly standsStill?: boolean;
  /** Other makers of the handlers: how mistakes are tried. */
  readonly handlers?: Partial<Handlers>;
}

interface Handlers {
  readonly makeConsume: typeof makeConsume;
  readonly makeReplay: typeof makeReplay;
  readonly makeRecover: typeof makeRecover;
}

/** The tables of a generation. */
export type GenerationTables = ReturnType<typeof makeTables>;

/** How it ended. */
export interface ReplayEnd {
  readonly seed: number;
  readonly live: GenerationTables;
  readonly next: GenerationTables;
  /** Every record, in the order of its partition. */
  readonly records: readonly StreamRecord[];
  /** What went wrong on the way. */
  readonly broken: readonly string[];
  /** Calls of the function that rebuilds, and of them those beside another one. */
  readonly calls: number;
  readonly doubled: number;
  /** Records that the calls, and the generation's mapping, found done already. */
  readonly repeated: number;
  readonly shards: number;
  readonly objects: number;
  /** Batches that were given up, and which generation is live. */
  readonly givenUp: number;
  readonly liveName: string;
}

function makeTables() {
  return {
    ledger: makeMemoryTable(),
    aggregates: makeMemoryTable(),
    events: makeMemoryTable(),
    quarantineIndex: makeMemoryTable(),
    quarantine: makeMemoryBucket(),
  };
}

/**
 * A stream that is consumed and archived, whose shards split and merge and which forgets after a day, and a
 * generation that is rebuilt beside it, all under faults: calls die, answers are lost, two rebuild at once.
 * Then its mapping is started. The same seed gives the same run.
 */
export function simulateReplay(simulation: ReplaySimulation): Promise<ReplayEnd> {
  return new Driver(simulation).run();
}

class Driver {
  readonly #simulation: ReplaySimulation;
  readonly #random;
  readonly #clock = makeManualClock(NOON_MS);
  readonly #stream: ShardedStream;
  readonly #archive = makeMemoryBucket();
  readonly #failures = makeMemoryBucket();
  readonly #live = makeTables();
  readonly #next = makeTables();
  readonly #handlers: Handlers;
  readonly #broken: string[] = [];
  #ended = false;
  #isLeft = () => true;
  /** The live consumer is made first. */
  #mappings = 0;
  #isStill = false;
  readonly #counts = { calls: 0, doubled: 0, repeated: 0 };

  constructor(simulation: ReplaySimulation) {
    this.#simulation = simulation;
    this.#handlers = { makeConsume, makeReplay, makeRecover, ...simulation.handlers };
    this.#random = makeSeededRandom(simulation.seed);
    const { settings } = simulation.programs.live;
    this.#stream = new ShardedStream({
      identity: IDENTITY,
      partitions: Number(settings.partitions),
      retentionMs: settings.retention.streamMs,
      now: () => this.#clock.now(),
      random: this.#random,
    });
  }

  async run(): Promise<ReplayEnd> {
    const { live } = this.#simulation.programs;
    for (let at = 0; at < Number(live.settings.partitions); at += 1) this.#produce(at);
    const { givesUp = 0 } = this.#simulation;
    const consumer = this.#map(
      (run, batch) => this.#consume(run, this.#live, live, batch),
      givesUp,
    );
    const archiver = this.#map((run, batch) => this.#archiveBatch(run, batch));
    this.#check();
    const rebuilt = this.#second(consumer);
    rebuilt.then(
      (mapping) => {
        this.#isLeft = () => ![consumer, archiver, mapping].every((one) => one.isDone);
      },
      () => undefined,
    );
    for (let loop = 0; this.#clock.now() < NOON_MS + END_MS; loop += 1) {
      await settled();
      const nextMs = this.#clock.nextWake();
      if (nextMs === undefined) break;
      if (loop === LOOPS_MAX) {
        this.#broken.push('it goes on for ever');
        break;
      }
      this.#clock.advance(Math.max(0, nextMs - this.#clock.now()));
    }
    this.#ended = true;
    if (this.#isLeft()) this.#broken.push('something is left');
    const { clock: _clock, ...rest } = this.#ports(this.#start(), this.#live);
    const context = { ...rest, clock: this.#clock, deadlineMs: Number.POSITIVE_INFINITY };
    const { live: liveName } = await liveGeneration(this.#live.ledger, context);
    return { ...this.#end(), liveName };
  }

  /** What goes on beside the consumer: the mapping that has to come to its end too. */
  #second(consumer: StreamMapping): Promise<StreamMapping> {
    if (this.#simulation.standsStill === true) return this.#catchUp(consumer);
    return this.#simulation.givesUp === undefined ? this.#rebuild() : this.#recover();
  }

  #end(): Omit<ReplayEnd, 'liveName'> {
    const { records } = this.#stream;
    return {
      seed: this.#simulation.seed,
      live: this.#live,
      next: this.#next,
      records,
      broken: this.#broken,
      ...this.#counts,
      shards: new Set(records.map(({ shard }) => shard)).size,
      objects: this.#archive.objects.size,
      givenUp: this.#failures.objects.size,
    };
  }

  #rates = (): Rates =>
    this.#clock.now() < NOON_MS + FAULTS_FOR_MS ? this.#simulation.rates : HEALED;

  /** Events of one partition, some late, some sent again soon or long after. */
  async #produce(partition: number): Promise<void> {
    const random = this.#random;
    const sent: Uint8Array[] = [];
    for (let at = 0; this.#clock.now() < NOON_MS + FAULTS_FOR_MS; at += 1) {
      await this.#clock.sleep(random.next() * (random.next() < 0.1 ? 300 : 60) * MINUTE_MS);
      const again = sent.at(-1 - Math.floor(random.next() * 3));
      const isAgain = again !== undefined && random.next() < 0.2;
      const bytes = isAgain ? again : this.#event(`${partition}-${at}`);
      this.#stream.put(partition, bytes);
      sent.push(bytes);
      if (random.next() < 0.06) this.#stream.reshard();
    }
  }

  #event(id: string): Uint8Array {
    const random = this.#random;
    const lateMs = random.next() < 0.3 ? random.next() * 150 * MINUTE_MS : 0;
    const place = ['ATL', 'ORD', 'nowhere'][Math.floor(random.next() * 2.2)];
    const at = Math.floor(this.#clock.now() - lateMs);
    const data = { place, at, amount: Math.floor(random.next() * 1_000) };
    return envelope({ sequence: 0, id, data });
  }

  /** A mapping with its function, polling until the end. */
  #map(
    work: (run: FaultyRun, batch: readonly StreamRecord[]) => Promise<BatchResponse>,
    givesUp = 0,
  ): StreamMapping {
    const isConsumer = this.#mappings === 0;
    this.#mappings += 1;
    const deliver = async (batch: readonly StreamRecord[]) => {
      if (isConsumer && this.#isStill) return 0;
      const run = this.#start();
      const finished = work(run, batch).then(({ batchItemFailures: [failure] }) =>
        failure === undefined
          ? batch.length
          : batch.findIndex(({ sequence }) => String(sequence) === failure.itemIdentifier),
      );
      const done = await this.#raced(run, finished, 0);
      const mayGiveUp = givesUp > 0 && this.#clock.now() >= NOON_MS + GIVES_UP_MS;
      if (done === batch.length || !mayGiveUp || this.#random.next() >= givesUp) return done;
      await this.#giveUp(batch);
      return batch.length;
    };
    const mapping = new StreamMapping(this.#stream, deliver, this.#random);
    this.#poll(mapping);
    return mapping;
  }

  async #poll(mapping: StreamMapping): Promise<void> {
    while (!this.#ended) {
      await this.#clock.sleep((1 + this.#random.next() * 20) * MINUTE_MS);
      await mapping.poll(this.#rates() === HEALED ? 0 : 0.05, 6);
    }
  }

  async #consume(
    run: FaultyRun,
    tables: GenerationTables,
    ...[program, batch]: readonly [Program, readonly StreamRecord[]]
  ): Promise<BatchResponse> {
    const consume = this.#handlers.makeConsume(this.#ports(run, tables), program);
    const { response, report } = await consume(
      { Records: batch.map(asRecord) },
      this.#invocation(),
    );
    if (tables === this.#next) this.#counts.repeated += report.repeated;
    return response;
  }

  async #archiveBatch(run: FaultyRun, batch: readonly StreamRecord[]): Promise<BatchResponse> {
    const { settings } = this.#simulation.programs.live;
    const ports = { ...this.#ports(run, this.#live), archive: run.bucket(this.#archive) };
    const { response } = await makeArchive(ports, settings)(
      { Records: batch.map(asRecord) },
      this.#invocation(),
    );
    return response;
  }

  /** The hourly check, by which the tails of quiet shards stay fresh. */
  async #check(): Promise<void> {
    const { settings } = this.#simulation.programs.live;
    while (!this.#ended) {
      await this.#clock.sleep(HOUR_MS);
      const run = this.#start();
      const ports = {
        ...this.#ports(run, this.#live),
        archive: run.bucket(this.#archive),
        shards: run.shards(this.#stream.shards),
      };
      await this.#raced(run, makeCheckArchive(ports, settings)(this.#invocation()), undefined);
    }
  }

  /** Calls the function that rebuilds until the archive is through, and starts the mapping. */
  async #rebuild(): Promise<StreamMapping> {
    const { startsMapping = (state) => state === 'complete', programs } = this.#simulation;
    await this.#clock.sleep((30 + this.#random.next() * 25) * HOUR_MS);
    for (let state: ReplayState = 'more'; !startsMapping(state); ) {
      const calls = [this.#call()];
      if (this.#random.next() < 0.3) {
        this.#counts.doubled += 1;
        calls.push(this.#clock.sleep(this.#random.next() * 20_000).then(() => this.#call()));
      }
      [state = 'more'] = await Promise.all(calls);
      await this.#clock.sleep(this.#random.next() * 15 * MINUTE_MS);
    }
    return this.#map((run, batch) => this.#consume(run, this.#next, programs.next, batch));
  }

  /** What Lambda does with a batch that it gives up. */
  async #giveUp([first]: readonly StreamRecord[]): Promise<void> {
    const key = `${FAILURE_PREFIX}${LIVE_MAPPING}/shard/${first?.sequence}`;
    const options = { deadlineMs: Number.POSITIVE_INFINITY };
    await this.#failures.put(key, new Uint8Array(), 'application/json', options);
  }

  /** The function that recovers, on its schedule, also while a run is still at it; until its mapping is on. */
  async #recover(): Promise<StreamMapping> {
    const { programs } = this.#simulation;
    let mapping: StreamMapping | undefined;
    const enable = async () => {
      mapping ??= this.#map((run, batch) => this.#consume(run, this.#next, programs.next, batch));
    };
    while (!this.#ended) {
      await this.#clock.sleep(this.#random.next() * 20 * MINUTE_MS);
      const run = this.#start();
      const ports = {
        ...this.#replayPorts(run),
        failures: run.bucket(this.#failures),
        mapping: { enable },
      };
      const named = { mappingId: LIVE_MAPPING, generation: '2' };
      const options = { ...named, request: this.#request() };
      const recover = this.#handlers.makeRecover(ports, programs.next, options);
      this.#counts.calls += 1;
      const done = recover(this.#invocation(REPLAY_TIMEOUT_MS));
      const overlaps = this.#random.next() < 0.3;
      const raced = this.#raced(run, done, undefined, REPLAY_TIMEOUT_MS);
      if (!overlaps && (await raced)?.state === 'live' && mapping !== undefined) return mapping;
    }
    throw new Error('not recovered');
  }

  /** A call does a little, so that many are needed. */
  #request(): ReplayRequest {
    const seconds = 1 + this.#random.next() * 60;
    return { seconds, batchRecords: 1 + Math.floor(this.#random.next() * 8) };
  }

  /** Stands still, replays what was missed before it goes on, twice at once now and then. */
  async #catchUp(consumer: StreamMapping): Promise<StreamMapping> {
    await this.#clock.sleep((5 + this.#random.next() * 5) * HOUR_MS);
    this.#isStill = true;
    await this.#clock.sleep((28 + this.#random.next() * 10) * HOUR_MS);
    for (let state: ReplayState = 'more'; state !== 'complete'; ) {
      const calls = [this.#callLive()];
      if (this.#random.next() < 0.3) calls.push(this.#callLive());
      [state = 'more'] = await Promise.all(calls);
      await this.#clock.sleep(this.#random.next() * 15 * MINUTE_MS);
    }
    this.#isStill = false;
    return consumer;
  }

  async #callLive(): Promise<ReplayState> {
    const program = this.#simulation.programs.live;
    this.#counts.calls += 1;
    const run = this.#start();
    const ports = this.#replayPorts(run, this.#live);
    const invocation = this.#invocation(REPLAY_TIMEOUT_MS);
    const done = liveJob(ports, program, invocation.deadlineMs)
      .then((job) => this.#handlers.makeReplay(ports, program, job)(this.#request(), invocation))
      .then(({ state, accepted }) => {
        this.#counts.repeated += accepted;
        return state;
      });
    return this.#raced(run, done, 'more', REPLAY_TIMEOUT_MS);
  }

  #replayPorts(run: FaultyRun, tables: GenerationTables = this.#next): ReplayPorts {
    return {
      ...this.#ports(run, tables),
      archive: run.bucket(this.#archive),
      source: run.table(this.#live.ledger),
      shards: run.shards(this.#stream.shards),
    };
  }

  async #call(): Promise<ReplayState> {
    const { programs, job = { name: 'all', fromMs: 0 } } = this.#simulation;
    this.#counts.calls += 1;
    const run = this.#start();
    const ports = this.#replayPorts(run);
    const invocation = this.#invocation(REPLAY_TIMEOUT_MS);
    const replay = this.#handlers.makeReplay(ports, programs.next, job);
    const done = replay(this.#request(), invocation);
    const counted = done.then(({ state, repeated, gaps }) => {
      this.#counts.repeated += repeated;
      for (const gap of gaps) this.#broken.push(`gap ${JSON.stringify(gap)}`);
      return state;
    });
    return this.#raced(run, counted, 'more', REPLAY_TIMEOUT_MS);
  }

  #start(): FaultyRun {
    const publisher = makeMemoryPublisher();
    const { port: stream } = this.#stream;
    const world = { ...this.#live, stream, clock: this.#clock, random: this.#random, publisher };
    return new FaultyRun(world, this.#random, this.#rates);
  }

  #ports(run: FaultyRun, tables: GenerationTables): ConsumePorts {
    const { clock, random, stream } = run.ports;
    return {
      clock,
      random,
      stream,
      ledger: run.table(tables.ledger),
      aggregates: run.table(tables.aggregates),
      events: run.table(tables.events),
      quarantineIndex: run.table(tables.quarantineIndex),
      quarantine: run.bucket(tables.quarantine),
    };
  }

  #invocation(ms = TIMEOUT_MS) {
    return { requestId: 'r', deadlineMs: this.#clock.now() + ms };
  }

  /** Its answer, its death, or its time: what it sends after that is its own affair. */
  async #raced<Value>(
    run: FaultyRun,
    done: Promise<Value>,
    ...[otherwise, ms = TIMEOUT_MS]: readonly [Value, number?]
  ): Promise<Value> {
    const settledValue = done.catch((error: unknown) => {
      const name = error instanceof Error ? error.name : String(error);
      if (!/Transient|Deadline/.test(name)) this.#broken.push(`threw ${String(error)}`);
      return otherwise;
    });
    const timedOut = this.#clock.sleep(ms).then(() => otherwise);
    const value = await Promise.race([settledValue, run.death.then(() => otherwise), timedOut]);
    run.die();
    return value;
  }
}

function asRecord({ shard, sequence, partition, arrivalMs, bytes }: StreamRecord) {
  return record({ shard, sequence, bytes, partitionKey: `p-${partition}`, arrivalMs });
}

/** Waits until every promise that can settle has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
