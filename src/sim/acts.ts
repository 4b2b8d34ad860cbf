import { makeKeep } from '../handlers/keep.ts';
import type { Random } from '../ports/random.ts';
import type { VirtualClock } from './clock.ts';
import { Closers } from './closers.ts';
import type { Dice } from './dice.ts';
import type { EventSource } from './event-source.ts';
import type { Lambda } from './lambda.ts';
import type { SimPolicies } from './policies.ts';
import type { Producer } from './producer.ts';
import { below, randomOf } from './randoms.ts';
import { Scaling } from './scaling.ts';
import type { SimOptions, SimResize } from './schedule.ts';
import type { SimStream } from './stream.ts';
import type { Trace } from './trace.ts';
import type { SimWorld } from './world.ts';

/** Who takes part. */
export interface ActsOptions {
  readonly simulated: SimOptions;
  readonly policies: SimPolicies;
  readonly world: SimWorld;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly random: Random;
  readonly trace: Trace;
  readonly stream: SimStream;
  readonly source: EventSource;
  readonly producer: Producer;
  readonly lambda: Lambda;
  readonly retentionMs: number;
  /** When faults end, milliseconds since 1970 UTC. */
  readonly healMs: () => number;
  /** Told that the world stands still for so long: faults go on for as much longer. */
  readonly onStandstill: (ms: number) => void;
  /** Told that the stream was made again. */
  readonly onRecreated: () => void;
}

const HOUR_MS = 3_600_000;
const KEEPER_TIMEOUT_MS = 60_000;
const KEEPER_FIRST_MS = 60_000;
/** Deleting a stream and making it again takes up to this long, milliseconds. */
const RECREATE_MS = { least: 61_000, most: 120_000 } as const;

/**
 * What happens beside the flow of records: the schedules of keeper and closer, expiry, a mapping that stands still for
 * longer than the stream's retention, a stream that is deleted and made again.
 */
export class Acts {
  readonly #options: ActsOptions;
  readonly #closers: Closers;
  readonly #scaling: Scaling;
  #ended = false;

  constructor(options: ActsOptions) {
    this.#options = options;
    const { simulated, onStandstill } = options;
    const random = randomOf(simulated.seed, 'closers');
    this.#closers = new Closers({ ...options, random, onSilence: onStandstill });
    this.#scaling = new Scaling(options);
  }

  /** Each change of the number of shards that was made by the scaler. */
  get resizes(): readonly SimResize[] {
    return this.#scaling.resizes;
  }

  /** True when nothing of it is still to come that the end has to wait for. */
  get isDone(): boolean {
    return this.#ended && this.#closers.isDone;
  }

  /** True while nothing is to go wrong. */
  get isCalm(): boolean {
    return this.#closers.isCalm;
  }

  /** Starts everything. */
  start(): void {
    this.#keep();
    this.#expire();
    this.#upheave();
    this.#closers.start();
    this.#scaling.run();
  }

  /** The keeper on its schedule, as long as events come. */
  async #keep(): Promise<void> {
    const { simulated, clock, dice, random, producer } = this.#options;
    const { keepEveryMs } = simulated;
    if (keepEveryMs === undefined) return;
    await clock.sleep(below(random, Math.min(keepEveryMs, KEEPER_FIRST_MS)), 'background');
    while (!producer.isDone) {
      dice.count('keeper');
      this.#runKeeper();
      await clock.sleep(keepEveryMs, 'background');
    }
  }

  #runKeeper(): void {
    const { simulated, clock, dice, lambda } = this.#options;
    const container = lambda.newContainer('keeper');
    const endMs = clock.now() + KEEPER_TIMEOUT_MS;
    container.start({ id: 'keep', records: [], endMs });
    const { settings } = simulated.program(container.kill);
    const keep = (simulated.makeKeeper ?? makeKeep)(container.ports, settings);
    // What fails is tried again at the next hour.
    keep({ requestId: 'keep', deadlineMs: endMs }).catch(() => dice.count('failed keeper'));
  }

  /** DynamoDB deletes expired items days later, in no order. */
  async #expire(): Promise<void> {
    const { simulated, policies, world, clock, dice, producer } = this.#options;
    const { expireEveryMs } = simulated;
    if (expireEveryMs === undefined) return;
    const lateMs = policies.expiryLateMs;
    while (!producer.isDone) {
      await clock.sleep(expireEveryMs, 'background');
      for (const table of [world.ledger, world.aggregates]) {
        const deleted = table.expire(clock.now(), ({ sk }) => (hashOf(sk) * lateMs) / 2 ** 32);
        if (deleted > 0) dice.count('expiry');
      }
    }
  }

  /** At most once each in a schedule. */
  async #upheave(): Promise<void> {
    const { dice, simulated, clock } = this.#options;
    if (dice.strikes('recreate')) {
      await clock.sleep(this.#sometime());
      await this.#recreate();
    }
    // Without the keeper a long standstill would let the ledger expire.
    if (simulated.keepEveryMs !== undefined && dice.strikes('retention')) {
      await clock.sleep(this.#sometime());
      await this.#standStill();
    }
    this.#ended = true;
  }

  #sometime(): number {
    const { simulated, random } = this.#options;
    const last = simulated.events.at(-1)?.atMs ?? simulated.startMs;
    return below(random, Math.max(1, last - simulated.startMs));
  }

  async #recreate(): Promise<void> {
    const { clock, random, stream, source, trace, onRecreated } = this.#options;
    trace.add(clock.now(), 'stream', 'deleted');
    stream.delete();
    source.restart();
    await clock.sleep(RECREATE_MS.least + below(random, RECREATE_MS.most - RECREATE_MS.least));
    stream.recreate(clock.now());
    trace.add(clock.now(), 'stream', 'made again');
    onRecreated();
    source.restart();
  }

  /** Disabled: nothing more is read, until records were trimmed. */
  async #standStill(): Promise<void> {
    const { clock, random, source, producer, retentionMs, trace, policies, onStandstill } =
      this.#options;
    source.disable(policies.disabled === 'drops');
    trace.add(clock.now(), 'mapping', 'disabled');
    while (source.backlog > 0) await clock.sleep(1_000);
    await clock.sleep(below(random, 10_000));
    const stillMs = retentionMs + HOUR_MS + below(random, 20 * HOUR_MS);
    producer.delay(stillMs);
    onStandstill(stillMs);
    await clock.sleep(stillMs);
    trace.add(clock.now(), 'mapping', 'enabled again');
    source.enable();
  }
}

/** Spreads sort keys over 32 bits, so that neighbours are deleted days apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
}
