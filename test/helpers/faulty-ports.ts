import type { ManualClock } from '../../src/adapters/memory/clock.ts';
import type { MemoryPublisher } from '../../src/adapters/memory/publisher.ts';
import { DeadlineError, TransientError } from '../../src/core/errors.ts';
import type { ConsumePorts } from '../../src/handlers/ports.ts';
import type { Bucket } from '../../src/ports/bucket.ts';
import type { Publisher } from '../../src/ports/publisher.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Shards } from '../../src/ports/shards.ts';
import type { Stream } from '../../src/ports/stream.ts';
import type { SendOptions, Table, WriteResult } from '../../src/ports/table.ts';
import type { World } from './world.ts';

/** Everything that outlives a container. */
export interface ClosingWorld extends Omit<World, 'clock'> {
  readonly clock: ManualClock;
  readonly publisher: MemoryPublisher;
}

/** What a consumer and a closer need. */
export type ClosingPorts = ConsumePorts & { readonly publisher: Publisher };

/** The world as a run needs it: of a stream its questions only. */
export type RunWorld = Omit<ClosingWorld, 'stream'> & { readonly stream: Stream };

/** How often what happens, 0 to 1, of each request or each item of one. */
export interface Rates {
  readonly crash: number;
  readonly refuse: number;
  readonly loseAnswer: number;
  readonly applyLate: number;
  readonly slow: number;
}

/** Nothing goes wrong. */
export const HEALED: Rates = { crash: 0, refuse: 0, loseAnswer: 0, applyLate: 0, slow: 0 };

/** The longest that a write lands after its call, and that a slow request takes, milliseconds. */
const LATE_MS = 90_000;
const SLOW_MS = 40_000;

/**
 * One run of a function: the world's ports with latency and faults. After its death or its time nothing
 * that it awaits comes, and what it had sent may still land.
 */
export class FaultyRun {
  readonly ports: ClosingPorts;
  /** Settles when it dies. */
  readonly death: Promise<void>;
  readonly #world: RunWorld;
  readonly #random: Random;
  readonly #rates: () => Rates;
  #alive = true;
  #tellDeath: () => void = () => undefined;

  constructor(world: RunWorld, random: Random, rates: () => Rates) {
    this.#world = world;
    this.#random = random;
    this.#rates = rates;
    this.death = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
    const { clock } = world;
    this.ports = {
      ...world,
      random,
      clock: { now: () => clock.now(), sleep: (ms) => this.#unlessDead(clock.sleep(ms)) },
      stream: {
        identify: (options) => this.#send(options, () => world.stream.identify(options), raise),
        parents: (shard, options) =>
          this.#send(options, () => world.stream.parents(shard, options), raise),
      },
      ledger: this.table(world.ledger),
      aggregates: this.table(world.aggregates),
      publisher: {
        publish: (events, options) => this.#write(events, options, world.publisher.publish),
      },
    };
  }

  /** The same, with faults in what is kept of refused events, too. */
  get wholePorts(): ClosingPorts {
    const { quarantineIndex, quarantine } = this.#world;
    return {
      ...this.ports,
      quarantineIndex: this.table(quarantineIndex),
      quarantine: this.bucket(quarantine),
    };
  }

  /** Its process is gone. */
  readonly die = (): void => {
    this.#alive = false;
    this.#tellDeath();
  };

  /** A bucket of the world as this run sees it. */
  bucket(bucket: Bucket): Bucket {
    return {
      put: (key, body, contentType, options) =>
        this.#send(
          options,
          () => this.#put(() => bucket.put(key, body, contentType, options)),
          raise,
          true,
        ),
      get: (key, options) => this.#send(options, () => bucket.get(key, options), raise),
      list: (query, options) => this.#send(options, () => bucket.list(query, options), raise),
    };
  }

  /** The stream's shards as this run sees them. */
  shards(shards: Shards): Shards {
    return {
      list: (options) => this.#send(options, () => shards.list(options), raise),
      next: (shard, after, options) =>
        this.#send(options, () => shards.next(shard, after, options), raise),
    };
  }

  async #put(put: () => Promise<void>): Promise<void> {
    const input = { put };
    const result = await this.#one(input, { deadlineMs: 0 }, async ([one]) => {
      await one?.put();
      return [{ status: 'written' }];
    });
    if (result.status === 'failed') throw result.error;
  }

  /** A table of the world as this run sees it. */
  table(table: Table): Table {
    return {
      get: (keys, options) =>
        this.#send(
          options,
          () => table.get(keys, options),
          (error) => keys.map(() => ({ status: 'failed', error })),
        ),
      query: (query, options) => this.#send(options, () => table.query(query, options), raise),
      putIf: (writes, options) => this.#write(writes, options, table.putIf),
      putAll: (items, options) => this.#write(items, options, table.putAll),
    };
  }

  #write<Input>(
    inputs: readonly Input[],
    options: SendOptions,
    put: (inputs: readonly Input[], options: SendOptions) => Promise<readonly WriteResult[]>,
  ): Promise<readonly WriteResult[]> {
    const refused = (error: Error) => inputs.map((): WriteResult => ({ status: 'failed', error }));
    const apply = async () => {
      const results: WriteResult[] = [];
      for (const input of inputs) results.push(await this.#one(input, options, put));
      return results;
    };
    return this.#send(options, apply, refused, true);
  }

  /** Each item has its own luck, as the items of a batch request have. */
  async #one<Input>(
    input: Input,
    options: SendOptions,
    put: (inputs: readonly Input[], options: SendOptions) => Promise<readonly WriteResult[]>,
  ): Promise<WriteResult> {
    const failed: WriteResult = { status: 'failed', error: new TransientError('simulated') };
    const { refuse, loseAnswer, applyLate } = this.#rates();
    const at = this.#random.next();
    if (at < refuse) return failed;
    if (at < refuse + applyLate) {
      // Not awaited: it lands whatever becomes of the run.
      this.#world.clock.sleep(this.#random.next() * LATE_MS).then(() => put([input], options));
      return failed;
    }
    const [result = failed] = await put([input], options);
    return at < refuse + applyLate + loseAnswer ? failed : result;
  }

  async #send<Answer>(
    { deadlineMs }: SendOptions,
    apply: () => Promise<Answer>,
    refused: (error: Error) => Answer,
    itemsDraw = false,
  ): Promise<Answer> {
    const { clock } = this.#world;
    if (!this.#alive) return never();
    if (clock.now() >= deadlineMs) return refused(new DeadlineError('simulated'));
    if (this.#dies()) return never();
    await clock.sleep(this.#latencyMs());
    const answer =
      !itemsDraw && this.#random.next() < this.#rates().refuse
        ? () => refused(new TransientError('simulated'))
        : await apply().then((value) => () => value);
    if (this.#dies()) return never();
    return this.#unlessDead(Promise.resolve()).then(answer);
  }

  #latencyMs(): number {
    const slow = this.#random.next() < this.#rates().slow;
    return slow ? Math.floor(this.#random.next() * SLOW_MS) : 5;
  }

  #dies(): boolean {
    if (this.#alive && this.#random.next() < this.#rates().crash / 2) this.die();
    return !this.#alive;
  }

  #unlessDead<Value>(promise: Promise<Value>): Promise<Value> {
    return promise.then((value) => (this.#alive ? value : never()));
  }
}

function raise(error: Error): never {
  throw error;
}

function never<Value>(): Promise<Value> {
  return new Promise(() => undefined);
}
