import { InvariantError, TransientError } from '../core/errors.ts';
import type { Program } from '../core/program.ts';
import type { RedriveJob } from '../core/redrive.ts';
import { epochOf, redriveWriter } from '../core/writer.ts';
import { AttemptGuard } from './attempt-guard.ts';
import { IdKey } from './id-key.ts';
import { LedgerHeads } from './ledger-heads.ts';
import { CELLS_MAX, PackCache } from './pack-cache.ts';
import { planRedrive, type RedriveFindings } from './plan-redrive.ts';
import type { ConsumePorts, Invocation } from './ports.ts';
import { addJob, endJob, redriveJobs, storePlan } from './redrive-jobs.ts';
import { RedriveLane } from './redrive-lane.ts';
import { folderOf, storeParts } from './redrive-parts.ts';
import type { RedriveRequest } from './redrive-request.ts';
import { type BatchReport, emptyReport, noteStop } from './report.ts';
import { type Budget, Reserve } from './reserve.ts';
import { type RetryContext, retryCall } from './retry.ts';
import { endsTry } from './transient.ts';
import { VersionWatch } from './version-watch.ts';
import { checkOutlets } from './write-outputs.ts';

/**
 * Brings refused events back into the results.
 *
 * Boundary: a job is asked for, planned, and folded by one writer of the stream's epoch, job after job. Whoever
 * calls may stop at any time, and any number of calls may run at the same time.
 *
 * Invariants
 * 1. Jobs are done one after the other: a job is planned only after all before it have ended. So the notes of
 *    what they took are whole, and no event is taken twice.
 * 2. What a job takes is stored, under a condition, before anything is folded, and never changes.
 * 3. An event is folded only after the note that it was taken is durable; a job is done only after its last
 *    event is in the ledger.
 * 4. Positions are (job, part, line): they only grow, over all jobs, and the protocol of every writer holds.
 */

/** How far a job is. */
export interface RedriveProgress {
  readonly job: RedriveJob;
  /** The job that was worked on: it, or one before it. */
  readonly working: number;
  /** Events of that one, in all and finished. */
  readonly events: number;
  readonly finished: number;
  /** What this call did. */
  readonly report: BatchReport;
}

/** What it answers. */
export type RedriveAnswer =
  | { readonly action: 'look'; readonly findings: RedriveFindings }
  | { readonly action: 'ask' | 'cancel'; readonly job: RedriveJob }
  | { readonly action: 'run'; readonly progress: RedriveProgress };

/** Answers a request. */
export type Redrive = (request: RedriveRequest, invocation: Invocation) => Promise<RedriveAnswer>;

/** Settings that are not the pipeline's. */
export interface RedriveOptions {
  /** How long a `run` works before it answers how far it is; default 15,000 ms. */
  readonly sliceMs?: number;
}

/**
 * Makes the function that brings refused events back.
 *
 * @throws TransientError, DeadlineError when a service does not answer: the same request can be made again
 */
export function makeRedrive(
  ports: ConsumePorts,
  program: Program,
  options: RedriveOptions = {},
): Redrive {
  checkOutlets(ports, program);
  const redriver = new Redriver(ports, program, options);
  return (request, invocation) => redriver.answer(request, invocation);
}

/** One call. */
interface Call {
  readonly invocation: Invocation;
  readonly budget: Budget;
  /** No further part is begun at or after this time. */
  readonly untilMs: number;
  readonly context: RetryContext;
  readonly report: BatchReport;
}

class Redriver {
  readonly #ports: ConsumePorts;
  readonly #program: Program;
  readonly #options: RedriveOptions;
  readonly #idKey: IdKey;
  readonly #lane: RedriveLane;
  readonly #heads: LedgerHeads;

