import {
  type ArchivedRecord,
  type ArchiveObject,
  archiveObjectKey,
  hourOf,
} from '../core/archive-object.ts';
import type { ArchiveTail } from '../core/archive-tail.ts';
import { InvariantError } from '../core/errors.ts';
import { compareSequences } from '../core/position.ts';
import type { ProgramSettings } from '../core/program.ts';
import { packArchive } from './archive-bytes.ts';
import { moveTail, readTail } from './archive-tails.ts';
import { EpochWatch } from './epoch-watch.ts';
import { type BatchResponse, type KinesisBatch, recordOf } from './kinesis-batch.ts';
import type { ArchivePorts, Invocation } from './ports.ts';
import { type RetryContext, retryCall } from './retry.ts';
import { endsTry } from './transient.ts';
import type { SourceRecord } from './write-context.ts';

/**
 * The archiver: every record of the stream, as it is, in objects of which nothing can be missing
 * without being seen.
 *
 * Invariants
 * 1. A record is acknowledged only when its object is durable and its shard's tail is at or after it.
 * 2. A tail is moved only to what is durable, and never back.
 * 3. An object that names what it follows holds every record from there to its last: a shard's batches
 *    are delivered one after the other, so the first record after the tail is in the batch, unless the
 *    stream had forgotten it. Where that could be, the object doesn't say what it follows.
 * 4. Objects are written unconditionally: under the same name there are always the same records.
 *
 * Why each is needed, and what happens when any request is the last: docs/adr/0008-archive.md.
 */

/** What one invocation did, for its log line and metrics. */
export interface ArchiveReport {
  received: number;
  /** Records in objects that this invocation wrote. */
  archived: number;
  /** Records that an earlier try had archived. */
  repeated: number;
  /** Records left for the next try. */
  unfinished: number;
  objects: number;
  /** Bytes of the records, and of their objects. */
  rawBytes: number;
  bytes: number;
  /** Arrival to the archive of the oldest record archived, milliseconds; 0 when there was none. */
  timeToArchiveMs: number;
  /** Objects that don't say what they follow: the stream may have forgotten records before them. */
  unconnected: number;
  /** Why it stopped before its end: error messages, without any data; at most 5. */
  stops: string[];
}

/** What one call answers. */
export interface ArchiveResult {
  readonly response: BatchResponse;
  readonly report: ArchiveReport;
}

/** Archives one batch of a stream. */
export type Archive = (batch: KinesisBatch, invocation: Invocation) => Promise<ArchiveResult>;

/** Kept at the end for the answer, milliseconds: nothing is sent in it. */
const ANSWER_MS = 500;

/** Kept for moving the tail, milliseconds, and at most a third of the time: or slow objects would never be acknowledged. */
const TAIL_MS = 2_000;

/** How much sooner than its retention says the stream may be taken to forget, for clocks that differ; milliseconds. */
const RETENTION_MARGIN_MS = 3_600_000;

/**
 * Makes the function that puts a Kinesis batch into the archive. The parallelization factor of its
 * mapping must be 1: invariant 3.
 *
 * @example
 * const archive = makeArchive(ports, program.settings);
 * const { response } = await archive(event, { requestId, deadlineMs });
 */
export function makeArchive(ports: ArchivePorts, settings: ProgramSettings): Archive {
  const epochs = new EpochWatch(ports.stream);
  return async (batch, invocation) => {
    const report = emptyReport(batch.Records.length);
    if (batch.Records.length === 0) return { response: { batchItemFailures: [] }, report };
    const { clock, random } = ports;
    const context = { clock, random, deadlineMs: invocation.deadlineMs - ANSWER_MS };
    const tailMs = Math.min(TAIL_MS, (context.deadlineMs - clock.now()) / 3);
    const putDeadlineMs = context.deadlineMs - tailMs;
    const epoch = await epochs.current(context);
    const failures: string[] = [];
    for (const [shard, records] of byShard(batch)) {
      const job = { ports, settings, context, putDeadlineMs, report, epoch, shard };
      const unfinished = await archiveShard(job, records);
      if (unfinished !== undefined) failures.push(unfinished.sequence);
    }
    const [lowest] = failures.sort(compareSequences);
    const batchItemFailures = lowest === undefined ? [] : [{ itemIdentifier: lowest }];
    return { response: { batchItemFailures }, report };
  };
}

interface ShardJob {
  readonly ports: ArchivePorts;
  readonly settings: ProgramSettings;
  readonly context: RetryContext;
  /** No object is sent at or after this time. */
  readonly putDeadlineMs: number;
  readonly report: ArchiveReport;
  readonly epoch: string;
  readonly shard: number;
}

/** A batch is of one shard; should it ever not be, each shard is archived on its own. */
function byShard(batch: KinesisBatch): ReadonlyMap<number, readonly SourceRecord[]> {
  const records = batch.Records.map(recordOf);
  if (new Set(batch.Records.map(({ eventID }) => eventID)).size < records.length) {
    throw new InvariantError(
      'archive: got several records of one sequence number, expected them as they stand in the stream; a mapping with enhanced fan-out takes aggregated records apart: use one without',
    );
  }
  records.sort((left, right) => compareSequences(left.position.sequence, right.position.sequence));
  return Map.groupBy(records, ({ position }) => position.shard);
}

