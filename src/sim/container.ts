import type { ManualClock } from '../adapters/memory/clock.ts';
import { DeadlineError, TransientError } from '../core/errors.ts';
import type { ConsumePorts } from '../handlers/ports.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { Random } from '../ports/random.ts';
import type { Stream } from '../ports/stream.ts';
import type { SendOptions, Table, WriteResult } from '../ports/table.ts';
import { type FaultRates, LATE_MS, SLOW_MS } from './faults.ts';
import type { Trace } from './trace.ts';
import type { SimWorld } from './world.ts';

/** What a container lives in. */
export interface ContainerOptions {
  readonly name: string;
  readonly world: SimWorld;
  readonly clock: ManualClock;
  readonly random: Random;
  readonly trace: Trace;
  /** What goes wrong at this moment. */
  readonly faults: () => FaultRates;
  /** Counts a fault by its name and the request that it hit, such as `ledger.get`. */
  readonly count: (fault: string, operation: string) => void;
  /** Dies at this request of the whole simulation, before or after it; for trying each one. */
  readonly crashAt: CrashPoint | undefined;
  /** Counts requests of the whole simulation. */
  readonly nextRequest: () => number;
}

/** One await of the handler. */
export interface CrashPoint {
  readonly request: number;
  readonly phase: 'before' | 'after';
}

/**
 * A Lambda container's view of the world: the ports with latency and faults.
 *
 * Invariants
 * 1. A dead container goes no further: what it awaits never comes. What it had sent may still be applied.
 * 2. Nothing here looks at what the handler does; it only sees requests.
 */
export class Container {
  readonly #options: ContainerOptions;
  readonly ports: ConsumePorts;
  /** Settles when it dies. */
  readonly death: Promise<void>;
  #alive = true;
  #tellDeath: () => void = () => undefined;

