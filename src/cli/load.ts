import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { loadPage } from '../local/load/load-page.ts';
import { loadTest } from '../local/load/load-run.ts';
import { makeLoadView, renderLoad } from '../local/load/load-view.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import { ROOT, STATE } from '../local/paths.ts';
import { discoverPipelines } from '../project/discover.ts';
import { integer } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { chosenDeployment, type DeploymentFlags } from './deployment-choice.ts';

interface LoadFlags extends DeploymentFlags {
  readonly rate: number;
  readonly most: number;
  readonly for: number;
  readonly p99: number;
  readonly refine: number;
  readonly remote: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** `millrace load`: how much a deployment takes. */
export function addLoad(program: Command, context: CommandContext): void {
  const names = discoverPipelines(ROOT);
  program
    .command('load')
    .description('send events at growing rates until results come too late')
    .addOption(
      new Option('--pipeline <name>', 'folder of pipelines/')
        .choices(names)
        .default(names.includes('flights') ? 'flights' : names[0]),
    )
    .option('--env <name>', 'local, or an environment on AWS such as dev', 'local')
    .option('--region <name>', 'of AWS', context.env.AWS_REGION)
    .option('--profile <name>', 'of your AWS credentials', context.env.AWS_PROFILE)
    .option('--rate <events>', 'the first rate, events a second', integer(1, 1_000_000), 100)
    .option('--most <events>', 'the highest rate that is tried', integer(1, 1_000_000), 100_000)
    .option('--for <seconds>', 'how long each rate is held', integer(3, 3_600), 15)
    .option('--p99 <ms>', 'within what results have to be stored', integer(1, 600_000), 10_000)
    .option('--refine <count>', 'rates between the last good and the first bad', integer(0, 10), 2)
    .option('--remote', 'allow an AWS_ENDPOINT_URL that is not on this machine', false)
    .option('--yes', 'send into a deployment on AWS: the events count there, and cost', false)
    .option('--json', 'print one JSON object instead', false)
    .option('-q, --quiet', 'show no progress', false)
    .action(async (flags: LoadFlags) => {
      context.exitCode = await load(flags, context);
    });
}

async function load(flags: LoadFlags, context: CommandContext): Promise<number> {
  const { signal, print } = context;
  checkAgreed(flags);
  const limits = { p99Ms: flags.p99 };
  const result = await loadTest(
    {
      ...limits,
      ...chosenDeployment(flags, context),
      remote: flags.remote,
      directory: path.join(STATE, 'local'),
      firstRate: flags.rate,
      mostRate: Math.max(flags.rate, flags.most),
      refinements: flags.refine,
      seconds: flags.for,
    },
    makeLoadView(flags.quiet || flags.json),
    signal,
  );
  const page = path.join(STATE, 'load', `${flags.pipeline}-${flags.env}.html`);
  mkdirSync(path.dirname(page), { recursive: true });
  writeFileSync(page, loadPage(result, limits));
  if (flags.json) print(JSON.stringify({ ...result, knee: result.knee ?? null, page }));
  else print(`${renderLoad(result, limits)}\nreport:  ${page}`);
  return result.knee === undefined ? EXIT.no : EXIT.done;
}

function checkAgreed({ env, yes, pipeline }: LoadFlags): void {
  if (env === 'local' || yes) return;
  throw new CommandError(`A load test of ${env} was not agreed to`, {
    exitCode: EXIT.usage,
    detail:
      'got no --yes, expected it: the events count in the results there, and cost what events cost',
    next: `npx millrace load --pipeline ${pipeline} --env ${env} --yes`,
  });
}
