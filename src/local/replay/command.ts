import type { ReplaySettings } from '../../core/contract.ts';
import { goesOn } from '../../core/contract.ts';
import { FIRST_GENERATION, type LiveGeneration } from '../../core/generation.ts';
import { liveGeneration } from '../../handlers/live-generation.ts';
import { type DeployedGeneration, findGeneration, findGenerations } from '../generations.ts';
import { CommandError, EXIT } from '../local-error.ts';
import { askDescription } from './ask.ts';
import { compareGenerations, type GenerationComparison } from './compare.ts';
import { archivePorts, type OpenReplay, replayerOf } from './open.ts';
import { deployedGeneration, goOn, swapTo } from './rebuild.ts';
import { type ReplayRunOptions, type ReplaySums, runReplay } from './run.ts';

/** How a replay goes about it. */
export type ReplayWay = Omit<ReplayRunOptions, 'replayer'>;

/** A generation that was, or is to be, rebuilt. */
export interface ChosenGeneration {
  readonly number: number;
  readonly replay: ReplaySettings;
  readonly stands: boolean;
}

/**
 * The generation that a command is about: the one that was named; or the newest, if it isn't live and is of this
 * version of the pipeline; or the next.
 *
 * @param range undefined: what it was begun with, or everything
 * @throws CommandError when the one that was named is of another version
 */
export async function chooseGeneration(
  open: OpenReplay,
  named: number | undefined,
  range: ReplaySettings | undefined,
): Promise<ChosenGeneration> {
  const of = { ...open, environment: open.stackEnvironment };
  const all = await findGenerations(of);
  const { live } = await liveOf(open);
  const newest = all.at(-1);
  const isOpen =
    newest !== undefined && newest.name !== live && (await isOfThisVersion(open, newest));
  const next = Number(newest?.name ?? FIRST_GENERATION) + (isOpen ? 0 : 1);
  const number = named ?? next;
  const standing = all.find(({ name }) => Number(name) === number);
  if (standing !== undefined && !(await isOfThisVersion(open, standing))) {
    throw otherVersion(open, standing, next);
  }
  return {
    number,
    replay: range ?? standing?.replay ?? { fromMs: 0 },
    stands: standing !== undefined,
  };
}

/** True when the generation's function has the pipeline as it is in this checkout. */
async function isOfThisVersion(open: OpenReplay, generation: DeployedGeneration): Promise<boolean> {
  const { fingerprint } = await askDescription(replayerOf(open, generation));
  return fingerprint === open.program.fingerprint;
}

function otherVersion(
  { pipeline }: OpenReplay,
  { name }: DeployedGeneration,
  next: number,
): CommandError {
  return new CommandError(`Generation ${name} is of another version of ${pipeline}`, {
    exitCode: EXIT.usage,
    detail:
      'got a pipeline file that differs from what it was made of, expected the same: what it counts would be of two else',
    next: `npx millrace replay --pipeline ${pipeline} --generation ${next}`,
  });
}

/** Which generation readers look at. */
export function liveOf(open: OpenReplay): Promise<LiveGeneration> {
  const { source, clock, random } = archivePorts(open);
  return liveGeneration(source, { clock, random, deadlineMs: clock.now() + 30_000 });
}

/** Rebuilds a generation, and lets it go on with the stream where it is a whole one. */
export async function rebuild(
  open: OpenReplay,
  chosen: ChosenGeneration,
  way: ReplayWay,
): Promise<ReplaySums> {
  const { number, replay } = chosen;
  const generation = await deployedGeneration(open, { number, replay }, way.signal);
  const sums = await runReplay({ ...way, replayer: replayerOf(open, generation) });
  if (sums.state === 'complete' && goesOn(replay)) await goOn(open, generation, way.signal);
  return sums;
}

/** Replays what the live generation has not read. */
export function replayLive(open: OpenReplay, way: ReplayWay): Promise<ReplaySums> {
  return runReplay({ ...way, replayer: replayerOf(open, open.first) });
}

/** A generation that stands. @throws CommandError */
export async function standing(open: OpenReplay, name: string): Promise<DeployedGeneration> {
  const of = { ...open, environment: open.stackEnvironment };
  const found = await findGeneration(of, name);
  if (found !== undefined) return found;
  const names = [FIRST_GENERATION, ...(await findGenerations(of)).map((one) => one.name)];
  throw new CommandError('There is no such generation', {
    exitCode: EXIT.usage,
    detail: `got ${name}, expected one of ${names.join(', ')}`,
    next: `npx millrace replay --pipeline ${open.pipeline} --generation ${name}`,
  });
}

/** Compares a generation with the live one, or where it is live itself, with the one before. */
export async function compareWithLive(
  open: OpenReplay,
  name: string,
): Promise<GenerationComparison & { readonly left: string; readonly right: string }> {
  const right = await standing(open, name);
  const { live, before } = await liveOf(open);
  const left = await standing(open, live === name ? before : live);
  const compared = await compareGenerations({
    left: replayerOf(open, left),
    right: replayerOf(open, right),
    untilMs: right.replay?.toMs,
  });
  return { ...compared, left: left.name, right: right.name };
}

/**
 * Makes a generation the live one, after it was seen to be through.
 *
 * @throws CommandError when it isn't, or never will be
 */
export async function swap(
  open: OpenReplay,
  name: string,
  way: ReplayWay,
): Promise<LiveGeneration> {
  const generation = await standing(open, name);
  if (generation.consumer === undefined) {
    throw new CommandError(`Generation ${name} can't go live`, {
      exitCode: EXIT.no,
      detail: `got one of a part of the records, ${JSON.stringify(generation.replay)}, expected one without an end, a key or a filter`,
      next: `npx millrace replay --pipeline ${open.pipeline} --compare ${name}`,
    });
  }
  if (generation.replay !== null) {
    const { state } = await runReplay({ ...way, replayer: replayerOf(open, generation) });
    if (state !== 'complete') throw notThrough(open, name);
    await goOn(open, generation, way.signal);
  }
  return swapTo(open, name);
}

function notThrough({ pipeline }: OpenReplay, name: string): CommandError {
  return new CommandError(`Generation ${name} is not through`, {
    exitCode: EXIT.no,
    detail: 'got records that are missing in the archive, expected all of them to be in',
    next: `npx millrace replay --pipeline ${pipeline} --generation ${name} --accept-gaps`,
  });
}
