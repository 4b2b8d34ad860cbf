import { makeManualClock } from '../adapters/memory/clock.ts';
import { makeSeededRandom } from '../adapters/memory/random.ts';
import { InvariantError } from '../core/errors.ts';
import { type Consume, makeConsume } from '../handlers/consume.ts';
import { makeKeep } from '../handlers/keep.ts';
import type { Batch, MappingRecord } from '../mapping/batch.ts';
import { MappingEngine, type MappingInvocation } from '../mapping/engine.ts';
import { type EventRecord, eventRecord } from '../mapping/kinesis-event.ts';
import type { Outcome } from '../mapping/lane.ts';
import { mappingSettings } from '../mapping/settings.ts';
import { checkEnd, WriteChecker } from './checkers.ts';
import { Container } from './container.ts';
import { type FaultRates, NO_FAULTS, OUTAGE_MS, RESEND_MS, SHARDS_MAX } from './faults.ts';
import type { SimOptions, SimResult } from './schedule.ts';
import { type SimEvent, SimStream } from './stream.ts';
import { Trace } from './trace.ts';
import { makeSimWorld, type SimRecord, type SimWorld, STREAM_ARN } from './world.ts';

/** How long after the faults everything must be finished, milliseconds. */
const HEALED_MS = 3_600_000;
const KEEPER_TIMEOUT_MS = 60_000;
const LOOPS_MAX = 2_000_000;

/**
 * Runs the real handler against a simulated world: virtual time, one seed, faults. The same options
 * give the same result to the last bit.
 */
export function simulate(options: SimOptions): Promise<SimResult> {
  return new Simulation(options).run();
}

/**
 * Invariants
 * 1. Time moves only when nothing can happen at the present one.
 * 2. All that is random comes from the seed, drawn in an order that depends on nothing else.
 * 3. What an abandoned engine still has in flight goes on, and its outcomes are ignored: a second
 *    poller of the same shard looks like that.
 */
class Simulation {
  readonly #options: SimOptions;
  readonly #clock;
  readonly #random;
  readonly #trace: Trace;
  readonly #checker = new WriteChecker();
  readonly #world: SimWorld;
  readonly #counts: Record<string, number> = {};
  readonly #hits: Record<string, number> = {};
  #engine: MappingEngine<EventRecord>;
  readonly #stream: SimStream;
  /** How many records of each shard the present engine was given. */
  readonly #read = new Map<number, number>();
  /** Events that were not sent yet, second sends included. */
  #unsent = 0;
  #idle: { container: Container; handler: Consume }[] = [];
  #containers = 0;
  #requests = 0;
  #outageUntilMs = 0;
  #broken: string | undefined;