  constructor(options: ContainerOptions) {
    this.#options = options;
    this.death = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
    const { world, clock, random } = options;
    this.ports = {
      clock: {
        now: () => clock.now(),
        sleep: (ms) => this.#unlessDead(clock.sleep(ms)),
      },
      random,
      stream: this.#stream(world.stream),
      ledger: this.#table('ledger', world.ledger),
      aggregates: this.#table('aggregates', world.aggregates),
      events: this.#table('events', world.events),
      quarantineIndex: this.#table('quarantine-index', world.quarantineIndex),
      quarantine: this.#bucket(world.quarantine),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Ends it: its process is gone, or frozen for ever. */
  readonly die = (): void => {
    if (!this.#alive) return;
    this.#alive = false;
    this.#note('died');
    this.#tellDeath();
  };

  #table(name: string, table: Table): Table {
    return {
      get: (keys, options) =>
        this.#send(`${name}.get ${keys.length}`, options, {
          apply: () => table.get(keys, options),
          refused: (error) => keys.map(() => ({ status: 'failed', error })),
        }),
      query: (query, options) =>
        this.#send(`${name}.query`, options, {
          apply: () => table.query(query, options),
          refused: raise,
        }),
      putIf: (writes, options) => this.#write(`${name}.putIf`, writes, options, table.putIf),
      putAll: (items, options) => this.#write(`${name}.putAll`, items, options, table.putAll),
    };
  }

  /** Each item has its own luck, as the items of a batch request have. */
  async #write<Input>(
    operation: string,
    inputs: readonly Input[],
    options: SendOptions,
    put: (inputs: readonly Input[], options: SendOptions) => Promise<readonly WriteResult[]>,
  ): Promise<readonly WriteResult[]> {
    const refused = (error: Error) => inputs.map((): WriteResult => ({ status: 'failed', error }));
    const apply = async () => {
      const results: WriteResult[] = [];
      for (const input of inputs) results.push(await this.#one(operation, input, options, put));
      return results;
    };
    return this.#send(`${operation} ${inputs.length}`, options, { apply, refused }, false);
  }

  async #one<Input>(
    operation: string,
    input: Input,
    options: SendOptions,
    put: (inputs: readonly Input[], options: SendOptions) => Promise<readonly WriteResult[]>,
  ): Promise<WriteResult> {
    const fault = this.#draw(operation);
    const failed: WriteResult = {
      status: 'failed',
      error: new TransientError(`${operation}: simulated ${fault}`),
    };
    if (fault === 'refuse') return failed;
    if (fault === 'applyLate') {
      const { clock, random } = this.#options;
      // Not awaited: it lands whatever becomes of the container.
      clock.sleep(random.next() * LATE_MS).then(() => put([input], options));
      return failed;
    }
    const [result = failed] = await put([input], options);
    return fault === 'loseAnswer' ? failed : result;
  }

  #stream(stream: Stream): Stream {
    return {
      identify: (options) =>
        this.#send('stream.identify', options, {
          apply: () => stream.identify(options),
          refused: raise,
        }),
      parents: (shard, options) =>
        this.#send('stream.parents', options, {
          apply: () => stream.parents(shard, options),
          refused: raise,
        }),
    };
  }

  #bucket(bucket: Bucket): Bucket {
    return {
      put: (key, body, contentType, options) =>
        this.#send('bucket.put', options, {
          apply: () => bucket.put(key, body, contentType, options),
          refused: raise,
        }),
      get: (key, options) =>
        this.#send('bucket.get', options, {
          apply: () => bucket.get(key, options),
          refused: raise,
        }),
      list: (query, options) =>
        this.#send('bucket.list', options, {
          apply: () => bucket.list(query, options),
          refused: raise,
        }),
    };
  }

  async #send<Answer>(
    operation: string,
    { deadlineMs }: SendOptions,
    request: { apply: () => Promise<Answer>; refused: (error: Error) => Answer },
    drawsFault = true,
  ): Promise<Answer> {
    const { clock, faults } = this.#options;
    if (!this.#alive) return never();
    if (clock.now() >= deadlineMs) return request.refused(new DeadlineError(operation));
    const number = this.#options.nextRequest();
    this.#maybeDie(number, 'before', operation);
    if (!this.#alive) return never();
    this.#note(operation);
    await clock.sleep(this.#latencyMs(faults().slow, operation));
    const answer = await this.#answer(
      operation,
      request,
      drawsFault ? this.#draw(operation) : undefined,
    );
    await clock.sleep(this.#latencyMs(0, operation));
    this.#maybeDie(number, 'after', operation);
    return this.#unlessDead(Promise.resolve(answer));
  }

  async #answer<Answer>(
    operation: string,
    request: { apply: () => Promise<Answer>; refused: (error: Error) => Answer },
    fault: string | undefined,
  ): Promise<Answer> {
    const lost = () => request.refused(new TransientError(`${operation}: simulated ${fault}`));
    if (fault === 'refuse' || fault === 'applyLate') return lost();
    const answer = await request.apply();
    return fault === 'loseAnswer' ? lost() : answer;
  }

  #draw(operation: string): 'refuse' | 'loseAnswer' | 'applyLate' | undefined {
    const { random, count } = this.#options;
    const { refuse, loseAnswer, applyLate } = this.#options.faults();
    const at = random.next();
    const limits = [
      ['refuse', refuse],
      ['loseAnswer', refuse + loseAnswer],
      ['applyLate', refuse + loseAnswer + applyLate],
    ] as const;
    const [fault] = limits.find(([, limit]) => at < limit) ?? [];
    if (fault !== undefined) count(fault, kindOf(operation));
    return fault;
  }

  #latencyMs(slow: number, operation: string): number {
    const { random, count } = this.#options;
    if (random.next() >= slow) return 1 + Math.floor(random.next() * 10);
    count('slow', kindOf(operation));
    return Math.floor(random.next() * SLOW_MS);
  }

  #maybeDie(request: number, phase: CrashPoint['phase'], operation: string): void {
    const { crashAt, random, faults, count } = this.#options;
    const asked = crashAt?.request === request && crashAt.phase === phase;
    if (!asked && random.next() >= faults().crash / 2) return;
    count('crash', kindOf(operation));
    this.die();
  }

  #unlessDead<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#alive && resolve(value),
        (error: unknown) => this.#alive && reject(error),
      );
    });
  }

  #note(text: string): void {
    const { trace, clock, name } = this.#options;
    trace.add(clock.now(), name, text);
  }
}

/** `ledger.get` of `ledger.get 12`. */
function kindOf(operation: string): string {
  return operation.split(' ')[0] ?? operation;
}

function raise(error: Error): never {
  throw error;
}

function never<Value>(): Promise<Value> {
  return new Promise(() => undefined);
}
