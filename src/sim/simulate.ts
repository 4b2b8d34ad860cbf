import { DEATHS_TO_QUARANTINE } from '../core/attempt.ts';
import type { Program } from '../core/program.ts';
import { epochOf } from '../core/writer.ts';
import type { MappingDiscard } from '../mapping/engine.ts';
import { failureDocument } from '../mapping/failure-document.ts';
import { Acts } from './acts.ts';
import { checkEnd } from './checkers.ts';
import { VirtualClock } from './clock.ts';
import type { ContainerOptions, Run } from './container.ts';
import { Dice } from './dice.ts';
import { EventSource, type SimPayload } from './event-source.ts';
import { type EndState, type Fate, fates, laneOf } from './fates.ts';
import { FAULT_NAMES, type FaultRates, LATE_MS, NO_FAULTS, OUTAGE_MS } from './faults.ts';
import { type Invoked, Lambda, TIMEOUT_MS } from './lambda.ts';
import { makeOutlets } from './outlets.ts';
import { drawPolicies, type SimPolicies } from './policies.ts';
import { Producer } from './producer.ts';
import { randomOf } from './randoms.ts';
import type { FaultHit, SimOptions, SimResult, SimRun } from './schedule.ts';
import { largestPack } from './stored-items.ts';
import { type SimRecord, SimStream } from './stream.ts';
import { Trace } from './trace.ts';
import { Watch } from './watch.ts';
import { Weather } from './weather.ts';
import { makeSimWorld, type SimWorld, STREAM_ARN } from './world.ts';

/** How long after the faults everything must be finished, milliseconds. */
const HEALED_MS = 3_600_000;
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
 */
