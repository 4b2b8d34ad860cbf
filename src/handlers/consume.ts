import { compareSequences } from '../core/position.ts';
import type { Program } from '../core/program.ts';
import { refuse } from '../core/rejection.ts';
import { AttemptGuard } from './attempt-guard.ts';
import { forEachBounded } from './bounded.ts';
import { EpochWatch } from './epoch-watch.ts';
import { Head } from './head.ts';
import { IdKey } from './id-key.ts';
import {
  type BatchResponse,
  type KinesisBatch,
  splitByWriter,
  type WriterRecords,
} from './kinesis-batch.ts';
import { LedgerHeads } from './ledger-heads.ts';
import { CELLS_MAX, PackCache } from './pack-cache.ts';
import type { ConsumePorts, Invocation } from './ports.ts';
import { type ContainerState, processWriter, type WriterBatch } from './process-writer.ts';
import { type BatchReport, emptyReport, noteStop } from './report.ts';
import { type Budget, Reserve } from './reserve.ts';
import { ancestorWriters } from './shard-lineage.ts';
import { settle } from './transient.ts';
import { VersionWatch } from './version-watch.ts';
import type { SourceRecord, WriteContext } from './write-context.ts';
import { checkOutlets } from './write-outputs.ts';
import { writeQuarantine } from './write-quarantine.ts';

/** Settings of the consumer that are not the pipeline's. */
export interface ConsumeOptions {
  /** Writers worked on at the same time, 1 to 64; default 8. */
  readonly writersAtOnce?: number;
  /** Plain cells kept in memory, 1 or more; a large sketch counts as many. Default 200,000. */
  readonly cellsMax?: number;
  /** Age of a writer's oldest record from which a fresh container notes its tries; default 60,000 ms. */
  readonly guardLagMs?: number;
  /** Epoch of the stream that the records are from, where that may be gone; default: what the stream says. */
  readonly epoch?: string;
  /** How long a list of versions that was read is believed, milliseconds; default 20,000. */
  readonly believedMs?: number;
}

/** What one call answers. */
export interface ConsumeResult {
  readonly response: BatchResponse;
  readonly report: BatchReport;
}

/** Handles one batch of a stream. */
export type Consume = (batch: KinesisBatch, invocation: Invocation) => Promise<ConsumeResult>;

/**
 * Makes the function that turns a Kinesis batch into exactly-once windowed aggregates.
 *
 * Bad events go to the quarantine and never fail the batch. After a transient failure the batch's
 * other writers finish, and the lowest unfinished sequence number is answered.
 *
 * @example
 * const consume = makeConsume(ports, compile(pipeline, references));
 * const { response } = await consume(event, { requestId, deadlineMs });
 */
export function makeConsume(
  ports: ConsumePorts,
  program: Program,
  options: ConsumeOptions = {},
): Consume {
  const consumer = new Consumer(ports, program, options);
  return (batch, invocation) => consumer.consume(batch, invocation);
}

interface Run {
  readonly budget: Budget;
  readonly invocation: Invocation;
  readonly epoch: string;
  readonly report: BatchReport;
  readonly unfinished: SourceRecord[];
}

/**
 * One container's consumer.
 *
 * Invariant: `#proven` is set only after an invocation came to its end without a suspected record; a
 * container that could be dying again and again never counts as proven.
 */
class Consumer {
  readonly #ports: ConsumePorts;
  readonly #program: Program;
  readonly #options: ConsumeOptions;
  readonly #epoch: EpochWatch;
  readonly #idKey: IdKey;
  readonly #state: ContainerState;
  readonly #reserve = new Reserve();
  #proven = false;