  constructor(ports: ConsumePorts, program: Program, options: RedriveOptions) {
    this.#ports = ports;
    this.#program = program;
    this.#options = options;
    this.#idKey = new IdKey(ports.ledger, ports.random);
    this.#heads = new LedgerHeads(ports.ledger, program.settings);
    this.#lane = new RedriveLane(ports, program, {
      heads: this.#heads,
      packs: new PackCache(CELLS_MAX),
      guard: new AttemptGuard(ports.ledger, program.settings),
      versions: new VersionWatch(ports.ledger),
    });
  }

  async answer(request: RedriveRequest, invocation: Invocation): Promise<RedriveAnswer> {
    const call = this.#call(invocation);
    if (request.action === 'look') {
      const plan = await this.#plan({ choice: request.choice, createdMs: this.#now() }, call);
      return { action: 'look', findings: plan.findings };
    }
    if (request.action === 'ask') {
      const job = await addJob(this.#ports.ledger, request, call.context);
      return { action: 'ask', job };
    }
    if (request.action === 'cancel') {
      return { action: 'cancel', job: await this.#cancel(request.job, call) };
    }
    return { action: 'run', progress: await this.#run(request.job, call) };
  }

  #now(): number {
    return this.#ports.clock.now();
  }

  #call(invocation: Invocation): Call {
    const { clock, random } = this.#ports;
    const startMs = clock.now();
    const budget = new Reserve().budget(startMs, invocation.deadlineMs);
    return {
      invocation,
      budget,
      untilMs: Math.min(budget.stopMs, startMs + (this.#options.sliceMs ?? 15_000)),
      context: { clock, random, deadlineMs: budget.deadlineMs },
      report: emptyReport(),
    };
  }

  async #plan({ choice, createdMs }: Pick<RedriveJob, 'choice' | 'createdMs'>, call: Call) {
    const { quarantine, ledger } = this.#ports;
    const idKey = await this.#idKey.current(call.context);
    const folder = folderOf(this.#ports, this.#program);
    const source = { quarantine, folder, ledger, idKey, program: this.#program };
    return planRedrive(source, { choice, createdMs, stopMs: call.budget.stopMs }, call.context);
  }

  async #cancel(number: number, call: Call): Promise<RedriveJob> {
    const job = await this.#jobOf(number, call);
    const { ledger } = this.#ports;
    if (job.state !== 'asked') return job;
    return endJob(ledger, job, { state: 'cancelled', context: call.context });
  }

  async #jobOf(number: number, call: Call): Promise<RedriveJob> {
    const jobs = await redriveJobs(this.#ports.ledger, call.context);
    const found = jobs.find((job) => job.number === number);
    if (found !== undefined) return found;
    throw new InvariantError(`redrive: got job ${number}, expected one of 1 to ${jobs.length}`);
  }

  /** Works on the first job that is open, up to this one, until its time is over or nothing is left. */
  async #run(number: number, call: Call): Promise<RedriveProgress> {
    const asked = await this.#jobOf(number, call);
    let step: Step = { job: asked, finished: 0, goesOn: true };
    try {
      while (step.goesOn) step = await this.#step(number, call);
    } catch (error) {
      if (!endsTry(error)) throw error;
      noteStop(call.report, error);
    }
    const { job, finished } = step;
    const events = job.plan?.events ?? 0;
    return {
      job: job.number === number ? job : asked,
      working: job.number,
      events,
      finished: job.state === 'done' ? events : finished,
      report: call.report,
    };
  }

  async #step(number: number, call: Call): Promise<Step> {
    const open = await this.#firstOpen(number, call);
    if (open === undefined) {
      const ended = await this.#jobOf(number, call);
      return { job: ended, finished: ended.plan?.events ?? 0, goesOn: false };
    }
    const job = await this.#planned(open, call);
    const finished = await this.#fold(job, call);
    const isFolded = job.state === 'planned' && finished === job.plan?.events;
    if (isFolded) return this.#ended(job, call);
    return { job, finished, goesOn: job.state !== 'planned' };
  }

  async #ended(job: RedriveJob, call: Call): Promise<Step> {
    const ended = await endJob(this.#ports.ledger, job, { state: 'done', context: call.context });
    const finished = ended.plan?.events ?? 0;
    return { job: ended, finished, goesOn: this.#now() < call.untilMs };
  }

  async #firstOpen(number: number, call: Call): Promise<RedriveJob | undefined> {
    const jobs = await redriveJobs(this.#ports.ledger, call.context);
    return jobs.find((job) => job.number <= number && isOpen(job));
  }

  /** The job with its plan, whoever made it. */
  async #planned(job: RedriveJob, call: Call): Promise<RedriveJob> {
    if (job.state !== 'asked') return job;
    const { events, findings } = await this.#plan(job, call);
    if (events.length === 0 && !findings.complete) {
      throw new TransientError(`redrive: no time to plan job ${job.number}; ask for less at once`);
    }
    const { context, invocation } = call;
    const { stream, ledger } = this.#ports;
    const identity = await retryCall(context, () => stream.identify(context));
    const place = { folder: folderOf(this.#ports, this.#program), number: job.number };
    const stored = await storeParts(this.#ports, place, { events, context });
    const writer = redriveWriter(epochOf(identity));
    const { requestId } = invocation;
    const plan = { ...stored, writer, events: events.length, requestId };
    return storePlan(ledger, job, { plan, context });
  }

  /** Folds parts while there is time. Answers how many events of the job are finished. */
  async #fold(job: RedriveJob, call: Call): Promise<number> {
    const { plan } = job;
    if (job.state !== 'planned' || plan === undefined) return 0;
    return this.#lane.fold({ ...job, plan }, call);
  }
}

/** How far a run is. */
interface Step {
  readonly job: RedriveJob;
  readonly finished: number;
  readonly goesOn: boolean;
}

function isOpen({ state }: RedriveJob): boolean {
  return state === 'asked' || state === 'planned';
}
