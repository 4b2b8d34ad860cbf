import { InvariantError } from '../core/errors.ts';
import type { Program } from '../core/program.ts';
import { type Consume, makeConsume } from '../handlers/consume.ts';
import type { BatchReport } from '../handlers/report.ts';
import type { Batch } from '../mapping/batch.ts';
import type { Outcome } from '../mapping/lane.ts';
import { Container, type ContainerOptions, type Run } from './container.ts';
import { LATE_MS } from './faults.ts';
import type { SimPolicies } from './policies.ts';
import type { Rollout } from './rollout.ts';
import type { SimOptions } from './schedule.ts';
import type { SimPayload } from './shard-reader.ts';

/** How an invocation went, for those who check. */
export interface Invoked {
  readonly run: Run;
  readonly container: string;
  readonly shard: string;
  readonly startMs: number;
  /** In words. */
  readonly ending: string;
  readonly outcome: Outcome;
  readonly report: BatchReport | undefined;
  /** The function's own code ended the process. */
  readonly killed: boolean;
}

/** What the function runs in. */
export interface LambdaOptions {
  /** Everything of a container but its name. */
  readonly surroundings: Omit<ContainerOptions, 'name'>;
  readonly simulated: SimOptions;
  readonly policies: SimPolicies;
  /** Which version of the pipeline runs. */
  readonly rollout: Rollout;
  /** Told of each run before it begins, and after. */
  readonly onRun: (run: Run) => void;
  readonly onInvoked: (invoked: Invoked) => void;
}

/** How long an invocation may take where nothing else is said, milliseconds. */
export const TIMEOUT_MS = 10_000;

interface Warm {
  readonly version: number;
  readonly container: Container;
  readonly handler: Consume;
}

