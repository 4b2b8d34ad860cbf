import type { Command } from 'commander';
import { systemClock } from '../adapters/aws/clock.ts';
import type { WindowChange } from '../core/shape.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import type { WriterStanding } from '../local/switch-writers.ts';
import { leadMsOf, Switching, type SwitchPlan } from '../local/switching.ts';
import { confirm } from './confirm.ts';
import type { CommandContext } from './context.ts';
import { chosenDeployment, type DeploymentFlags, deploymentOptions } from './deployment-choice.ts';
import { timeAhead } from './time.ts';

interface SwitchFlags extends DeploymentFlags {
  readonly at?: number;
  readonly dryRun: boolean;
  readonly abort: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** Where nothing else is said, the switch comes so much later than it could at the earliest, milliseconds. */
const ROOM_MS = 15_000;

/** `millrace switch`: from the deployed version of a pipeline to that of its file, at one arrival time. */
export function addSwitch(program: Command, context: CommandContext): void {
  const command = program
    .command('switch')
    .description(
      'change a pipeline that runs: one version up to an arrival time, the next one from it on',
    );
  deploymentOptions(command, context)
    .option(
      '--at <time>',
      'arrival of the first record of the new version, ISO 8601 or +10m (default: soon)',
      timeAhead(systemClock.now()),
    )
    .option('--dry-run', 'say what would change, and whether a switch can do it', false)
    .option('--abort', 'take an announced switch back', false)
    .option('--yes', 'do not ask', false)
    .option('--json', 'print one JSON object instead', false)
    .action(async (flags: SwitchFlags) => {
      context.exitCode = await run(flags, context);
    });
}

async function run(flags: SwitchFlags, context: CommandContext): Promise<number> {
  const { pipeline } = flags;
  const switching = await Switching.open(chosenDeployment(flags, context));
  if (flags.abort) {
    await switching.abort();
    context.print('the switch is taken back; the deployed version goes on');
    return EXIT.done;
  }
  const plan = await switching.plan();
  if (flags.json) context.print(JSON.stringify(plan));
  else for (const line of planLines(plan)) context.print(line);
  if (plan.state === 'none') return EXIT.done;
  if (plan.change.refusals.length > 0) throw needsGeneration(plan, pipeline);
  if (flags.dryRun) return EXIT.done;
  await agree(flags, context);
  return carryOut(switching, plan, { flags, context });
}

async function carryOut(
  switching: Switching,
  plan: SwitchPlan,
  { flags, context }: { readonly flags: SwitchFlags; readonly context: CommandContext },
): Promise<number> {
  const { signal, complain } = context;
  const atMs = plan.atMs ?? flags.at ?? systemClock.now() + leadMsOf(flags.env) + ROOM_MS;
  if (plan.state === 'new') await switching.announce(plan, atMs);
  complain(`announced: version ${plan.next.print} decides on what arrives from ${iso(atMs)} on`);
  complain('Ctrl-C is safe: run it again to go on; --abort takes it back while there is time');
  let before = '';
  const onLook = (writers: readonly WriterStanding[]) => {
    const line = progressLine(writers, atMs);
    if (line !== before) complain(line);
    before = line;
  };
  await switching.finished(plan, atMs, { signal, onLook });
  await deployNext(switching, flags, context);
  await switching.deployed(plan, signal);
  const writers = await switching.writers(plan, atMs);
  if (!flags.json) context.print(doneLine(plan, writers, atMs));
  return EXIT.done;
}

/** Locally the stacks are updated; on AWS it is the user's deployment, with the user's rights. */
async function deployNext(
  switching: Switching,
  { pipeline, env }: SwitchFlags,
  { signal, complain }: CommandContext,
): Promise<void> {
  if (env !== 'local') {
    complain('deploy it now, in another terminal or by your pipeline of deployments:');
    complain(`  npx cdk deploy --all -c pipeline=${pipeline} -c env=${env}`);
    return;
  }
  complain('deploying');
  await switching.deployLocally(signal);
}

function planLines({ deployed, next, change, state, atMs }: SwitchPlan): readonly string[] {
  if (state === 'none') {
    return [
      `nothing to switch: version ${deployed.print} is deployed, and the file is that version`,
    ];
  }
  return [
    `deployed  version ${deployed.print}`,
    `file      version ${next.print}`,
    ...change.windows.map(windowLine),
    ...(state === 'announced' ? [`announced for ${iso(atMs ?? 0)}`] : []),
  ];
}

const WHAT: Readonly<Record<WindowChange['change'], string>> = {
  kept: 'goes on; what its functions decide may change',
  new: 'new: its first rows hold only what arrives after the switch',
  gone: 'gone: its rows stay until they expire, and nothing is added',
  changed: 'is stored otherwise',
};

function windowLine({ window, change }: WindowChange): string {
  return `window ${window}: ${WHAT[change]}`;
}

function needsGeneration({ change }: SwitchPlan, pipeline: string): CommandError {
  return new CommandError('A switch cannot make this change', {
    exitCode: EXIT.no,
    detail: change.refusals.join('\n  '),
    next: `give a changed window a new name (both can stand side by side), or rebuild it: docs/CHANGES.md; then npx millrace switch --pipeline ${pipeline}`,
  });
}

async function agree({ yes, pipeline }: SwitchFlags, { signal }: CommandContext): Promise<void> {
  if (yes || (await confirm('switch?', signal))) return;
  throw new CommandError('Nothing was changed', {
    exitCode: EXIT.no,
    detail: 'got no, expected y',
    next: `npx millrace switch --pipeline ${pipeline}`,
  });
}

function progressLine(writers: readonly WriterStanding[], atMs: number): string {
  const leftMs = atMs - systemClock.now();
  const names = (state: WriterStanding['state']) =>
    writers.filter((one) => one.state === state).map(({ writer }) => laneOf(writer));
  const list = (label: string, all: readonly string[]) =>
    all.length === 0
      ? []
      : [`${label} ${all.slice(0, 8).join(' ')}${all.length > 8 ? ' ...' : ''}`];
  const parts = [
    ...list('handed over:', [...names('stands'), ...names('goes on')]),
    ...list('nothing unread:', names('idle')),
    ...list('not finished:', names('behind')),
  ];
  const when = leftMs > 0 ? `switch at ${iso(atMs)}` : 'switching';
  return `${when}; ${parts.length === 0 ? 'no writer yet' : parts.join('; ')}`;
}

function doneLine(plan: SwitchPlan, writers: readonly WriterStanding[], atMs: number): string {
  const gone = writers.filter(({ state }) => state === 'goes on').length;
  return `version ${plan.next.print} is deployed and decides on what arrives from ${iso(atMs)} on; ${gone} of ${writers.length} writers have gone on, the others do with their next record`;
}

function laneOf(writer: string): string {
  return writer.slice(writer.lastIndexOf('.') + 1);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
