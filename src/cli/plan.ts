import { type Command, InvalidArgumentError, Option } from 'commander';
import { compile } from '../core/compile.ts';
import type { Feed } from '../core/feed.ts';
import { makeEventMaker } from '../local/feed/events.ts';
import { readTimedRows } from '../local/feed/timed-rows.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import { ROOT } from '../local/paths.ts';
import type { Deployment } from '../plan/deployment.ts';
import { makePlan, type Plan, type Traffic } from '../plan/plan.ts';
import { recommend, type Settings } from '../plan/recommend.ts';
import { type Sample, type SentEvent, sampleOf } from '../plan/sample.ts';
import { PROFILES, type ProfileName, peakOf, withKeys } from '../plan/traffic.ts';
import { unknownSample } from '../plan/unknown-sample.ts';
import {
  discoverPipelines,
  loadFeed,
  loadPipeline,
  type PipelineFolder,
} from '../project/discover.ts';
import { loadEnvironments } from '../project/environments.ts';
import { integer, percent } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { planObject } from './plan-object.ts';
import { planText } from './plan-text.ts';

interface PlanFlags {
  readonly rate: number;
  readonly size?: number;
  readonly keys?: number;
  readonly hot?: number;
  readonly profile: ProfileName;
  readonly days: number;
  readonly bad: number;
  readonly env: string;
  readonly budget?: number;
  readonly json: boolean;
}

/** Days of a month as AWS bills it. */
const MONTH_DAYS = 730 / 24;

/** Events of the feed that are looked at. */
const SAMPLE_EVENTS = 20_000;

/** A fixed day: the plan is the same on every day. */
const NOW_MS = Date.UTC(2026, 0, 15, 12);

/** `millrace plan`: what a pipeline costs at some traffic, and what it can take. */
export function addPlan(program: Command, context: CommandContext): void {
  const names = discoverPipelines(ROOT);
  program
    .command('plan')
    .description('what a pipeline costs a month at some traffic, why, and what gives first')
    .argument('[pipeline]', `folder of pipelines/: ${names.join(', ')}`, 'flights')
    .requiredOption('--rate <rate>', 'events, such as 5000/s, 2M/day or 100/min', rateOf)
    .option('--size <bytes>', 'of a record; default: as in the feed', integer(1, 1_048_576))
    .option('--keys <count>', 'different keys; default: as in the feed', integer(1, 10_000_000))
    .option(
      '--hot <percent>',
      'of the events that the busiest key has; default: as in the feed',
      percent,
    )
    .addOption(
      new Option(
        '--profile <name>',
        'flat, daily curve, or bursts of ten times for 5 minutes an hour',
      )
        .choices(Object.keys(PROFILES))
        .default('flat'),
    )
    .option('--days <count>', 'days of a month with traffic', days, MONTH_DAYS)
    .option('--bad <percent>', 'of the events that are refused', percent, 0.1)
    .option('--env <name>', 'environment of millrace.config.ts', 'prod')
    .option('--budget <dollars>', 'exit code 1 where a month costs more', dollars)
    .option('--json', 'print one JSON object instead', false)
    .action(async (pipeline: string, flags: PlanFlags) => {
      context.exitCode = await run(pipeline, flags, context);
    });
}

async function run(name: string, flags: PlanFlags, context: CommandContext): Promise<number> {
  const folder = await loadPipeline(ROOT, name);
  const deployment = await deploymentOf(flags.env);
  const traffic = { rate: flags.rate, levels: PROFILES[flags.profile], days: flags.days };
  const sent = await sentEvents(folder);
  const made = planFor({ folder, deployment, traffic, sent, flags });
  const settings = recommend(made.planned);
  const plan = await made.plan(settings);
  const present =
    settings.changes.length === 0 ? plan : await made.plan(asItIs(folder, deployment));
  const shown = { plan, present, settings, traffic, flags, isMeasured: sent !== undefined };
  context.print(flags.json ? JSON.stringify(planObject(shown)) : planText(shown));
  if (flags.budget === undefined || plan.total <= flags.budget) return EXIT.done;
  context.complain(
    `A month costs more than its budget\n  got $${plan.total.toFixed(2)}, expected at most $${flags.budget.toFixed(2)}\n  next: npx millrace plan ${name} --rate ${flags.rate}/s`,
  );
  return EXIT.no;
}

