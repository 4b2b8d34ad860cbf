import { type Command, Option } from 'commander';
import { systemClock } from '../adapters/aws/clock.ts';
import type { ReplaySettings } from '../core/contract.ts';
import { parseFilter } from '../core/filter-expression.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import {
  chooseGeneration,
  compareWithLive,
  type ReplayWay,
  rebuild,
  replayLive,
  swap,
} from '../local/replay/command.ts';
import { estimateReplay } from '../local/replay/estimate.ts';
import { type OpenReplay, openReplay } from '../local/replay/open.ts';
import type { ReplaySums } from '../local/replay/run.ts';
import { PRICES } from '../plan/prices.ts';
import { integer } from './arguments.ts';
import { confirm } from './confirm.ts';
import type { CommandContext } from './context.ts';
import { chosenDeployment, type DeploymentFlags, deploymentOptions } from './deployment-choice.ts';
import { comparisonText, estimateText, progressText, sumsText } from './replay-text.ts';
import { timeOf } from './time.ts';

interface ReplayFlags extends DeploymentFlags {
  readonly into: 'live' | 'shadow';
  readonly generation?: number;
  readonly from?: number;
  readonly to?: number;
  readonly key?: string;
  readonly filter?: string;
  readonly rate?: number;
  readonly acceptGaps: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly compare?: number;
  readonly swap?: number;
}

/** How long a dry run tries at most. */
const DRY_SECONDS = 20;

/** `millrace replay`: rebuilds results from the archive, compares and swaps generations. */
export function addReplay(program: Command, context: CommandContext): void {
  const nowMs = systemClock.now();
  const command = program
    .command('replay')
    .description('rebuild the results from the archive beside the live ones; compare and swap');
  deploymentOptions(command, context)
    .addOption(
      new Option('--into <where>', 'a new generation, or what the live one has not read')
        .choices(['shadow', 'live'])
        .default('shadow'),
    )
    .option('--generation <number>', 'default: the next, or one not finished', integer(2, 9_999))
    .option('--from <time>', 'arrivals from, ISO 8601 or -7d; default: all', timeOf(nowMs))
    .option(
      '--to <time>',
      'arrivals before; the generation can be read, not swapped',
      timeOf(nowMs),
    )
    .option('--key <key>', 'only the partition of this key')
    .option(
      '--filter <expression>',
      "only events that fit, such as: origin = 'ATL' and delay >= 15",
    )
    .option('--rate <events>', 'events a second at most', integer(1, 1_000_000))
    .option('--accept-gaps', 'go on where records are missing in the archive', false)
    .option('--dry-run', 'try the beginning in memory; say what it would do and cost', false)
    .option('--compare <generation>', 'with the live one', integer(1, 9_999))
    .option(
      '--swap <generation>',
      'make it the live one; swap back with the other number',
      integer(1, 9_999),
    )
    .option('--yes', 'do not ask', false)
    .option('--json', 'print one JSON object instead', false)
    .option('-q, --quiet', 'show no progress', false)
    .action(async (flags: ReplayFlags) => {
      context.exitCode = await replay(flags, context);
    });
}

async function replay(flags: ReplayFlags, context: CommandContext): Promise<number> {
  const range = rangeOf(flags);
  const open = await openReplay(chosenDeployment(flags, context));
  if (flags.compare !== undefined) return compare(open, flags, context);
  if (flags.swap !== undefined) return swapped(open, flags, context);
  if (flags.dryRun) return dryRun(open, flags, { context, range });
  return flags.into === 'live'
    ? live(open, flags, context)
    : shadow(open, flags, { context, range });
}

/** What was asked for; undefined: nothing of it. @throws CommandError, DefinitionError */
function rangeOf({ into, from, to, key, filter }: ReplayFlags): ReplaySettings | undefined {
  if ([from, to, key, filter].every((one) => one === undefined)) return undefined;
  if (filter !== undefined) parseFilter(filter);
  if (into === 'shadow') {
    const range = { fromMs: from ?? 0, toMs: to, key, filter };
    return JSON.parse(JSON.stringify(range));
  }
  throw new CommandError('A replay into the live generation takes no range', {
    exitCode: EXIT.usage,
    detail:
      'got --into live with --from, --to, --key or --filter, expected none: what is counted is known by its position and changes nothing, and nothing that is not may be left out',
    next: 'npx millrace replay --into live --dry-run',
  });
}

