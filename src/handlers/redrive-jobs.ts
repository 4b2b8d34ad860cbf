import { InvariantError, TransientError } from '../core/errors.ts';
import {
  decodeJob,
  encodeJob,
  jobKey,
  REDRIVE_JOBS,
  type RedriveChoice,
  type RedriveJob,
  type RedrivePlan,
} from '../core/redrive.ts';
import type { Condition, Table } from '../ports/table.ts';
import { readAll } from './read-all.ts';
import { type RetryContext, retryFailed } from './retry.ts';

/** Tries for a number; each loss means that another job got it. */
const LOSSES_MAX = 20;

/** Every job, in the order in which they are done. @throws TransientError, DeadlineError */
export async function redriveJobs(
  ledger: Table,
  context: RetryContext,
): Promise<readonly RedriveJob[]> {
  return (await readAll(ledger, { pk: REDRIVE_JOBS }, context)).map(decodeJob);
}

/** Adds a job behind all others. Where an answer was lost, a job may be there that nobody knows of. @throws TransientError */
export async function addJob(
  ledger: Table,
  asked: { readonly choice: RedriveChoice; readonly by: string },
  context: RetryContext,
): Promise<RedriveJob> {
  const jobs = await redriveJobs(ledger, context);
  let number = (jobs.at(-1)?.number ?? 0) + 1;
  for (let losses = 0; losses < LOSSES_MAX; losses += 1) {
    const job: RedriveJob = {
      number,
      state: 'asked',
      ...asked,
      createdMs: context.clock.now(),
      plan: undefined,
      endedMs: undefined,
    };
    if (await put(ledger, job, { type: 'absent' }, context)) return job;
    number += 1;
  }
  throw new TransientError(`redrive: lost ${LOSSES_MAX} numbers of jobs against others`);
}

/** Fixes what a job takes; whoever is first. Answers the job as it is stored. @throws TransientError */
export function storePlan(
  ledger: Table,
  job: RedriveJob,
  { plan, context }: { readonly plan: RedrivePlan; readonly context: RetryContext },
): Promise<RedriveJob> {
  return change(ledger, job, { to: { ...job, state: 'planned', plan }, context });
}

/** Ends a job. Answers the job as it is stored. @throws TransientError */
export function endJob(
  ledger: Table,
  job: RedriveJob,
  { state, context }: { readonly state: 'done' | 'cancelled'; readonly context: RetryContext },
): Promise<RedriveJob> {
  return change(ledger, job, { to: { ...job, state, endedMs: context.clock.now() }, context });
}

async function change(
  ledger: Table,
  job: RedriveJob,
  { to, context }: { readonly to: RedriveJob; readonly context: RetryContext },
): Promise<RedriveJob> {
  const condition = { type: 'equals', attribute: 's', value: job.state } as const;
  // Read back where it was not written: the answer of this very try may have been lost.
  return (await put(ledger, to, condition, context)) ? to : readJob(ledger, job.number, context);
}

async function readJob(ledger: Table, number: number, context: RetryContext): Promise<RedriveJob> {
  const key = { pk: REDRIVE_JOBS, sk: jobKey(number) };
  const [found] = await retryFailed(context, [key], (keys) => ledger.get(keys, context));
  if (found?.status !== 'read') throw unanswered(found?.error);
  if (found.item !== undefined) return decodeJob(found.item);
  throw new InvariantError(`redrive: got no job ${number}, expected one that was asked for`);
}

/** @returns false when the condition did not hold */
async function put(
  ledger: Table,
  job: RedriveJob,
  ...[condition, context]: readonly [Condition, RetryContext]
): Promise<boolean> {
  const write = { item: encodeJob(job), condition };
  const [result] = await retryFailed(context, [write], (writes) => ledger.putIf(writes, context));
  if (result === undefined || result.status === 'failed') throw unanswered(result?.error);
  return result.status === 'written';
}

function unanswered(cause: unknown): TransientError {
  return new TransientError('redrive: the ledger table did not answer; run the job again', {
    cause,
  });
}
