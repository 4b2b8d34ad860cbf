import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EXIT } from '../local/local-error.ts';
import { STATE } from '../local/paths.ts';
import { FAULT_NAMES, type FaultName } from '../sim/faults.ts';
import { timelineHtml } from '../sim/picture.ts';
import type { SimOptions, SimResult } from '../sim/schedule.ts';
import { type Kept, restricted, shrink } from '../sim/shrink.ts';
import { simulate } from '../sim/simulate.ts';
import { timelineText } from '../sim/timeline.ts';
import { numbersIn, rangesOf } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { openSchedules, type Schedules } from './schedules.ts';

/** Which schedule is shown, and which part of it. */
export interface OneSchedule {
  readonly seed: number;
  /** Places of the events that are kept, such as `0,3-7`; default all. */
  readonly keepEvents?: string;
  /** Numbers of the hits of faults that are kept, or `none`; default all. */
  readonly keepHits?: string;
  readonly json: boolean;
}

type Printer = Pick<CommandContext, 'print'>;

/**
 * Shows a failing schedule, as short as it still fails: what broke, a timeline, a picture, and the command
 * that replays just that.
 */
export async function explain(
  schedules: Schedules,
  seed: number,
  { print, complain }: Printer & Pick<CommandContext, 'complain'>,
): Promise<void> {
  complain(`seed ${seed}: looking for the shortest schedule that still fails`);
  const whole = (await openSchedules(schedules))(seed);
  const { result, options, kept } = await shrink(whole);
  const faults = FAULT_NAMES.filter((name) => options.faults[name] > 0);
  const count = options.events.length;
  print(`\nThe shortest schedule that still fails has ${count} event${count === 1 ? '' : 's'}.\n`);
  show(schedules.pipeline, result, { print });
  print(`replay:  ${replayCommand(schedules, seed, faults, kept)}`);
}

/** Shows one schedule, or a part of it. @returns the exit code */
export async function showOne(
  schedules: Schedules,
  { seed, keepEvents, keepHits, json }: OneSchedule,
  { print }: Printer,
): Promise<number> {
  const whole: SimOptions = { ...(await openSchedules(schedules))(seed), keepTrace: true };
  const result = await simulate(
    restricted(whole, {
      events: keepEvents === undefined ? [...whole.events.keys()] : numbersIn(keepEvents),
      hits: keepHits === undefined ? undefined : numbersIn(keepHits),
    }),
  );
  const { hash, violations } = result;
  if (!json) show(schedules.pipeline, result, { print });
  else print(JSON.stringify({ pipeline: schedules.pipeline, seed, trace: hash, violations }));
  return violations.length === 0 ? EXIT.done : EXIT.no;
}

function show(pipeline: string, result: SimResult, { print }: Printer): void {
  const { seed, hash, violations } = result;
  print(timelineText(result));
  const verdict = violations.length === 0 ? 'every promise held' : 'a promise was broken';
  print(`\nseed ${seed}, trace ${hash}: ${verdict}`);
  for (const violation of violations) print(`  ${violation}`);
  print(`picture: ${writePicture(pipeline, result)}`);
}

function replayCommand(
  { pipeline, events }: Schedules,
  seed: number,
  faults: readonly FaultName[],
  kept: Kept,
): string {
  const hits = kept.hits === undefined ? '' : ` --keep-hits ${rangesOf(kept.hits) || 'none'}`;
  return `npx millrace simulate ${pipeline} --seed ${seed} --events ${events} --faults ${faults.join() || 'none'} --keep-events ${rangesOf(kept.events)}${hits}`;
}

function writePicture(pipeline: string, result: SimResult): string {
  const directory = path.join(STATE, 'simulate');
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${pipeline}-${result.seed}.html`);
  writeFileSync(file, timelineHtml(`${pipeline}, seed ${result.seed}`, result));
  return path.relative(process.cwd(), file);
}
