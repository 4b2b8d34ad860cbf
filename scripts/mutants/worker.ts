import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer, CoveredRun, Order, RunName, WorkerData } from './messages.ts';

/**
 * Runs the battery of simulations against one mutant after the other.
 *
 * Invariant: each mutant starts from modules that were loaded with it, so that constants are mutated
 * too and nothing is left over from the one before.
 */

/** A schedule of the battery, as the files of test/sim/schedules export it. */
interface Schedule {
  readonly name: string;
  readonly seeds: number;
  readonly scene?: boolean;
  readonly run: (seed: number) => Promise<readonly string[]>;
}

type Load = (module: object, exports: object, require: NodeJS.Require, set: unknown) => void;

const data: WorkerData = workerData;
const port = parentPort;
if (port === null) throw new Error('worker: got no parent, expected to be started by the driver');
const require = createRequire(path.join(data.root, 'package.json'));
let unhandled: unknown[] = [];

const switching = prepare(data.switching, '$m');
const covering = prepare(data.covering, '$c');

// From here on: what goes wrong before is the driver's to hear.
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

port.on('message', async (order: Order) => {
  try {
    port.postMessage(order.type === 'cover' ? await cover() : await tryMutant(order));
  } catch (error) {
    port.postMessage({
      type: 'broken',
      why: error instanceof Error ? String(error.stack) : String(error),
    } satisfies Answer);
  }
});

function prepare(script: string, parameter: string): Load {
  const text = `(function (module, exports, require, ${parameter}) {${script}\n})`;
  return new Script(text, { filename: 'battery.cjs' }).runInThisContext();
}

function schedulesOf(load: Load, set: unknown): readonly Schedule[] {
  const module: { exports: { SCHEDULES?: readonly Schedule[] } } = { exports: {} };
  load(module, module.exports, require, set);
  const { SCHEDULES } = module.exports;
  if (SCHEDULES === undefined)
    throw new Error('battery: got no SCHEDULES, expected an exported list');
  return SCHEDULES;
}

/** One run: what was wrong, a crash of the simulation included. */
async function violationsOf(schedule: Schedule, seed: number): Promise<readonly string[]> {
  unhandled = [];
  try {
    const violations = await schedule.run(seed);
    await new Promise((resolve) => setImmediate(resolve));
    return [...violations, ...unhandled.map((error) => `unhandled ${String(error)}`)];
  } catch (error) {
    return [`threw ${String(error)}`];
  }
}

async function cover(): Promise<Answer> {
  const reached = new Uint8Array(data.mutants + 1);
  const schedules = schedulesOf(covering, reached);
  const loading = taken(reached);
  const runs: CoveredRun[] = [];
  const violations: string[] = [];
  for (const schedule of schedules) {
    for (let seed = 1; seed <= schedule.seeds; seed += 1) {
      port?.postMessage({ type: 'running', run: { schedule: schedule.name, seed } });
      const before = process.threadCpuUsage();
      const found = await violationsOf(schedule, seed);
      const { user, system } = process.threadCpuUsage(before);
      violations.push(...found.map((one) => `${schedule.name} ${seed}: ${one}`));
      const ms = (user + system) / 1000;
      const { name, scene = false } = schedule;
      runs.push({ schedule: name, seed, scene, mutants: taken(reached), ms });
    }
  }
  return { type: 'covered', coverage: { loading, runs, violations } };
}

/** The numbers that are noted, which are then forgotten. */
function taken(reached: Uint8Array): readonly number[] {
  const numbers = [...reached.keys()].filter((id) => reached[id] === 1);
  reached.fill(0);
  return numbers;
}

async function tryMutant({ mutant, runs }: Extract<Order, { type: 'try' }>): Promise<Answer> {
  let schedules: ReadonlyMap<string, Schedule>;
  try {
    schedules = new Map(schedulesOf(switching, mutant).map((one) => [one.name, one]));
  } catch (error) {
    return { type: 'killed', run: undefined, why: `loading threw ${String(error)}` };
  }
  for (const run of runs) {
    const why = await tryRun(schedules.get(run.schedule), run);
    if (why !== undefined) return { type: 'killed', run, why };
  }
  return { type: 'survived' };
}

async function tryRun(schedule: Schedule | undefined, run: RunName): Promise<string | undefined> {
  if (schedule === undefined) return `schedule ${run.schedule} is gone`;
  port?.postMessage({ type: 'running', run });
  const [first] = await violationsOf(schedule, run.seed);
  return first;
}
