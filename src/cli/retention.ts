import { type Command, Option } from 'commander';
import { compile } from '../core/compile.ts';
import { openDeployment } from '../local/deployed.ts';
import { EXIT } from '../local/local-error.ts';
import { ROOT } from '../local/paths.ts';
import { type Kept, keptBy, type TableUse, tableUses } from '../local/retention.ts';
import { PRICES } from '../plan/prices.ts';
import { discoverPipelines, loadPipeline } from '../project/discover.ts';
import type { CommandContext } from './context.ts';

interface RetentionFlags {
  readonly pipeline: string;
  readonly env?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly json: boolean;
}

/** `millrace retention`: what is kept where, for how long, and what it costs. */
export function addRetention(program: Command, context: CommandContext): void {
  const names = discoverPipelines(ROOT);
  const { env } = context;
  program
    .command('retention')
    .description('what a pipeline keeps where, for how long, and what that costs')
    .addOption(
      new Option('--pipeline <name>', 'folder of pipelines/').choices(names).default(names[0]),
    )
    .option('--env <name>', 'measure a deployment too: local, or an environment on AWS')
    .option('--region <name>', 'of AWS', env.AWS_REGION)
    .option('--profile <name>', 'of your AWS credentials', env.AWS_PROFILE)
    .option('--json', 'print one JSON object instead', false)
    .action(async (flags: RetentionFlags) => {
      context.exitCode = await run(flags, context);
    });
}

async function run(flags: RetentionFlags, context: CommandContext): Promise<number> {
  const folder = await loadPipeline(ROOT, flags.pipeline);
  const kept = keptBy(compile(folder.pipeline, folder.references));
  const tables = await measured(flags, context);
  if (flags.json) context.print(JSON.stringify({ kept, tables, prices: storagePrices() }));
  else for (const line of [...keptLines(kept), ...tableLines(tables)]) context.print(line);
  return EXIT.done;
}

async function measured(
  { pipeline, env: environment, region, profile }: RetentionFlags,
  { env }: CommandContext,
): Promise<readonly TableUse[]> {
  if (environment === undefined) return [];
  const endpoint = env.AWS_ENDPOINT_URL;
  return tableUses(await openDeployment({ pipeline, environment, region, profile, endpoint }));
}

function keptLines(kept: readonly Kept[]): readonly string[] {
  const lines = kept.flatMap((one) => [
    `${one.where.padEnd(18)}${durationText(one.forMs).padEnd(20)}${one.what}`,
    ...(one.forMs === undefined ? [] : [`${''.padEnd(18)}${detail(one)}`]),
  ]);
  const { date, table, bucketGbMonth, retentionShardHour, onDemandGbMonth } = storagePrices();
  return [
    ...lines,
    '',
    `Dollars in us-east-1, ${date}: tables ${table} a GB and month with recovery, buckets ${bucketGbMonth};`,
    `a stream beyond a day ${retentionShardHour} a shard and hour, or on demand ${onDemandGbMonth} a GB and month. TTL deletes for nothing.`,
  ];
}

function detail({ from, deletedBy, isLonger }: Kept): string {
  const since = from === '' ? '' : `from ${from}; `;
  const why = isLonger ? '; longer than the pipeline says, as its events can still come again' : '';
  return `${since}deleted by ${deletedBy}${why}`;
}

function tableLines(tables: readonly TableUse[]): readonly string[] {
  if (tables.length === 0) return [];
  return [
    '',
    'now, as DynamoDB counted within the last six hours:',
    ...tables.map(
      ({ table, items, bytes }) =>
        `${table.padEnd(18)}${items.toLocaleString('en-US')} items, ${(bytes / 1e6).toFixed(1)} MB, ${((bytes / 2 ** 30) * storagePrices().table).toFixed(2)} dollars a month`,
    ),
  ];
}

/** Dollars in us-east-1. */
function storagePrices() {
  const { date, tableGbMonth, recoveryGbMonth, ...prices } = PRICES;
  const { bucketGbMonth, retentionShardHour, onDemandGbMonth } = prices;
  const table = tableGbMonth + recoveryGbMonth;
  return { date, table, bucketGbMonth, retentionShardHour, onDemandGbMonth };
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** In the two largest units, such as `1 day 2 hours`. */
function durationText(ms: number | null | undefined): string {
  if (ms === undefined) return 'not kept';
  if (ms === null) return 'for ever';
  let left = ms;
  const parts = UNITS.flatMap(([name, unitMs]) => {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? '' : 's'}`];
  });
  return parts.slice(0, 2).join(' ');
}