function asItIs({ pipeline }: PipelineFolder, deployment: Deployment): Settings {
  return { partitions: pipeline.partitions, deployment, changes: [] };
}

interface Source {
  readonly folder: PipelineFolder;
  readonly deployment: Deployment;
  readonly traffic: Traffic;
  readonly sent: readonly SentEvent[] | undefined;
  readonly flags: PlanFlags;
}

/** What is planned as it is configured, and the plan under other settings. */
function planFor({ folder, deployment, traffic, sent, flags }: Source) {
  const sourceOf = (partitions: number | 'shard') => {
    const program = compile({ ...folder.pipeline, partitions }, folder.references);
    const found =
      sent === undefined ? unknownSample(folder.pipeline, program) : sampleOf(program, sent);
    const sample = resized(withKeys(found, changeOf(folder, flags)), flags.size);
    return { program, sample, bad: flags.bad / 100 };
  };
  const planned = {
    ...sourceOf(folder.pipeline.partitions),
    deployment,
    peak: traffic.rate * peakOf(traffic.levels),
  };
  return {
    planned,
    plan: (settings: Settings): Promise<Plan> => {
      const source =
        settings.partitions === folder.pipeline.partitions
          ? planned
          : sourceOf(settings.partitions);
      return makePlan({ ...source, deployment: settings.deployment }, traffic);
    },
  };
}

function changeOf({ pipeline }: PipelineFolder, { keys, hot }: PlanFlags) {
  return {
    ...(keys === undefined ? {} : { keys }),
    ...(hot === undefined ? {} : { hot: hot / 100 }),
    field: typeof pipeline.key === 'string' ? pipeline.key : undefined,
  };
}

function resized(sample: Sample, size: number | undefined): Sample {
  return size === undefined ? sample : { ...sample, eventBytes: size };
}

/** Events of the feed; undefined where there is none. */
async function sentEvents(folder: PipelineFolder): Promise<readonly SentEvent[] | undefined> {
  const feed = (await loadFeed(folder)) as Feed<unknown> | undefined;
  if (feed === undefined) return undefined;
  const program = compile(folder.pipeline, folder.references);
  const { directory, pipeline } = folder;
  const rows = await readTimedRows({ feed, directory, limit: SAMPLE_EVENTS, nowMs: NOW_MS });
  const maker = makeEventMaker({ feed, program, run: 'plan', idField: pipeline.id });
  return rows.map((row) => maker.make(row));
}

async function deploymentOf(name: string): Promise<Deployment> {
  const environments = await loadEnvironments<Deployment>(ROOT);
  const found = environments.get(name);
  if (found !== undefined) return found;
  throw new CommandError('An environment of that name is not known', {
    exitCode: EXIT.usage,
    detail: `got '${name}', expected one of ${[...environments.keys()].join(', ')} (millrace.config.ts)`,
    next: 'npx millrace plan --help',
  });
}

const UNITS = { s: 1, min: 60, h: 3_600, day: 86_400 } as const;
const SIZES = { '': 1, k: 1e3, M: 1e6, G: 1e9 } as const;

/** Parses events over a time: `5000/s`, `2M/day`; a bare number is a second's. Gives events a second. */
export function rateOf(text: string): number {
  const [, number = '', size = '', unit = 's'] =
    /^(\d+(?:\.\d+)?)([kMG]?)(?:\/(s|min|h|day))?$/.exec(text.trim()) ?? [];
  const rate =
    (Number(number) * SIZES[size as keyof typeof SIZES]) / UNITS[unit as keyof typeof UNITS];
  if (number !== '' && rate > 0 && rate <= 1e7) return rate;
  throw new InvalidArgumentError('Expected events over a time, such as 5000/s, 2M/day or 100/min.');
}

function days(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 31) return Math.min(value, MONTH_DAYS);
  throw new InvalidArgumentError('Expected a number of days above 0, up to 31.');
}

function dollars(text: string): number {
  const value = Number(text.replace(/^\$/, ''));
  if (text.trim() !== '' && value >= 0) return value;
  throw new InvalidArgumentError('Expected dollars a month.');
}
