import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { bundle } from './bundle.ts';
import type { Answer, Coverage, CoveredRun, Order, RunName, WorkerData } from './messages.ts';
import type { Mutant, MutatedFile } from './mutants.ts';

/** What became of a mutant. */
export interface Outcome {
  readonly mutant: Mutant;
  /** `timeout`: a run did not end; counts as killed. `unreached`: no run came to it; counts as survived. */
  readonly state: 'killed' | 'timeout' | 'survived' | 'unreached';
  /** The run that told, where one did. */
  readonly by: RunName | undefined;
  /** No whole simulation told, a scene did. */
  readonly byScene: boolean;
  /** What was wrong, or ''. */
  readonly why: string;
  /** How many runs of the battery come to it. */
  readonly reachedBy: number;
}

/** What is tried. */
export interface TryOptions {
  readonly root: string;
  /** The file that exports `SCHEDULES`, from the root. */
  readonly battery: string;
  readonly files: readonly MutatedFile[];
  /** Which mutants, in the order of trying. */
  readonly chosen: readonly Mutant[];
  /** Worker threads. */
  readonly jobs: number;
  /** How much longer than 20 times its usual time a run may take, milliseconds; default 10,000. */
  readonly extraMs?: number;
  /** Asked before each mutant; true ends it. */
  readonly isOver: () => boolean;
  readonly onCovered?: (coverage: Coverage) => void;
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** A run without a mutant broke a promise, or did not end: then nothing is told about mutants. */
export class BatteryError extends Error {
  override readonly name = 'BatteryError';
}

/** A run that takes so many times its usual time, and so many milliseconds more, is ended. */
const TIMES_MAX = 20;
const EXTRA_MS = 10_000;

/** Without a mutant a run may take this long, milliseconds. */
const COVER_MS = 120_000;

/**
 * Tries mutants: each one against the runs that come to it, until the first that tells.
 *
 * @throws BatteryError when the battery fails without a mutant
 */
export async function tryMutants(options: TryOptions): Promise<readonly Outcome[]> {
  const { root, battery, files } = options;
  const mutants = files.reduce((sum, file) => sum + file.mutants.length, 0);
  const [switching, covering] = await Promise.all([
    bundle(root, battery, { files, mode: 'switch' }),
    bundle(root, battery, { files, mode: 'cover' }),
  ]);
  const bench = new Bench({ switching, covering, root, mutants });
  try {
    const answer = await bench.ask({ type: 'cover' }, () => COVER_MS);
    if (answer.type !== 'covered') throw new BatteryError(`without a mutant: ${tell(answer)}`);
    const { coverage } = answer;
    const [wrong] = coverage.violations;
    if (wrong !== undefined) throw new BatteryError(`without a mutant: ${wrong}`);
    options.onCovered?.(coverage);
    return await tryAll(options, coverage, bench);
  } finally {
    await bench.end();
  }
}

async function tryAll(
  options: TryOptions,
  coverage: Coverage,
  first: Bench,
): Promise<readonly Outcome[]> {
  const queue = [...options.chosen];
  const { extraMs = EXTRA_MS } = options;
  const outcomes: Outcome[] = [];
  const lane = async (bench: Bench) => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      if (options.isOver()) return;
      const outcome = await tryOne(mutant, { coverage, bench, extraMs });
      outcomes.push(outcome);
      options.onOutcome?.(outcome);
    }
  };
  const others = Array.from({ length: options.jobs - 1 }, () => first.another());
  try {
    await Promise.all([first, ...others].map(lane));
  } finally {
    await Promise.all(others.map((bench) => bench.end()));
  }
  return outcomes;
}

interface Trial {
  readonly coverage: Coverage;
  readonly bench: Bench;
  readonly extraMs: number;
}

async function tryOne(mutant: Mutant, { coverage, bench, extraMs }: Trial): Promise<Outcome> {
  const always = coverage.loading.includes(mutant.id);
  const runs = coverage.runs
    .filter(({ mutants }) => always || mutants.includes(mutant.id))
    .sort(byOrder);
  const reachedBy = runs.length;
  const none = { mutant, by: undefined, byScene: false, why: '', reachedBy };
  if (reachedBy === 0) return { ...none, state: 'unreached' };
  const names = runs.map(({ schedule, seed }) => ({ schedule, seed }));
  const answer = await bench.ask(
    { type: 'try', mutant: mutant.id, runs: names },
    (run) => extraMs + TIMES_MAX * (runOf(run, runs)?.ms ?? 0),
  );
  if (answer.type === 'broken') throw new BatteryError(`the worker failed: ${answer.why}`);
  if (answer.type === 'survived') return { ...none, state: 'survived' };
  const state = answer.type === 'killed' ? 'killed' : 'timeout';
  const by = 'run' in answer ? answer.run : undefined;
  const byScene = runOf(by, runs)?.scene === true;
  return { mutant, state, by, byScene, why: tell(answer), reachedBy };
}

/** Scenes last, so that what they tell is what no simulation told; else the short ones first. */
function byOrder(left: CoveredRun, right: CoveredRun): number {
  return Number(left.scene) - Number(right.scene) || left.seed - right.seed || left.ms - right.ms;
}

function runOf(run: RunName | undefined, runs: readonly CoveredRun[]): CoveredRun | undefined {
  return runs.find(({ schedule, seed }) => schedule === run?.schedule && seed === run.seed);
}

function tell(answer: Told): string {
  switch (answer.type) {
    case 'killed':
      return answer.why;
    case 'running':
      return 'the run did not end';
    case 'died':
    case 'broken':
      return answer.why;
    default:
      return answer.type;
  }
}

type Told =
  | Answer
  | { readonly type: 'died'; readonly run: RunName | undefined; readonly why: string };

/** Memory of a worker; a mutant that fills it is ended. */
const MEGABYTES_MAX = 1_024;

/** One worker thread, started again after a mutant that did not end. */
class Bench {
  readonly #data: WorkerData;
  #worker: Worker | undefined;

  constructor(data: WorkerData) {
    this.#data = data;
  }

  /** A second one of the same battery. */
  another(): Bench {
    return new Bench(this.#data);
  }

  /**
   * What the worker answers; its last `running` when that run did not end in the time that `limitMs`
   * gives it.
   */
  ask(order: Order, limitMs: (run: RunName | undefined) => number): Promise<Told> {
    const worker = this.#started();
    return new Promise((resolve) => {
      let last: Extract<Answer, { type: 'running' }> | undefined;
      const finish = (answer: Told) => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('error', onError);
        if (answer.type === 'running' || answer.type === 'died') this.end();
        resolve(answer);
      };
      const late = () =>
        finish(last ?? { type: 'died', run: undefined, why: 'loading did not end' });
      const onError = (error: unknown) =>
        finish({ type: 'died', run: last?.run, why: String(error) });
      const onMessage = (answer: Answer) => {
        if (answer.type !== 'running') return finish(answer);
        last = answer;
        clearTimeout(timer);
        timer = setTimeout(late, limitMs(answer.run));
      };
      let timer = setTimeout(late, limitMs(undefined));
      worker.on('message', onMessage).on('error', onError);
      worker.postMessage(order);
    });
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #started(): Worker {
    this.#worker ??= new Worker(path.join(import.meta.dirname, 'worker.ts'), {
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: MEGABYTES_MAX },
    });
    return this.#worker;
  }
}