/**
 * Lambda: containers that are cold or warm, run one invocation at a time, and are frozen in between.
 *
 * Invariants
 * 1. A container runs one invocation at a time.
 * 2. What an invocation left behind in its container goes on with the next one, or never.
 * 3. No more invocations run than the reserved concurrency allows.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export class Lambda {
  readonly #options: LambdaOptions;
  readonly #idle: Warm[] = [];
  #containers = 0;
  #invocations = 0;
  #running = 0;

  constructor(options: LambdaOptions) {
    this.#options = options;
  }

  /** Invocations that have not come to their end. */
  get running(): number {
    return this.#running;
  }

  /** Runs the function on a batch, as far as it comes. */
  async invoke(batch: Batch<SimPayload>, shard: string): Promise<Outcome> {
    const { dice, weather, clock } = this.#options.surroundings;
    const { policies, simulated } = this.#options;
    dice.count('invocation');
    weather.change(dice, clock.now());
    if (dice.strikes('throttle') || this.#running >= policies.concurrencyMax) {
      dice.count('throttled invocation');
      return { type: 'not-invoked' };
    }
    this.#invocations += 1;
    const timeoutMs = simulated.timeoutMs ?? TIMEOUT_MS;
    const run: Run = {
      id: `r-${this.#invocations}`,
      records: batch.records.map(({ payload }) => payload.record),
      endMs: clock.now() + timeoutMs,
    };
    this.#options.onRun(run);
    this.#running += 1;
    const outcome = await this.#run(run, batch, shard);
    this.#running -= 1;
    return outcome;
  }

  /** A container of its own for another function: the keeper. */
  newContainer(name: string): Container {
    return new Container({ ...this.#options.surroundings, name });
  }

  async #run(run: Run, batch: Batch<SimPayload>, shard: string): Promise<Outcome> {
    const { clock } = this.#options.surroundings;
    const warm = this.#take();
    const { container } = warm;
    const startMs = clock.now();
    this.#note(run, container, `${shard} ${spanOf(batch)}`, shard);
    container.start(run);
    let report: BatchReport | undefined;
    const event = { Records: batch.records.map(({ payload }) => payload.event) };
    const answer = warm.handler(event, { requestId: run.id, deadlineMs: run.endMs }).then(
      (result): Ending => {
        report = result.report;
        return { type: 'answered', answer: result.response };
      },
      (error: unknown): Ending => ({ type: 'threw', error }),
    );
    const ending = await Promise.race([
      answer,
      container.death.then((): Ending => ({ type: 'died' })),
      clock
        .sleep(run.endMs - clock.now(), 'background')
        .then((): Ending => ({ type: 'timed-out' })),
    ]);
    const outcome = this.#end(warm, ending);
    this.#note(run, container, told(ending), shard);
    this.#options.onInvoked({
      run,
      shard,
      outcome,
      report,
      startMs,
      container: container.name,
      ending: told(ending),
      killed: container.killed,
    });
    return outcome;
  }

  /** What becomes of the container, and what the mapping is told. */
  #end(warm: Warm, ending: Ending): Outcome {
    const { dice, onViolation } = this.#options.surroundings;
    const { container } = warm;
    if (ending.type === 'answered') {
      if (/"itemIdentifier"/.test(JSON.stringify(ending.answer))) dice.count('partial response');
      this.#keep(warm);
      return ending;
    }
    dice.count('failed invocation');
    dice.count(`function ${ending.type.replace('-', ' ')}`);
    if (ending.type === 'timed-out') this.#timeOut(container);
    if (ending.type !== 'threw') return { type: 'failed' };
    if (ending.error instanceof InvariantError || !(ending.error instanceof Error)) {
      onViolation(`the handler threw: ${String(ending.error)}`);
    }
    if (this.#options.policies.thrown === 'ended') container.die();
    else this.#keep(warm);
    return { type: 'failed' };
  }

  #keep(warm: Warm): void {
    if (!warm.container.alive) return;
    warm.container.freeze();
    this.#idle.push(warm);
  }

  /** Ended, or frozen and thawed some time later without anybody who waits for it. */
  #timeOut(container: Container): void {
    const { clock, dice } = this.#options.surroundings;
    if (this.#options.policies.timedOut === 'ended') {
      container.die();
      return;
    }
    container.freeze();
    dice.count('thawed after its end');
    clock.at(clock.now() + dice.upTo(LATE_MS), () => container.thaw());
  }

  #take(): Warm {
    const { dice } = this.#options.surroundings;
    const { policies, simulated, rollout } = this.#options;
    // The others stay as they are: one that comes back later finds that the world has moved on.
    if (!dice.strikes('coldStart')) {
      const warm = this.#takeWarm();
      if (warm !== undefined) return warm;
    }
    const version = rollout.draw();
    dice.count('cold start');
    this.#containers += 1;
    const container = this.newContainer(`c${this.#containers}`);
    const program: Program = rollout.programOf(version)(container.kill);
    const make = simulated.makeHandler ?? makeConsume;
    const { cellsMax, writersAtOnce, guardLagMs } = policies;
    const { believedMs } = simulated;
    const options = {
      ...{ cellsMax, writersAtOnce, guardLagMs },
      ...(believedMs === undefined ? {} : { believedMs }),
    };
    const handler = make(container.ports, program, options);
    return { container, handler, version };
  }

  /** One of a version that is deployed; those of others are never invoked again. */
  #takeWarm(): Warm | undefined {
    const { policies, rollout } = this.#options;
    const serving = this.#idle.filter(({ version }) => rollout.serves(version));
    const warm = policies.warm === 'last' ? serving.at(-1) : serving[0];
    if (warm !== undefined) this.#idle.splice(this.#idle.indexOf(warm), 1);
    return warm;
  }

  #note(run: Run, container: Container, text: string, shard: string): void {
    const { trace, clock } = this.#options.surroundings;
    trace.add(clock.now(), 'mapping', `${run.id} on ${container.name}: ${text}`, () => ({
      shards: [shard],
    }));
  }
}

type Ending =
  | { readonly type: 'answered'; readonly answer: unknown }
  | { readonly type: 'threw'; readonly error: unknown }
  | { readonly type: 'died' }
  | { readonly type: 'timed-out' };

function told(ending: Ending): string {
  if (ending.type === 'answered') return `answered ${JSON.stringify(ending.answer)}`;
  if (ending.type === 'threw') return `threw ${String(ending.error)}`;
  return ending.type === 'died' ? 'died' : 'ran out of time';
}

function spanOf({ records, attempts }: Batch<SimPayload>): string {
  const [first, last] = [records[0], records.at(-1)];
  const span = first === last ? first?.sequence : `${first?.sequence} to ${last?.sequence}`;
  return `invoked with ${records.length} records, ${span}, after ${attempts} failed tries`;
}
