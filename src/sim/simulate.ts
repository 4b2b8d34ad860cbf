import type { Program } from '../core/program.ts';
import { epochOf } from '../core/writer.ts';
import { Acts } from './acts.ts';
import { checkEnd } from './checkers.ts';
import { VirtualClock } from './clock.ts';
import type { ContainerOptions } from './container.ts';
import { Dice } from './dice.ts';
import { EventSource } from './event-source.ts';
import { type EndState, type Fate, fates, laneOf } from './fates.ts';
import { FAULT_NAMES, type FaultRates, LATE_MS, NO_FAULTS, OUTAGE_MS } from './faults.ts';
import { Lambda, TIMEOUT_MS } from './lambda.ts';
import { Observer } from './observer.ts';
import { makeOutlets } from './outlets.ts';
import { drawPolicies, type SimPolicies } from './policies.ts';
import { Producer } from './producer.ts';
import { randomOf } from './randoms.ts';
import { Rollout } from './rollout.ts';
import type { FaultHit, SimOptions, SimResult } from './schedule.ts';
import { largestPack } from './stored-items.ts';
import { SimStream } from './stream.ts';
import { Trace } from './trace.ts';
import { Watch } from './watch.ts';
import { Weather } from './weather.ts';
import { makeSimWorld, type SimWorld, STREAM_ARN } from './world.ts';

/** How long after the faults everything must be finished, milliseconds. */
const HEALED_MS = 3_600_000;
const LOOPS_MAX = 2_000_000;