async function dryRun(
  open: OpenReplay,
  flags: ReplayFlags,
  {
    context,
    range,
  }: { readonly context: CommandContext; readonly range: ReplaySettings | undefined },
): Promise<number> {
  const settings =
    flags.into === 'live' ? null : (await chooseGeneration(open, flags.generation, range)).replay;
  const estimate = await estimateReplay(open, {
    settings,
    rate: flags.rate,
    seconds: DRY_SECONDS,
    prices: PRICES,
  });
  context.print(flags.json ? JSON.stringify(estimate) : estimateText(estimate));
  return EXIT.done;
}

async function live(
  open: OpenReplay,
  flags: ReplayFlags,
  context: CommandContext,
): Promise<number> {
  const question = `Replay into the live results of ${open.pipeline} what they have not counted?`;
  if (!(await isWanted(question, flags, context))) return EXIT.no;
  return ended(await replayLive(open, wayOf(flags, context)), flags, context);
}

async function shadow(
  open: OpenReplay,
  flags: ReplayFlags,
  {
    context,
    range,
  }: { readonly context: CommandContext; readonly range: ReplaySettings | undefined },
): Promise<number> {
  const chosen = await chooseGeneration(open, flags.generation, range);
  const what = chosen.stands ? 'Go on with' : 'Make';
  const question = `${what} generation ${chosen.number} of ${open.pipeline} (${open.environment})?`;
  if (!(await isWanted(question, flags, context))) return EXIT.no;
  const sums = await rebuild(open, chosen, wayOf(flags, context));
  return ended({ ...sums, generation: String(chosen.number) }, flags, context);
}

function ended(
  sums: ReplaySums & { readonly generation?: string },
  flags: ReplayFlags,
  { print }: CommandContext,
): number {
  if (flags.json) print(JSON.stringify(sums));
  else {
    print(sumsText(sums));
    if (sums.generation !== undefined && sums.state === 'complete') {
      print(`generation ${sums.generation} is through`);
      print(`next: npx millrace replay --pipeline ${flags.pipeline} --compare ${sums.generation}`);
    }
  }
  if (sums.state === 'complete') return EXIT.done;
  throw new CommandError('Records are missing in the archive', {
    exitCode: EXIT.no,
    detail: `got ${sums.gaps.length} gaps, expected none: a generation without them would never be right`,
    next: 'restore the objects (docs/RUNBOOK.md), or the same command with --accept-gaps',
  });
}

async function compare(
  open: OpenReplay,
  flags: ReplayFlags,
  { print }: CommandContext,
): Promise<number> {
  const compared = await compareWithLive(open, String(flags.compare));
  print(flags.json ? JSON.stringify(compared) : comparisonText(compared));
  const differs = compared.windows.some(
    ({ changed, onlyLeft, onlyRight }) => changed + onlyLeft + onlyRight > 0,
  );
  return differs ? EXIT.no : EXIT.done;
}

async function swapped(
  open: OpenReplay,
  flags: ReplayFlags,
  context: CommandContext,
): Promise<number> {
  const name = String(flags.swap);
  if (!(await isWanted(`Make generation ${name} the live one?`, flags, context))) return EXIT.no;
  const now = await swap(open, name, wayOf(flags, context));
  context.print(
    flags.json
      ? JSON.stringify(now)
      : `generation ${now.live} is live; back: npx millrace replay --pipeline ${flags.pipeline} --swap ${now.before}`,
  );
  return EXIT.done;
}

async function isWanted(
  question: string,
  { yes }: ReplayFlags,
  { signal }: CommandContext,
): Promise<boolean> {
  return yes || confirm(question, signal);
}

function wayOf(
  { rate, acceptGaps, quiet, json }: ReplayFlags,
  { signal, complain }: CommandContext,
): ReplayWay {
  return {
    request: { rate, acceptGaps },
    signal,
    onProgress: (sums, secondsLeft) => {
      if (!quiet && !json) complain(progressText(sums, secondsLeft));
    },
  };
}
