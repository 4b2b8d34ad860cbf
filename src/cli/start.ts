import path from 'node:path';
import { type Command, Option } from 'commander';
import { localDeploy } from '../local/deploy-only.ts';
import { EXIT } from '../local/local-error.ts';
import { ROOT, STATE } from '../local/paths.ts';
import { isEqual, renderResult, resultObject } from '../local/report.ts';
import { localRun } from '../local/run.ts';
import type { RunResult } from '../local/run-types.ts';
import { makeView } from '../local/view.ts';
import { discoverPipelines } from '../project/discover.ts';
import { integer, percent } from './arguments.ts';
import type { CommandContext } from './context.ts';

interface StartFlags {
  readonly pipeline: string;
  readonly events?: number;
  readonly rate?: number;
  readonly bad: number;
  readonly duplicates: number;
  readonly seed: number;
  readonly stall: number;
  readonly alarmSpeed: number;
  readonly keep: boolean;
  readonly deployOnly: boolean;
  readonly remote: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** `millrace start`: the main job. */
export function addStart(program: Command, context: CommandContext): void {
  const names = discoverPipelines(ROOT);
  const pipeline = new Option('--pipeline <name>', 'folder of pipelines/')
    .choices(names)
    .default(names.includes('flights') ? 'flights' : names[0]);
  program
    .command('start')
    .description(
      'deploy a pipeline into a local cloud, send real data through it, check the result',
    )
    .addOption(pipeline)
    .option(
      '--events <count>',
      'rows of its data to send (default: what its feed says)',
      integer(1, 10_000_000),
    )
    .option(
      '--rate <events>',
      'events a second; 0 is as fast as it goes (default: 5000, or what lasts as long as a stall)',
      integer(0, 1_000_000),
    )
    .option('--bad <percent>', 'break so many of the events in various ways', percent, 0)
    .option('--duplicates <percent>', 'send so many of the events twice', percent, 0)
    .option(
      '--seed <number>',
      'chooses which events are broken or repeated',
      integer(0, 2 ** 32 - 1),
      1,
    )
    .option('--stall <seconds>', 'the mapping stands still for so long', integer(0, 3_600), 0)
    .option(
      '--alarm-speed <factor>',
      'seconds of CloudWatch that pass in one second, so that alarms need no minutes',
      integer(1, 60),
      20,
    )
    .option('--keep', 'leave the local cloud running, and go on in one that was left', false)
    .option(
      '--deploy-only',
      'deploy the pipeline as it is now, keep the cloud, send nothing',
      false,
    )
    .option('--remote', 'allow an AWS_ENDPOINT_URL that is not on this machine', false)
    .option('--json', 'print one JSON object instead', false)
    .option('-q, --quiet', 'show no progress', false)
    .action(async (flags: StartFlags) => {
      context.exitCode = await (flags.deployOnly ? deploy : start)(flags, context);
    });
}

async function start(flags: StartFlags, { signal, env, print }: CommandContext): Promise<number> {
  const result = await localRun(
    {
      pipeline: flags.pipeline,
      events: flags.events,
      rate: flags.rate,
      badPercent: flags.bad,
      duplicatePercent: flags.duplicates,
      seed: flags.seed,
      stallSeconds: flags.stall,
      alarmSpeed: flags.alarmSpeed,
      keep: flags.keep,
      remote: flags.remote,
      endpoint: env.AWS_ENDPOINT_URL,
      directory: path.join(STATE, 'local'),
    },
    makeView(flags.quiet || flags.json),
    signal,
  );
  print(flags.json ? JSON.stringify(resultObject(result)) : renderResult(result));
  await leavePage(result, flags, signal);
  return isEqual(result) ? EXIT.done : EXIT.no;
}

async function deploy(flags: StartFlags, { signal, env, print }: CommandContext): Promise<number> {
  const { pipeline, remote, quiet, json } = flags;
  const options = {
    pipeline,
    remote,
    endpoint: env.AWS_ENDPOINT_URL,
    directory: path.join(STATE, 'local'),
  };
  const endpoint = await localDeploy(options, makeView(quiet || json), signal);
  print(json ? JSON.stringify({ pipeline, endpoint }) : `${pipeline} is deployed at ${endpoint}`);
  return EXIT.done;
}

/** The page stays for whom sits before it; a program gets its prompt back. */
async function leavePage(
  { page }: RunResult,
  { json, quiet }: StartFlags,
  signal: AbortSignal,
): Promise<void> {
  if (page === undefined) return;
  if (!json && !quiet && process.stdout.isTTY && !signal.aborted) {
    process.stderr.write(`\nthe dashboards stay at ${page.url} until Ctrl-C; the cloud stays up\n`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  await page.close();
}
