import {
  BatchComputation,
  type BatchResult,
  resultName,
  type Verdict,
} from '../../src/batch/batch.ts';
import { compareResults } from '../../src/batch/compare.ts';
import { compile } from '../../src/core/compile.ts';
import { encodePosition, sortablePosition } from '../../src/core/position.ts';
import { mergePages } from '../../src/core/read.ts';
import { decodeJob, decodeNote, REDRIVE_JOBS, type RedriveJob } from '../../src/core/redrive.ts';
import { epochOf, partitionWriter } from '../../src/core/writer.ts';
import { checkClosing } from './check-closing.ts';
import type { ClosingWorld } from './faulty-ports.ts';
import { type LaneRecord, MENDED, MENDED_MS, PLACES } from './redrive-pipelines.ts';

const HORIZON_MS = 30 * 60_000;
const RETENTION_MS = 30 * 86_400_000;
const WINDOW_MS = 600_000;

interface Judged {
  readonly one: LaneRecord;
  readonly verdict: Verdict;
  /** The job that noted it. */
  readonly job: number | undefined;
}

/** What is wrong at the end, and how much there was. */
export interface RedriveEnd {
  readonly violations: readonly string[];
  readonly redriven: number;
  readonly jobs: number;
  readonly corrections: number;
}

/**
 * Judges by a computation of its own: what each record was refused for, which of them count now, and what the
 * results are of all that count, each once.
 */
export function checkRedrive(world: ClosingWorld, lanes: readonly LaneRecord[][]): RedriveEnd {
  const jobs = world.ledger
    .items()
    .filter(({ pk }) => pk === REDRIVE_JOBS)
    .map(decodeJob);
  const program = compile(MENDED);
  const batch = new BatchComputation(MENDED, program);
  const judged = lanes
    .flat()
    .map((one) => ({ one, verdict: verdictOf(batch, one), job: jobOf(world, one) }));
  const refused = judged.filter(({ verdict }) => verdict !== 'accepted' && verdict !== 'repeat');
  const violations = refused.flatMap((found) => wrongWith(found, { judged, jobs }));
  const redriven = refused.filter(({ job }) => job !== undefined);
  for (const { one } of redriven) {
    // In a lane of its own nothing is too late.
    batch.add({ bytes: one.bytes, lane: `redriven ${one.sequence}`, arrivalMs: one.arrivalMs });
  }
  const computed = batch.result();
  const { events } = world.publisher;
  return {
    violations: [
      ...violations,
      ...checkJobs(jobs, redriven.length),
      ...checkStored(world, computed),
      ...checkClosing({ program, computed, events }),
    ],
    redriven: redriven.length,
    jobs: jobs.filter(({ plan }) => (plan?.events ?? 0) > 0).length,
    corrections: new Set(events.filter(({ type }) => type !== 'window.closed').map(({ id }) => id))
      .size,
  };
}

/** By the pipeline of its time. */
function verdictOf(batch: BatchComputation, one: LaneRecord): Verdict {
  const { partition, bytes, arrivalMs, event } = one;
  const known = event !== undefined && PLACES.some((place) => place === event.place);
  if (event !== undefined && !known && arrivalMs < MENDED_MS) return 'schema';
  return batch.add({ bytes, lane: `p${partition}`, arrivalMs });
}

function jobOf(world: ClosingWorld, { partition, sequence }: LaneRecord): number | undefined {
  const identity = {
    arn: 'arn:aws:kinesis:eu-west-1:111122223333:stream/test',
    createdMs: 1_700_000_000_000,
  };
  const pk = `1|redriven|${partitionWriter(epochOf(identity), partition)}`;
  const sk = sortablePosition({ shard: 0, sequence: String(sequence), index: 0 });
  const item = world.ledger.items().find((one) => one.pk === pk && one.sk === sk);
  return item === undefined ? undefined : decodeNote(item).job;
}

/** A refused event is brought back exactly where it can count now, and another one of its id doesn't. */
function wrongWith(
  { one, verdict, job }: Judged,
  { judged, jobs }: { readonly judged: readonly Judged[]; readonly jobs: readonly RedriveJob[] },
): readonly string[] {
  const { event, arrivalMs } = one;
  const name = `${event?.id ?? 'broken'} of p${one.partition} ${encodePosition({ shard: 0, sequence: String(one.sequence), index: 0 })}, refused as ${verdict}`;
  const atMs = jobs.find(({ number }) => number === (job ?? jobs.at(-1)?.number))?.createdMs ?? 0;
  const same = judged.filter(({ one: other }) => other !== one && other.event?.id === event?.id);
  const counted = same.some(
    (other) =>
      other.verdict === 'accepted' && Math.abs(other.one.arrivalMs - arrivalMs) <= HORIZON_MS,
  );
  const windowMs = event === undefined ? 0 : Math.floor(event.at / WINDOW_MS) * WINDOW_MS;
  const isKept = windowMs + WINDOW_MS + RETENTION_MS > atMs;
  const counts = event !== undefined && isKept && !counted && verdict !== 'id-conflict';
  const twins = same.filter((other) => other.job !== undefined).length;
  if (job !== undefined && !counts) return [`${name}: brought back by job ${job}`];
  if (job !== undefined && twins > 0) return [`${name}: brought back ${twins + 1} times`];
  if (job === undefined && counts && twins === 0) return [`${name}: not brought back`];
  return [];
}

function checkJobs(jobs: readonly RedriveJob[], redriven: number): readonly string[] {
  const open = jobs.filter(({ state }) => state !== 'done');
  const planned = jobs.reduce((sum, { plan }) => sum + (plan?.events ?? 0), 0);
  return [
    ...open.map(({ number, state }) => `job ${number} is ${state}`),
    ...(planned === redriven ? [] : [`${planned} events in plans, ${redriven} notes`]),
  ];
}

function checkStored(world: ClosingWorld, computed: BatchResult): readonly string[] {
  const { aggregates } = compile(MENDED);
  const items = world.aggregates.items();
  const rows = aggregates.flatMap((aggregate) =>
    mergePages(
      aggregate,
      items.filter(({ pk }) => pk.startsWith(`1|${aggregate.name}|`)),
    ).map(({ startMs, endMs, group, columns }) => {
      const name = resultName(aggregate.name, startMs, JSON.stringify(group));
      return [name, aggregate.type === 'session' ? { ...columns, endMs } : columns] as const;
    }),
  );
  const { differences } = compareResults(
    { rows: new Map(rows), refused: new Map() },
    { ...computed, refused: new Map() },
  );
  return differences.map(
    ({ where, stored, computed: right }) =>
      `${where}: stored ${JSON.stringify(stored)}, computed ${JSON.stringify(right)}`,
  );
}
