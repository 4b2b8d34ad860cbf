import { userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { RedriveAnswer, RedriveProgress } from '../handlers/redrive.ts';
import type { RedriveRequest } from '../handlers/redrive-request.ts';
import type { OpenDeployment } from './deployed.ts';
import { CommandError, EXIT } from './local-error.ts';

/** Calls in a row that finish nothing before the command gives up, and the pause between them, milliseconds. */
const IDLE_CALLS_MAX = 20;
const PAUSE_MS = 1_000;

/** Who the caller is to AWS, or to this machine where that can't be told. */
export async function callerName(): Promise<string> {
  try {
    const { Arn } = await new STSClient({ maxAttempts: 2 }).send(new GetCallerIdentityCommand({}));
    return Arn ?? userInfo().username;
  } catch {
    return userInfo().username;
  }
}

/**
 * Asks the deployed function for something.
 *
 * @throws CommandError when it fails, or there is none
 */
export async function callRedriver<Action extends RedriveRequest['action']>(
  { clients, deployment }: OpenDeployment,
  request: RedriveRequest & { readonly action: Action },
  signal: AbortSignal,
): Promise<RedriveAnswer & { readonly action: Action }> {
  const FunctionName = deployment.redriverName;
  if (FunctionName === undefined) {
    throw new CommandError('This deployment has no function that brings events back', {
      exitCode: EXIT.refused,
      detail: 'got stacks of an older version of Millrace, expected an output RedriverName',
      next: 'deploy again, then: npx millrace redrive --dry-run',
    });
  }
  const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) });
  const answer = await clients.lambda.send(command, { abortSignal: signal });
  const text = answer.Payload?.transformToString() ?? '';
  if (answer.FunctionError === undefined) return JSON.parse(text);
  throw new CommandError('The function that brings events back failed', {
    exitCode: EXIT.refused,
    detail: `got ${text.slice(0, 500)}, expected an answer; nothing is lost or counted twice`,
    next: 'the same command again; docs/RUNBOOK.md, RedriveErrors',
  });
}

/** Works on a job until it has ended, and on those before it. @throws CommandError, the signal's reason */
export async function runRedrive(
  open: OpenDeployment,
  job: number,
  { signal, onProgress }: { signal: AbortSignal; onProgress(progress: RedriveProgress): void },
): Promise<RedriveProgress> {
  let idle = 0;
  let before = '';
  for (;;) {
    const { progress } = await callRedriver(open, { action: 'run', job }, signal);
    onProgress(progress);
    if (isEnded(progress, job)) return progress;
    const now = `${progress.working} ${progress.job.state} ${progress.finished}`;
    idle = now === before ? idle + 1 : 0;
    before = now;
    if (idle > 0) await delay(PAUSE_MS, undefined, { signal });
    if (idle < IDLE_CALLS_MAX) continue;
    throw new CommandError(`Job ${job} stands still`, {
      exitCode: EXIT.refused,
      detail: `got ${progress.report.stops.join('; ') || 'no progress'} for ${idle} calls, expected some progress`,
      next: `npx millrace redrive --job ${job}`,
    });
  }
}

function isEnded({ job }: RedriveProgress, asked: number): boolean {
  return job.number === asked && (job.state === 'done' || job.state === 'cancelled');
}