/** Returns the first record that is not archived for sure. */
async function archiveShard(
  job: ShardJob,
  records: readonly SourceRecord[],
): Promise<SourceRecord | undefined> {
  const { ports, context, report } = job;
  let open = records;
  try {
    const tail = await readTail(ports.ledger, job, context);
    open = records.filter(({ position }) => isAfter(position.sequence, tail));
    report.repeated += records.length - open.length;
    const { written, error } = await writeRuns(job, open, tail);
    if (written > 0) {
      const reached = tailAt(job, open.slice(0, written));
      await moveTail(ports.ledger, { read: tail, reached }, context);
      report.archived += written;
      noteTime(job, open[0]);
      open = open.slice(written);
    }
    if (error !== undefined) throw error;
  } catch (error) {
    if (!endsTry(error)) throw error;
    noteStop(report, error);
  }
  report.unfinished += open.length;
  return open[0];
}

/** Writes the records in their order, until one object fails. Returns how many are durable. */
async function writeRuns(
  job: ShardJob,
  records: readonly SourceRecord[],
  tail: ArchiveTail | undefined,
): Promise<{ readonly written: number; readonly error?: unknown }> {
  let after = knownTail(job, tail)?.last;
  let written = 0;
  for (const run of runsOf(records)) {
    try {
      after = await writeRun(job, run, after);
    } catch (error) {
      if (!endsTry(error)) throw error;
      return { written, error };
    }
    written += run.length;
  }
  return { written };
}

/** Returns the last record's sequence number. */
async function writeRun(
  { ports, context, putDeadlineMs, report, epoch, shard }: ShardJob,
  run: readonly SourceRecord[],
  after: string | undefined,
): Promise<string> {
  const records = run.map(archived);
  const [first = '', last = ''] = [records[0]?.sequence, records.at(-1)?.sequence];
  const hourMs = hourOf(records[0]?.arrivalMs ?? 0);
  const object: ArchiveObject = { epoch, shard, hourMs, after, first, last };
  const body = packArchive(shard, records);
  const send = { ...context, deadlineMs: putDeadlineMs };
  await retryCall(send, () =>
    ports.archive.put(archiveObjectKey(object), body, 'application/zstd', send),
  );
  report.objects += 1;
  report.bytes += body.length;
  report.rawBytes += records.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (after === undefined) report.unconnected += 1;
  return last;
}

/**
 * Consecutive records that arrived in the same hour: the partition that a query prunes by holds all
 * records of its hour and no others. Arrival times are approximate and may go back by moments.
 */
function runsOf(records: readonly SourceRecord[]): readonly SourceRecord[][] {
  const runs: SourceRecord[][] = [];
  let hourMs: number | undefined;
  for (const record of records) {
    if (hourOf(record.arrivalMs) !== hourMs) runs.push([]);
    hourMs = hourOf(record.arrivalMs);
    runs.at(-1)?.push(record);
  }
  return runs;
}

/**
 * The tail, if every record after it must still have been in the stream when this batch was read. A
 * retention that was lengthened by hand isn't seen: then it is doubted without need.
 */
function knownTail(
  { settings, context }: ShardJob,
  tail: ArchiveTail | undefined,
): ArchiveTail | undefined {
  const forgetsMs = context.clock.now() - settings.retention.streamMs + RETENTION_MARGIN_MS;
  return tail !== undefined && tail.knownMs > forgetsMs ? tail : undefined;
}

function isAfter(sequence: string, tail: ArchiveTail | undefined): boolean {
  return tail === undefined || compareSequences(sequence, tail.last) > 0;
}

function tailAt({ epoch, shard }: ShardJob, records: readonly SourceRecord[]): ArchiveTail {
  const [first, last] = [records[0], records.at(-1)];
  const lastArrivalMs = last?.arrivalMs ?? 0;
  return {
    epoch,
    shard,
    first: first?.position.sequence ?? '',
    firstArrivalMs: first?.arrivalMs ?? 0,
    last: last?.position.sequence ?? '',
    lastArrivalMs,
    knownMs: lastArrivalMs,
  };
}

function archived({ position, partitionKey, arrivalMs, bytes }: SourceRecord): ArchivedRecord {
  return { sequence: position.sequence, partitionKey, arrivalMs, bytes };
}

function noteTime({ context, report }: ShardJob, oldest: SourceRecord | undefined): void {
  const ms = context.clock.now() - (oldest?.arrivalMs ?? context.clock.now());
  report.timeToArchiveMs = Math.max(report.timeToArchiveMs, ms);
}

function noteStop(report: ArchiveReport, error: Error): void {
  if (report.stops.length < 5) report.stops.push(`${error.name}: ${error.message}`);
}

function emptyReport(received: number): ArchiveReport {
  return {
    received,
    archived: 0,
    repeated: 0,
    unfinished: 0,
    objects: 0,
    rawBytes: 0,
    bytes: 0,
    timeToArchiveMs: 0,
    unconnected: 0,
    stops: [],
  };
}
