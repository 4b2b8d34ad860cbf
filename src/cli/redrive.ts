import type { Command } from 'commander';
import { REDRIVE_EVENTS_MAX, type RedriveChoice, type RedriveJob } from '../core/redrive.ts';
import type { RedriveFindings } from '../handlers/plan-redrive.ts';
import type { RedriveProgress } from '../handlers/redrive.ts';
import type { OpenDeployment } from '../local/deployed.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import { callerName, callRedriver, runRedrive } from '../local/redrive.ts';
import { integer } from './arguments.ts';
import { clusterTable, counted } from './cluster-table.ts';
import { confirm } from './confirm.ts';
import type { CommandContext } from './context.ts';
import { openChosen, type QuarantineFlags, quarantineChoices } from './quarantine-choice.ts';

interface RedriveFlags extends QuarantineFlags {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly job?: number;
  readonly cancel?: number;
}

/** `millrace redrive`: brings refused events back into the results. */
export function addRedrive(program: Command, context: CommandContext): void {
  const command = program
    .command('redrive')
    .description('bring refused events that would pass now back into the results, once each');
  quarantineChoices(command, context)
    .option('--limit <count>', 'at most so many', integer(1, REDRIVE_EVENTS_MAX), 10_000)
    .option('--dry-run', 'say what would be brought back, and change nothing', false)
    .option('--yes', 'do not ask', false)
    .option('--job <number>', 'go on with a job that was asked for before', integer(1, 1e9))
    .option('--cancel <number>', 'end a job of which nothing was done yet', integer(1, 1e9))
    .action(async (flags: RedriveFlags) => {
      const open = await openChosen(flags, context);
      if (flags.cancel !== undefined) await cancel(open, flags.cancel, context);
      else if (flags.job !== undefined) await run(open, { job: flags.job, flags }, context);
      else await redrive(open, flags, context);
    });
}

async function redrive(
  open: OpenDeployment,
  flags: RedriveFlags,
  context: CommandContext,
): Promise<void> {
  const { signal } = context;
  const choice = choiceOf(flags);
  const { findings } = await callRedriver(open, { action: 'look', choice }, signal);
  if (flags.dryRun) {
    context.print(flags.json ? JSON.stringify(findings) : findingsText(findings));
    return;
  }
  context.complain(findingsText(findings));
  if (findings.events === 0) {
    if (flags.json) context.print(JSON.stringify({ job: null, events: 0 }));
    return;
  }
  const question = `bring ${counted(findings.events)} events back into the results?`;
  if (!flags.yes && !(await confirm(question, signal))) return;
  const by = await callerName();
  const { job } = await callRedriver(open, { action: 'ask', choice, by }, signal);
  await run(open, { job: job.number, flags }, context);
}

function choiceOf({ from, since, to, reason, limit }: RedriveFlags): RedriveChoice {
  return { fromMs: since ?? from, toMs: to, reason, limit };
}

async function run(
  open: OpenDeployment,
  { job, flags }: { readonly job: number; readonly flags: RedriveFlags },
  context: CommandContext,
): Promise<void> {
  const { signal, complain, print } = context;
  try {
    const onProgress = (progress: RedriveProgress) => complain(progressText(progress));
    const { job: ended } = await runRedrive(open, job, { signal, onProgress });
    print(flags.json ? JSON.stringify(ended) : endText(ended));
  } catch (error) {
    if (signal.aborted)
      complain(`what was brought back stays; go on with: npx millrace redrive --job ${job}`);
    throw error;
  }
}

async function cancel(
  open: OpenDeployment,
  number: number,
  { signal, print }: CommandContext,
): Promise<void> {
  const { job } = await callRedriver(open, { action: 'cancel', job: number }, signal);
  if (job.state === 'cancelled') return print(`job ${number} is cancelled`);
  throw new CommandError(`Job ${number} can't be cancelled`, {
    exitCode: EXIT.no,
    detail: `got one that is ${job.state}, expected one of which nothing was done yet`,
    next: `npx millrace redrive --job ${number}`,
  });
}

function progressText({ working, events, finished, report }: RedriveProgress): string {
  const stopped = report.stops.length === 0 ? '' : ` (${report.stops.join('; ')})`;
  return `job ${working}: ${counted(finished)} of ${counted(events)} events${stopped}`;
}

function endText({ number, state, plan, by }: RedriveJob): string {
  if (state === 'cancelled') return `job ${number} was cancelled`;
  return `job ${number}: ${counted(plan?.events ?? 0)} events are back in the results, asked for by ${by}`;
}

const LEFT_OUT: Readonly<Record<keyof RedriveFindings['leftOut'], string>> = {
  redriven: 'were brought back before',
  repeat: 'are repeats of events that are brought back, or were',
  counted: 'were counted meanwhile under the same id',
  'id-conflict': 'have the id of an event that was counted, and other bytes',
  crash: 'killed the function; they are taken with --reason crash only',
};

function findingsText({ events, taken, refused, leftOut, complete }: RedriveFindings): string {
  const again = refused.reduce((sum, { count }) => sum + count, 0);
  const left = Object.entries(LEFT_OUT).flatMap(([why, text]) => {
    const count = leftOut[why as keyof typeof leftOut];
    return count === 0 ? [] : [`${counted(count)} ${text}`];
  });
  return [
    `${counted(events)} events would be brought back${complete ? '' : ', and there are more'}`,
    ...(events === 0 ? [] : [clusterTable(taken)]),
    ...(again === 0 ? [] : [`${counted(again)} would be refused again`, clusterTable(refused)]),
    ...left,
  ].join('\n');
}