  constructor(ports: ConsumePorts, program: Program, options: ConsumeOptions) {
    checkOutlets(ports, program);
    this.#ports = ports;
    this.#program = program;
    this.#options = options;
    this.#epoch = new EpochWatch(ports.stream);
    this.#idKey = new IdKey(ports.ledger, ports.random);
    this.#state = {
      heads: new LedgerHeads(ports.ledger, program.settings),
      packs: new PackCache(options.cellsMax ?? CELLS_MAX),
      guard: new AttemptGuard(ports.ledger, program.settings),
      versions: new VersionWatch(ports.ledger, options.believedMs),
    };
  }

  async consume(batch: KinesisBatch, invocation: Invocation): Promise<ConsumeResult> {
    const startMs = this.#ports.clock.now();
    const budget = this.#reserve.budget(startMs, invocation.deadlineMs);
    const report = emptyReport();
    report.received = batch.Records.length;
    if (batch.Records.length === 0) return { response: { batchItemFailures: [] }, report };
    const epoch = await this.#currentEpoch(invocation, budget);
    if (typeof epoch !== 'string') return allUnfinished(batch, report, epoch);
    const run: Run = { budget, invocation, epoch, report, unfinished: [] };
    const writers = splitByWriter(batch, epoch, this.#program.settings.partitions);
    report.writers = writers.length;
    report.received = writers.reduce((sum, { records }) => sum + records.length, 0);
    await this.#runWriters(writers, run);
    this.#reserve.observe(report.writeMs);
    report.held = { cells: this.#state.packs.size, ...this.#state.heads.held };
    return { response: answerOf(run.unfinished.map(({ sequence }) => sequence)), report };
  }

  async #currentEpoch(invocation: Invocation, budget: Budget): Promise<string | Error> {
    const { epoch } = this.#options;
    return epoch ?? settle(this.#epoch.current(this.#context('', invocation, budget)));
  }

  async #runWriters(writers: readonly WriterRecords[], run: Run): Promise<void> {
    const lanes = writers.filter(({ stray }) => !stray);
    const heads = await this.#heads(lanes, run);
    const lagging = this.#proven ? [] : lanes.filter(({ records }) => this.#lags(records));
    const limit = this.#options.writersAtOnce ?? 8;
    await forEachBounded(writers, limit, async (one) => {
      if (one.stray) await this.#quarantineStray(one, run);
      else if (!lagging.includes(one)) await this.#work(one, heads, run);
    });
    const suspected = await this.#runGuarded(lagging, heads, run);
    this.#proven ||= !suspected;
  }

  /** One after the other, the suspects last, so that a death is the computing writer's own. */
  async #runGuarded(
    lagging: readonly WriterRecords[],
    heads: ReadonlyMap<string, Head | Error>,
    run: Run,
  ): Promise<boolean> {
    if (lagging.length === 0) return false;
    const context = this.#context('', run.invocation, run.budget);
    const writers = lagging.map(({ writer }) => writer);
    const notes = await settle(this.#state.guard.read(writers, context));
    if (notes instanceof Error) {
      for (const one of lagging) this.#leave(one, notes, run);
      return true;
    }
    const suspicion = (one: WriterRecords) => {
      const note = notes.get(one.writer);
      return note === undefined
        ? 0
        : note.range + note.deaths + (note.phase === 'computing' ? 1 : 0);
    };
    const ordered = [...lagging].sort((left, right) => suspicion(left) - suspicion(right));
    for (const one of ordered) {
      const guarded = { stored: notes.get(one.writer), invocationMs: run.budget.invocationMs };
      await this.#work(one, heads, run, guarded);
    }
    return ordered.some((one) => suspicion(one) > 0);
  }

  async #work(
    one: WriterRecords,
    heads: ReadonlyMap<string, Head | Error>,
    run: Run,
    guarded?: WriterBatch['guarded'],
  ): Promise<void> {
    const head = heads.get(one.writer);
    if (!(head instanceof Head)) return this.#leave(one, head, run);
    const context = this.#context(one.writer, run.invocation, run.budget);
    const idKey = await settle(this.#idKey.current(context));
    if (idKey instanceof Error) return this.#leave(one, idKey, run);
    const batch: WriterBatch = {
      head,
      records: one.records,
      idKey,
      stopMs: run.budget.stopMs,
      ...(guarded === undefined ? {} : { guarded }),
    };
    const first = await processWriter(context, batch, this.#state, run.report);
    if (first !== undefined) leaveFrom(one.records, first, run);
  }

  async #heads(
    lanes: readonly WriterRecords[],
    run: Run,
  ): Promise<ReadonlyMap<string, Head | Error>> {
    const requests = lanes.map(({ writer, shard, records }) => ({
      writer,
      minArrivalMs: records.reduce(
        (least, { arrivalMs }) => Math.min(least, arrivalMs),
        Number.POSITIVE_INFINITY,
      ),
      ancestors: async (context: WriteContext | Parameters<typeof ancestorWriters>[3]) =>
        this.#program.settings.partitions === 'shard'
          ? ancestorWriters(this.#ports.stream, run.epoch, shard, context)
          : [],
    }));
    return this.#state.heads.fresh(requests, this.#context('', run.invocation, run.budget));
  }

  /** Records whose partition key names no partition: refused, and in no ledger. */
  async #quarantineStray(one: WriterRecords, run: Run): Promise<void> {
    const { rejection } = refuse('unknown-partition', 'decode', {
      path: 'partitionKey',
      message: `expected p-0 to p-${Number(this.#program.settings.partitions) - 1}, as Millrace's producers write, and within an aggregated record that one's own`,
    });
    const refused = one.records.map((record, ordinal) => ({ ordinal, record, rejection }));
    const context = this.#context(one.writer, run.invocation, run.budget);
    const unwritten = await writeQuarantine(context, refused);
    const [failed] = unwritten.records;
    if (failed !== undefined) noteStop(run.report, unwritten.error);
    const finished = failed?.ordinal ?? refused.length;
    run.report.quarantined += finished;
    run.report.reasons['unknown-partition'] =
      (run.report.reasons['unknown-partition'] ?? 0) + finished;
    if (failed !== undefined) leaveFrom(one.records, failed.record, run);
  }

  #leave(one: WriterRecords, error: Error | undefined, run: Run): void {
    noteStop(run.report, error);
    const [first] = one.records;
    if (first !== undefined) leaveFrom(one.records, first, run);
  }

  #lags(records: readonly SourceRecord[]): boolean {
    const [first] = records;
    const lagMs = first === undefined ? 0 : this.#ports.clock.now() - first.arrivalMs;
    return lagMs > (this.#options.guardLagMs ?? 60_000);
  }

  #context(writer: string, invocation: Invocation, budget: Budget): WriteContext {
    const { clock, random } = this.#ports;
    return {
      clock,
      random,
      deadlineMs: budget.deadlineMs,
      ports: this.#ports,
      program: this.#program,
      writer,
      invocation,
    };
  }
}

/** A service that does not answer: every record comes again, and nothing counts as a failed function. */
function allUnfinished(batch: KinesisBatch, report: BatchReport, error: Error): ConsumeResult {
  noteStop(report, error);
  report.unfinished = batch.Records.length;
  const sequences = batch.Records.map(({ kinesis }) => kinesis.sequenceNumber);
  return { response: answerOf(sequences), report };
}

function leaveFrom(records: readonly SourceRecord[], first: SourceRecord, run: Run): void {
  run.report.unfinished += records.length - records.indexOf(first);
  run.unfinished.push(first);
}

/** The lowest unfinished sequence number: a batch is of one shard, so they compare. */
function answerOf(unfinished: readonly string[]): BatchResponse {
  const [lowest] = [...unfinished].sort(compareSequences);
  return { batchItemFailures: lowest === undefined ? [] : [{ itemIdentifier: lowest }] };
}
