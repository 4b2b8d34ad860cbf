import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { CommandError, EXIT } from '../local/local-error.ts';
import { ROOT } from '../local/paths.ts';
import { readDeployed } from '../local/simulation.ts';
import { discoverPipelines } from '../project/discover.ts';
import { FAULT_NAMES, type FaultName } from '../sim/faults.ts';
import { integer } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { runJobs } from './schedule-jobs.ts';
import type { ScheduleOutcome, Schedules } from './schedules.ts';
import { explain, type OneSchedule, showOne } from './simulate-one.ts';
import { summaryObject, summaryText } from './simulate-summary.ts';

interface SimulateFlags extends Partial<OneSchedule> {
  readonly seeds: number;
  readonly faults: string;
  readonly minutes?: number;
  readonly events: number;
  readonly jobs: number;
  readonly json: boolean;
}

/** Schedules of a run: so many that each fault hits each await often enough, where it has its usual events. */
const SEEDS = 1_200;
const EVENTS = 500;

/** Between two lines of progress, milliseconds. */
const PROGRESS_MS = 2_000;

/** `millrace simulate`: the pipeline under seeded faults. */
export function addSimulate(program: Command, context: CommandContext): void {
  const names = discoverPipelines(ROOT);
  const faults = `all, none, or some of: ${FAULT_NAMES.join(', ')}`;
  program
    .command('simulate')
    .description('run a pipeline in virtual time under seeded faults, and check every promise')
    .argument('[pipeline]', `folder of pipelines/: ${names.join(', ')}`, 'flights')
    .option('--seeds <count>', 'how many schedules', integer(1, 1_000_000), SEEDS)
    .option('--seed <number>', 'only this one, with its timeline', integer(0, 2 ** 32 - 1))
    .addOption(new Option('--faults <list>', faults).default('all'))
    .option('--minutes <count>', 'go on for so long instead', integer(1, 10_000))
    .option('--events <count>', 'events in a schedule', integer(1, 100_000), EVENTS)
    .option('--jobs <count>', 'threads', integer(1, 256), availableParallelism())
    .option('--keep-events <list>', 'of --seed, only these events, such as 0,3-7')
    .option('--keep-hits <list>', 'of --seed, only these hits of faults, such as 4,9; or none')
    .option('--json', 'print one JSON object instead', false)
    .action(async (pipeline: string, flags: SimulateFlags) => {
      context.exitCode = await run(pipeline, flags, context);
    });
}

async function run(
  pipeline: string,
  flags: SimulateFlags,
  context: CommandContext,
): Promise<number> {
  const faults = faultsIn(flags.faults);
  const deployed = await readDeployed(pipeline, context.signal);
  const schedules: Schedules = { pipeline, events: flags.events, faults, deployed };
  const { seed } = flags;
  if (seed !== undefined) return showOne(schedules, { ...flags, seed }, context);
  const outcomes = await runAll(schedules, flags, context);
  const summary = { schedules, outcomes };
  context.print(flags.json ? JSON.stringify(summaryObject(summary)) : summaryText(summary));
  const failing = outcomes.find(({ violations }) => violations.length > 0);
  if (failing === undefined) return EXIT.done;
  if (!flags.json) await explain(schedules, failing.seed, context);
  return EXIT.no;
}

async function runAll(
  schedules: Schedules,
  { seeds, minutes, jobs, json }: SimulateFlags,
  { signal, complain }: CommandContext,
): Promise<readonly ScheduleOutcome[]> {
  const startMs = performance.now();
  let [done, shownMs] = [0, startMs];
  const wants = (seed: number) =>
    minutes === undefined ? seed <= seeds : performance.now() < startMs + minutes * 60_000;
  const onOutcome = () => {
    done += 1;
    if (json || performance.now() - shownMs < PROGRESS_MS) return;
    shownMs = performance.now();
    const all = minutes === undefined ? ` of ${seeds}` : '';
    complain(`${done}${all} schedules, ${Math.round((shownMs - startMs) / 1000)} s`);
  };
  const outcomes = await runJobs({
    schedules,
    jobs: Math.min(jobs, minutes === undefined ? seeds : jobs),
    wants,
    onOutcome,
    signal,
  });
  const ms = performance.now() - startMs;
  const pace = Math.round((done * 60_000) / ms);
  if (!json) complain(`${done} schedules in ${Math.round(ms / 1000)} s, ${pace} a minute`);
  return outcomes;
}

function faultsIn(list: string): readonly FaultName[] {
  if (list === 'all') return FAULT_NAMES;
  if (list === 'none') return [];
  return list.split(',').map((text) => {
    const name = FAULT_NAMES.find((one) => one === text.trim());
    if (name !== undefined) return name;
    throw new CommandError('A fault of that name is not known', {
      exitCode: EXIT.usage,
      detail: `got '${text}', expected all, none, or some of ${FAULT_NAMES.join(', ')}`,
      next: 'npx millrace simulate --help',
    });
  });
}