/** Every so many seeds the results over all writers are compared too, not only those of each. */
const MERGED_EVERY = 4;

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
  readonly #observer: Observer;
  readonly #source: EventSource;
  readonly #producer: Producer;
  readonly #lambda: Lambda;
  readonly #acts: Acts;
  readonly #rollout: Rollout;
  readonly #hits: FaultHit[] = [];
  readonly #epochs: string[] = [];
  readonly #rates: FaultRates;
  #healMs: number;
  #requests = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    const { seed, startMs } = options;
    this.#policies = { ...drawPolicies(randomOf(seed, 'policies')), ...options.policies };
    this.#program = readingProgram(options);
    this.#rates = scaled(options.faults, this.#policies.intensity);
    this.#healMs = startMs + options.faultsForMs;
    this.#clock = new VirtualClock(startMs);
    this.#trace = new Trace(options.keepTrace);
    this.#dice = this.#makeDice();
    this.#stream = this.#makeStream();
    this.#noteEpoch();
    this.#world = makeSimWorld(this.#stream.port, makeOutlets(options, this.#clock));
    const { settings } = this.#program;
    this.#watch = new Watch(
      settings,
      () => this.#clock.now(),
      (unit) => laneOf(unit, this.#epochs, settings.partitions).writer,
    );
    this.#observer = this.#makeObserver();
    const surroundings = this.#surroundings();
    this.#rollout = this.#makeRollout();
    this.#lambda = new Lambda({
      rollout: this.#rollout,
      surroundings,
      simulated: options,
      policies: this.#policies,
      onRun: this.#observer.onRun,
      onInvoked: this.#observer.onInvoked,
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
      onGivenUp: this.#observer.onGivenUp,
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
      healMs: () => this.#healMs,
      onStandstill: (ms) => {
        this.#healMs += ms;
      },
      onRecreated: () => this.#noteEpoch(),
    });
  }

  async run(): Promise<SimResult> {
    this.#acts.start();
    this.#rollout.start();
    const sent = this.#producer.run();
    sent.catch((error: unknown) => this.#watch.violations.push(`producer: ${String(error)}`));
    let broken: string | undefined;
    for (let loop = 0; broken === undefined && !(await this.#isDone()); loop += 1) {
      // What comes after a broken promise tells nothing more, and may go on for ever.
      if (this.#watch.violations.length > 0) break;
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
    const isFinished =
      this.#producer.isDone && this.#acts.isDone && this.#source.isDone && this.#rollout.isDone;
    // What is still under way, such as a late write, has to land before the end is looked at.
    return isFinished && this.#lambda.running === 0 && !this.#clock.isBusy;
  }

  get #isStormy(): boolean {
    return this.#clock.now() < this.#healMs && !this.#acts.isCalm;
  }

  get #endMs(): number {
    return Math.max(this.#healMs, this.#producer.endMs) + HEALED_MS;
  }

  #result(broken: string | undefined): SimResult {
    const { seed, pipeline, startMs, givesUp } = this.#options;
    const state: EndState = {
      versions: this.#versions(),
      world: this.#world,
      program: this.#program,
      stream: this.#stream,
      epochs: this.#epochs,
      done: this.#watch.done,
      trimmed: this.#source.trimmed,
      unwanted: this.#source.unwanted,
      discards: this.#observer.discards,
      mayGiveUp: givesUp === 'allowed',
      closes: this.#options.closeEveryMs !== undefined,
      comparesMerged: seed % MERGED_EVERY === 0,
      delivered: this.#observer.delivered,
      failedRuns: this.#observer.failedRuns,
    };
    const early = broken === undefined ? this.#watch.violations : [broken];
    const end = early.length > 0 ? early : [...checkEnd(state, pipeline), ...this.#checkMemory()];
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
      runs: this.#observer.runs,
      minutes: this.#stream.minutes,
      resizes: this.#acts.resizes,
      trace: this.#trace.entries,
      startMs,
    };
  }

  /** A container keeps no more cells than it is told, and one pack more. */
  #checkMemory(): readonly string[] {
    const { cellsMax } = this.#policies;
    const most = cellsMax + largestPack(this.#program, this.#world.aggregates.items());
    const { heldCells } = this.#observer;
    if (heldCells <= most) return [];
    return [`a container keeps ${heldCells} cells, expected at most ${most}`];
  }

  #surroundings(): Omit<ContainerOptions, 'name'> {
    const { seed, crashAt, closeEveryMs } = this.#options;
    return {
      world: this.#world,
      clock: this.#clock,
      random: randomOf(seed, 'handlers'),
      trace: this.#trace,
      dice: this.#dice,
      weather: new Weather({
        outlets: Object.keys(this.#world.outlets).length > 0,
        publisher: closeEveryMs !== undefined,
      }),
      crashAt,
      nextRequest: () => {
        this.#requests += 1;
        return this.#requests;
      },
      onWritten: this.#watch.onWritten,
      onViolation: (text) => this.#watch.violations.push(text),
    };
  }

  #makeStream(): SimStream {
    const { seed, startMs, shards = 1, scaling } = this.#options;
    const random = randomOf(seed, 'stream');
    const createdMs = startMs - 1_000;
    return new SimStream({
      arn: STREAM_ARN,
      shards,
      createdMs,
      random,
      policies: this.#policies,
      ...(scaling === undefined ? {} : { shardRecords: scaling.limits.records }),
    });
  }

  #makeObserver(): Observer {
    const { timeoutMs = TIMEOUT_MS, keepTrace } = this.#options;
    return new Observer({
      world: this.#world,
      now: () => this.#clock.now(),
      done: this.#watch.done,
      // While a switch is under way, whoever isn't on turn finishes nothing.
      quietMs: () =>
        this.#rollout.isDone
          ? this.#healMs + OUTAGE_MS + LATE_MS + 2 * timeoutMs
          : Number.POSITIVE_INFINITY,
      keepsRuns: keepTrace === true,
      onViolation: (text) => this.#watch.violations.push(text),
    });
  }

  #makeRollout(): Rollout {
    const { seed, versions = [], program } = this.#options;
    return new Rollout({
      versions,
      first: program,
      world: this.#world,
      clock: this.#clock,
      random: randomOf(seed, 'rollout'),
      trace: this.#trace,
      isFinishedBefore: (arrivalMs) => this.#isFinishedBefore(arrivalMs),
      onViolation: (text) => this.#watch.violations.push(text),
    });
  }

  /** Everything of each writer before its first record of that arrival; what names no partition is of no version. */
  #isFinishedBefore(arrivalMs: number): boolean {
    const { partitions } = this.#program.settings;
    const past = new Set<string>();
    return this.#stream.records.every((record) =>
      record.units.every((unit) => {
        const { writer, stray } = laneOf(unit, this.#epochs, partitions);
        if (record.arrivalMs >= arrivalMs) past.add(writer);
        return stray || past.has(writer) || this.#watch.done.has(unit);
      }),
    );
  }

  /** The first one decides where nothing else is announced. */
  #versions(): EndState['versions'] {
    const { pipeline, program } = this.#options;
    const first = { fromMs: 0, pipeline, program };
    return [first, ...this.#rollout.announced].map((one) => ({
      ...one,
      program: one.program(() => undefined),
    }));
  }

  #makeDice(): Dice {
    const { seed, keepFaults, keepTrace } = this.#options;
    return new Dice({
      seed,
      random: randomOf(seed, 'faults'),
      rates: () => (this.#isStormy ? this.#rates : NO_FAULTS),
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
}

/** The last version, with the windows that only versions before it had: their cells are read at the end. */
function readingProgram({ program, versions = [] }: SimOptions): Program {
  const all = [program, ...versions.map((one) => one.program)].map((make) => make(() => undefined));
  const aggregates = new Map(all.flatMap((one) => one.aggregates).map((one) => [one.name, one]));
  return { ...(all.at(-1) ?? program(() => undefined)), aggregates: [...aggregates.values()] };
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