  constructor(options: SimOptions) {
    this.#options = options;
    this.#trace = new Trace(options.keepTrace);
    this.#clock = makeManualClock(options.startMs);
    this.#random = makeSeededRandom(options.seed);
    this.#world = makeSimWorld(options.startMs - 1_000, this.#checker.onWritten);
    this.#stream = new SimStream(options.shards ?? 1);
    for (const { number, parents } of this.#stream.shards)
      this.#world.stream.addShard(number, parents);
    this.#engine = this.#newEngine();
  }

  async run(): Promise<SimResult> {
    for (const event of this.#options.events) this.#send(event);
    this.#keepLedgers();
    this.#expireItems();
    const { startMs, faultsForMs, events } = this.#options;
    const endMs = Math.max(startMs + faultsForMs, ...events.map(({ atMs }) => atMs)) + HEALED_MS;
    for (let loop = 0; this.#broken === undefined; loop += 1) {
      await settled();
      this.#pump();
      await settled();
      const wakeMs = this.#pump();
      // What is still under way, such as a late write, has to land before the end is looked at.
      if (this.#isDone() && this.#clock.nextWake() === undefined) break;
      const nextMs = Math.min(
        this.#clock.nextWake() ?? Number.POSITIVE_INFINITY,
        wakeMs ?? Number.POSITIVE_INFINITY,
      );
      if (nextMs > endMs || loop === LOOPS_MAX) {
        this.#broken = `not finished in time: ${this.#engine.backlog} records are left`;
        break;
      }
      this.#clock.advance(Math.max(0, nextMs - this.#clock.now()));
    }
    return this.#result();
  }

  #result(): SimResult {
    const { seed, pipeline, program } = this.#options;
    const { records } = this.#stream;
    const end =
      this.#broken === undefined
        ? checkEnd({ world: this.#world, pipeline, program: program(() => undefined), records })
        : [this.#broken];
    return {
      seed,
      hash: this.#trace.hash,
      violations: [...this.#checker.violations, ...end],
      counts: this.#counts,
      hits: this.#hits,
      requests: this.#requests,
      world: this.#world,
      records,
      trace: this.#trace.entries,
      startMs: this.#options.startMs,
    };
  }

  #isDone(): boolean {
    const allRead = this.#stream.shards.every(
      ({ number, records }) => this.#read.get(number) === records.length,
    );
    return this.#unsent === 0 && allRead && this.#engine.backlog === 0;
  }

  /** One event on its way into the stream; its answer may be lost, and then it is sent again. */
  async #send(event: SimEvent): Promise<void> {
    this.#unsent += 1;
    await this.#clock.sleep(Math.max(0, event.atMs - this.#clock.now()));
    if (this.#random.next() < this.#faults().reshard) this.#reshard();
    const record = this.#stream.put(event, this.#clock.now());
    this.#trace.add(this.#clock.now(), 'stream', `put ${record.shard}:${record.sequence}`);
    if (this.#random.next() < this.#faults().sendTwice) {
      this.#count('event sent twice');
      await this.#clock.sleep(this.#random.next() * RESEND_MS);
      this.#stream.put(event, this.#clock.now());
    }
    this.#unsent -= 1;
  }

  /** The keeper's schedule, as long as events come. */
  async #keepLedgers(): Promise<void> {
    const { keepEveryMs } = this.#options;
    while (keepEveryMs !== undefined && this.#unsent > 0) {
      await this.#clock.sleep(keepEveryMs);
      this.#count('keeper');
      const container = this.#newContainer();
      const { settings } = this.#options.program(container.die);
      const deadlineMs = this.#clock.now() + KEEPER_TIMEOUT_MS;
      // What fails is tried again at the next hour.
      makeKeep(
        container.ports,
        settings,
      )({ requestId: 'keeper', deadlineMs }).catch(() => this.#count('failed keeper'));
    }
  }

  async #expireItems(): Promise<void> {
    const { expireEveryMs } = this.#options;
    while (expireEveryMs !== undefined && this.#unsent > 0) {
      await this.#clock.sleep(expireEveryMs);
      for (const table of [this.#world.ledger, this.#world.aggregates]) {
        if (table.expire(this.#clock.now()) > 0) this.#count('expiry');
      }
    }
  }

  #reshard(): void {
    const { open } = this.#stream;
    const shard = open[Math.floor(this.#random.next() * open.length)];
    if (shard === undefined) return;
    const splits = open.length === 1 || (open.length < SHARDS_MAX && this.#random.next() < 0.5);
    const children = splits ? this.#stream.split(shard) : this.#stream.merge(shard);
    if (children.length === 0) return;
    this.#count(splits ? 'split' : 'merge');
    this.#trace.add(this.#clock.now(), 'stream', `${splits ? 'split' : 'merge'} ${shard.number}`);
    for (const { number, parents } of children) {
      this.#world.stream.addShard(number, parents);
      this.#addShard(this.#engine, number, parents);
      this.#read.set(number, 0);
    }
  }

  /** Gives the engine what it wants of each shard, and tells it where a shard ends. */
  #readShards(): void {
    for (const { number, records, open } of this.#stream.shards) {
      const id = shardId(number);
      for (const record of records.slice(this.#read.get(number) ?? 0)) {
        if (!this.#engine.wantsRecords(id)) break;
        this.#engine.addRecords(id, [mappingRecord(record)]);
        this.#read.set(number, (this.#read.get(number) ?? 0) + 1);
      }
      if (!open && this.#read.get(number) === records.length) this.#engine.endShard(id);
    }
  }

  #pump(): number | undefined {
    this.#readShards();
    const { invocations, discards, wakeMs } = this.#engine.step(this.#clock.now());
    if (discards.length > 0) this.#broken = 'the mapping gave up records, which it never may';
    const engine = this.#engine;
    for (const invocation of invocations) this.#invoke(engine, invocation);
    return wakeMs;
  }

  /** One invocation from start to outcome; runs beside the loop. */
  async #invoke(
    engine: MappingEngine<EventRecord>,
    { id, batch, shard }: MappingInvocation<EventRecord>,
  ): Promise<void> {
    const outcome = await this.#runBatch(batch, shard);
    if (engine !== this.#engine) return;
    engine.finish(id, outcome, this.#clock.now());
    if (this.#random.next() < this.#faults().loseCheckpoint) this.#goBack();
  }

  async #runBatch(batch: Batch<EventRecord>, shard: string): Promise<Outcome> {
    this.#count('invocation');
    if (this.#random.next() < this.#faults().outage) {
      this.#count('outage');
      this.#outageUntilMs = this.#clock.now() + this.#random.next() * OUTAGE_MS;
    }
    if (this.#random.next() < this.#faults().throttle) {
      this.#count('throttled invocation');
      return { type: 'not-invoked' };
    }
    const { container, handler } = this.#container();
    const timeoutMs = this.#options.timeoutMs ?? 10_000;
    const deadlineMs = this.#clock.now() + timeoutMs;
    const event = { Records: batch.records.map(({ payload }) => payload) };
    const text = `${shard} ${batch.records[0]?.sequence}-${batch.records.at(-1)?.sequence}`;
    this.#trace.add(this.#clock.now(), 'mapping', `invoke ${text}`);
    const invocation = { requestId: `r-${this.#counts.invocation}`, deadlineMs };
    const run = handler(event, invocation).then(
      ({ response }): Outcome => ({ type: 'answered', answer: response }),
      (error: unknown): Outcome => this.#threw(error),
    );
    const timedOut = this.#clock.sleep(timeoutMs).then((): Outcome => ({ type: 'failed' }));
    const outcome = await Promise.race([run, container.death.then(died), timedOut]);
    // Lambda ends the process of a failed invocation; a timed-out one is frozen, which is no better.
    if (outcome.type === 'failed') {
      this.#count('failed invocation');
      container.die();
    } else this.#idle.push({ container, handler });
    this.#trace.add(this.#clock.now(), 'mapping', `outcome ${text} ${JSON.stringify(outcome)}`);
    return outcome;
  }

  #threw(error: unknown): Outcome {
    if (error instanceof InvariantError) this.#broken ??= `the handler threw: ${error.message}`;
    return { type: 'failed' };
  }

  #container(): { container: Container; handler: Consume } {
    const warm = this.#random.next() < this.#faults().coldStart ? undefined : this.#idle.pop();
    if (warm !== undefined) return warm;
    this.#count('cold start');
    const container = this.#newContainer();
    const program = this.#options.program(container.die);
    const make = this.#options.makeHandler ?? makeConsume;
    return { container, handler: make(container.ports, program) };
  }

  #newContainer(): Container {
    this.#containers += 1;
    return new Container({
      name: `c${this.#containers}`,
      world: this.#world,
      clock: this.#clock,
      random: this.#random,
      trace: this.#trace,
      faults: () => this.#faults(),
      count: (fault, operation) => {
        this.#count(fault);
        const name = `${operation} ${fault}`;
        this.#hits[name] = (this.#hits[name] ?? 0) + 1;
      },
      crashAt: this.#options.crashAt,
      nextRequest: () => {
        this.#requests += 1;
        return this.#requests;
      },
    });
  }

  /** The checkpoint was lost: a new poller starts somewhere before the first unfinished record. */
  #goBack(): void {
    this.#count('lost checkpoint');
    const before = this.#engine;
    this.#engine = this.#newEngine();
    for (const { number, records } of this.#stream.shards) {
      const open = records.findIndex(
        ({ sequence }) => !before.isFinishedUpTo(shardId(number), sequence),
      );
      const finished = open < 0 ? records.length : open;
      this.#read.set(number, Math.floor(this.#random.next() * (finished + 1)));
    }
  }

  #newEngine(): MappingEngine<EventRecord> {
    const settings = mappingSettings({ reportsFailures: true, ...this.#options.settings });
    const engine = new MappingEngine<EventRecord>(settings);
    for (const { number, parents } of this.#stream.shards) {
      this.#addShard(engine, number, parents);
      this.#read.set(number, 0);
    }
    return engine;
  }

  #addShard(engine: MappingEngine<EventRecord>, number: number, parents: readonly number[]): void {
    engine.addShard({ id: shardId(number), parents: parents.map(shardId) }, this.#clock.now());
  }

  #faults(): FaultRates {
    const { faults, faultsForMs, startMs } = this.#options;
    const nowMs = this.#clock.now();
    if (nowMs >= startMs + faultsForMs) return NO_FAULTS;
    return nowMs < this.#outageUntilMs ? { ...faults, refuse: 1 } : faults;
  }

  #count(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }
}

function mappingRecord(record: SimRecord): MappingRecord<EventRecord> {
  const { sequence, partitionKey, arrivalMs, bytes } = record;
  const payload = eventRecord(
    { sequence, partitionKey, arrivalMs, data: bytes },
    { streamArn: STREAM_ARN, region: 'eu-west-1', shard: shardId(record.shard) },
  );
  return { sequence, partitionKey, arrivalMs, payload, sizeBytes: bytes.length * 2 };
}

function died(): Outcome {
  return { type: 'failed' };
}

function shardId(shard: number): string {
  return `shardId-${String(shard).padStart(12, '0')}`;
}

/** Waits until every promise that can settle has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