class Simulation {
  readonly #options: SimOptions;
  readonly #policies: SimPolicies;
  readonly #program: Program;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #dice: Dice;
  readonly #stream: SimStream;
  readonly #world: SimWorld;
  readonly #watch: Watch;
  readonly #source: EventSource;
  readonly #producer: Producer;
  readonly #lambda: Lambda;
  readonly #acts: Acts;
  readonly #hits: FaultHit[] = [];
  readonly #runs: SimRun[] = [];
  /** Events of a run that were not done when it began. */
  readonly #openAtStart = new WeakMap<Run, number>();
  readonly #epochs: string[] = [];
  readonly #delivered = new Set<SimRecord>();
  readonly #failedRuns = new Map<SimRecord, number>();
  readonly #discards: MappingDiscard<SimPayload>[] = [];
  readonly #rates: FaultRates;
  #healMs: number;
  #requests = 0;
  /** Most cells that a container kept after an invocation. */
  #heldCells = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    const { seed, startMs } = options;
    this.#policies = { ...drawPolicies(randomOf(seed, 'policies')), ...options.policies };
    this.#program = options.program(() => undefined);
    this.#rates = scaled(options.faults, this.#policies.intensity);
    this.#healMs = startMs + options.faultsForMs;
    this.#clock = new VirtualClock(startMs);
    this.#trace = new Trace(options.keepTrace);
    this.#dice = this.#makeDice();
    this.#stream = new SimStream({
      arn: STREAM_ARN,
      shards: options.shards ?? 1,
      createdMs: startMs - 1_000,
      random: randomOf(seed, 'stream'),
      policies: this.#policies,
    });
    this.#noteEpoch();
    this.#world = makeSimWorld(this.#stream.port, makeOutlets(options, this.#clock));
    const { settings } = this.#program;
    this.#watch = new Watch(
      settings,
      () => this.#clock.now(),
      (unit) => laneOf(unit, this.#epochs, settings.partitions).writer,
    );
    const surroundings = this.#surroundings();
    this.#lambda = new Lambda({
      surroundings,
      simulated: options,
      policies: this.#policies,
      onRun: (run) => {
        for (const record of run.records) this.#delivered.add(record);
        this.#openAtStart.set(run, this.#openUnits(run));
      },
      onInvoked: (invoked) => this.#onInvoked(invoked),
    });
    const shared = { ...surroundings, stream: this.#stream };
    const retentionMs = settings.retention.streamMs;
    this.#source = new EventSource({
      ...shared,
      retentionMs,
      settings: options.settings,
      policies: this.#policies.mapping,
      makeEngine: options.makeEngine,
      invoke: (batch, shard) => this.#lambda.invoke(batch, shard),
      onGivenUp: (discard) => this.#giveUp(discard),
    });
    this.#producer = new Producer({
      ...shared,
      events: options.events,
      random: randomOf(seed, 'producer'),
      onPut: () => this.#source.notice(),
      onShard: (shard) => this.#source.addShard(shard),
    });
    this.#acts = new Acts({
      ...shared,
      simulated: options,
      policies: this.#policies,
      random: randomOf(seed, 'acts'),
      source: this.#source,
      producer: this.#producer,
      lambda: this.#lambda,
      retentionMs,
      onStandstill: (ms) => {
        this.#healMs += ms;
      },
      onRecreated: () => this.#noteEpoch(),
    });
  }

  async run(): Promise<SimResult> {
    this.#acts.start();
    const sent = this.#producer.run();
    sent.catch((error: unknown) => this.#watch.violations.push(`producer: ${String(error)}`));
    let broken: string | undefined;
    for (let loop = 0; broken === undefined && !(await this.#isDone()); loop += 1) {
      const wakeMs = this.#source.pump();
      const nextMs = Math.min(
        this.#clock.nextMs ?? Number.POSITIVE_INFINITY,
        wakeMs ?? Number.POSITIVE_INFINITY,
      );
      if (nextMs > this.#endMs || loop === LOOPS_MAX) {
        broken = `not finished in time: ${this.#source.backlog} records are read and left`;
      } else this.#clock.moveTo(nextMs);
    }
    return this.#result(broken);
  }

  /** Lets everything happen that can at this time; true when nothing is left. */
  async #isDone(): Promise<boolean> {
    await settled();
    this.#source.pump();
    await settled();
    const isFinished = this.#producer.isDone && this.#acts.isDone && this.#source.isDone;
    // What is still under way, such as a late write, has to land before the end is looked at.
    return isFinished && this.#lambda.running === 0 && !this.#clock.isBusy;
  }

  get #endMs(): number {
    return Math.max(this.#healMs, this.#producer.endMs) + HEALED_MS;
  }

  #result(broken: string | undefined): SimResult {
    const { seed, pipeline, startMs, givesUp } = this.#options;
    const state: EndState = {
      world: this.#world,
      program: this.#program,
      stream: this.#stream,
      epochs: this.#epochs,
      done: this.#watch.done,
      trimmed: this.#source.trimmed,
      unwanted: this.#source.unwanted,
      discards: this.#discards,
      mayGiveUp: givesUp === 'allowed',
      delivered: this.#delivered,
      failedRuns: this.#failedRuns,
    };
    const end =
      broken === undefined ? [...checkEnd(state, pipeline), ...this.#checkMemory()] : [broken];
    const ends = new Map(fates(state).map(({ unit, fate }) => [unit, fate]));
    return {
      seed,
      hash: this.#trace.hash,
      violations: [...new Set([...this.#watch.violations, ...end])],
      counts: this.#dice.counts,
      hits: this.#dice.hits,
      faults: this.#dice.faults,
      faultHits: this.#hits,
      requests: this.#requests,
      world: this.#world,
      records: this.#stream.records,
      fates: countBy(ends.values()),
      fateOf: (unit) => ends.get(unit) ?? 'nowhere',
      runs: this.#runs,
      trace: this.#trace.entries,
      startMs,
    };
  }

  /** A container keeps no more cells than it is told, and one pack more. */
  #checkMemory(): readonly string[] {
    const { cellsMax } = this.#policies;
    const most = cellsMax + largestPack(this.#program, this.#world.aggregates.items());
    if (this.#heldCells <= most) return [];
    return [`a container keeps ${this.#heldCells} cells, expected at most ${most}`];
  }

  #surroundings(): Omit<ContainerOptions, 'name'> {
    const { seed, crashAt } = this.#options;
    return {
      world: this.#world,
      clock: this.#clock,
      random: randomOf(seed, 'handlers'),
      trace: this.#trace,
      dice: this.#dice,
      weather: new Weather(),
      crashAt,
      nextRequest: () => {
        this.#requests += 1;
        return this.#requests;
      },
      onWritten: this.#watch.onWritten,
      onViolation: (text) => this.#watch.violations.push(text),
    };
  }

  #makeDice(): Dice {
    const { seed, keepFaults, keepTrace } = this.#options;
    return new Dice({
      seed,
      random: randomOf(seed, 'faults'),
      rates: () => (this.#clock.now() < this.#healMs ? this.#rates : NO_FAULTS),
      keep: keepFaults,
      onHit: (number, fault, step) => {
        const at = step === '' ? '' : ` at ${step}`;
        this.#trace.add(this.#clock.now(), 'fault', `#${number} ${fault}${at}`);
        if (keepTrace) this.#hits.push({ number, fault, step });
      },
    });
  }

  #noteEpoch(): void {
    const { createdMs } = this.#stream;
    this.#epochs.push(epochOf({ arn: STREAM_ARN, createdMs }));
  }

  #onInvoked(invoked: Invoked): void {
    const { run, outcome, report, killed } = invoked;
    if (this.#options.keepTrace === true) {
      this.#runs.push({ ...invoked, ...run, endMs: this.#clock.now() });
    }
    const say = (text: string) => this.#watch.violations.push(`${run.id}: ${text}`);
    if (report !== undefined) this.#heldCells = Math.max(this.#heldCells, report.held.cells);
    if (outcome.type === 'failed') this.#countFailed(run);
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const quietMs = this.#healMs + OUTAGE_MS + LATE_MS + 2 * timeoutMs;
    if (this.#clock.now() < quietMs || killed) return;
    // Units: of an aggregate, some may be finished, and the mapping hears nothing of that.
    const before = this.#openAtStart.get(run) ?? 0;
    if (!isWhole(outcome) && this.#openUnits(run) >= before) {
      say('came to nothing, although nothing goes wrong any more');
    }
  }

  #openUnits({ records }: Run): number {
    const units = records.flatMap((record) => record.units);
    return units.filter((unit) => !this.#watch.done.has(unit)).length;
  }

  #countFailed({ records }: Run): void {
    for (const record of records) {
      const failed = this.#failedRuns.get(record) ?? 0;
      if (failed < DEATHS_TO_QUARANTINE) this.#failedRuns.set(record, failed + 1);
    }
  }

  /** Writes the failure document, as Lambda does. */
  #giveUp(discard: MappingDiscard<SimPayload>): void {
    this.#discards.push(discard);
    this.#dice.count('given up');
    const { key, body } = failureDocument(discard, {
      mappingId: 'simulated',
      functionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:simulated',
      streamArn: STREAM_ARN,
      requestId: `give-up-${this.#discards.length}`,
      nowMs: this.#clock.now(),
      uuid: `${this.#discards.length}`,
      payload: JSON.stringify({
        Records: discard.batch.records.map(({ payload }) => payload.event),
      }),
    });
    this.#world.failures.put(key, Buffer.from(body), 'application/json', { deadlineMs: 0 });
  }
}

/** True when the run finished everything. */
function isWhole(outcome: Invoked['outcome']): boolean {
  if (outcome.type !== 'answered') return false;
  const failures: unknown = Reflect.get(Object(outcome.answer), 'batchItemFailures');
  return !Array.isArray(failures) || failures.length === 0;
}

function scaled(rates: FaultRates, intensity: number): FaultRates {
  const entries = FAULT_NAMES.map((name) => [name, Math.min(0.9, rates[name] * intensity)]);
  return Object.fromEntries(entries) as FaultRates;
}

function countBy(all: Iterable<Fate>): SimResult['fates'] {
  const counts: Partial<Record<Fate, number>> = {};
  for (const fate of all) counts[fate] = (counts[fate] ?? 0) + 1;
  return counts;
}

/** Waits until every promise that can settle has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
