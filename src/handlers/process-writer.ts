import type { Attempt } from '../core/attempt.ts';
import { DeadlineError, DefinitionError, InvariantError, TransientError } from '../core/errors.ts';
import type { HashKey } from '../core/hash.ts';
import { type Decision, Planner } from '../core/plan.ts';
import { isAfter } from '../core/position.ts';
import { registryItem } from '../core/registry.ts';
import type { Rejection } from '../core/rejection.ts';
import { isMarkerPrint } from '../core/version.ts';
import { isRedriveWriter } from '../core/writer.ts';
import { appendEntry } from './append-entry.ts';
import type { AttemptGuard } from './attempt-guard.ts';
import type { Head } from './head.ts';
import type { LedgerHeads } from './ledger-heads.ts';
import { OlderIds } from './older-ids.ts';
import type { PackCache } from './pack-cache.ts';
import type { BatchReport } from './report.ts';
import { noteStop } from './report.ts';
import { retryFailed } from './retry.ts';
import { closingThrough } from './revision-requests.ts';
import { enter, leaveTo, type TakenTurn, turnFor } from './take-turn.ts';
import { endsTry } from './transient.ts';
import type { VersionWatch } from './version-watch.ts';
import type { SourceRecord, WriteContext } from './write-context.ts';
import { type KeptRecord, writeEvents } from './write-events.ts';
import { writeOutputs } from './write-outputs.ts';
import { writePacks } from './write-packs.ts';
import { type RefusedRecord, writeQuarantine } from './write-quarantine.ts';

/**
 * One writer's records of one batch, through the exactly-once protocol: decide, write what can be
 * repeated (quarantine, events), fold into cells under conditions, send what feeds other pipelines,
 * append the ledger entry last.
 *
 * Invariant: a record counts as finished only when the ledger's head is at or after it.
 */

/** What is kept in the container between batches. */
export interface ContainerState {
  readonly heads: LedgerHeads;
  readonly packs: PackCache;
  readonly guard: AttemptGuard;
  readonly versions: VersionWatch;
}

/** One writer's part of a batch. */
export interface WriterBatch {
  readonly head: Head;
  /** In the order of position. */
  readonly records: readonly SourceRecord[];
  readonly idKey: HashKey;
  /** Planning stops here, so that there is time to write; milliseconds since 1970 UTC. */
  readonly stopMs: number;
  /** Present when the writer lags and this container hasn't proven itself: note each try. */
  readonly guarded?: { readonly stored: Attempt | undefined; readonly invocationMs: number };
}

/**
 * Goes as far as it can.
 *
 * @returns the first record that isn't finished, or undefined when all are
 */
export async function processWriter(
  context: WriteContext,
  batch: WriterBatch,
  state: ContainerState,
  report: BatchReport,
): Promise<SourceRecord | undefined> {
  const records = batch.records.filter(({ position }) => isAfter(position, batch.head.position));
  report.repeated += batch.records.length - records.length;
  if (records.length === 0) return undefined;
  checkReferences(context, batch.head);
  try {
    const finished = await takeTurn(context, { ...batch, records }, state, report);
    return records[finished];
  } catch (error) {
    if (!endsTry(error)) throw error;
    noteStop(report, error);
    return records.find(({ position }) => isAfter(position, batch.head.position));
  }
}

/** Goes through the records that are this version's to decide on; returns how many of all are finished. */
async function takeTurn(
  context: WriteContext,
  batch: WriterBatch,
  state: ContainerState,
  report: BatchReport,
): Promise<number> {
  const { head, records } = batch;
  const { enters, takes, leavesTo } = await turnOf(context, { head, records }, state.versions);
  if (head.n === 0) {
    await register(context);
    head.closedThroughMs = await closingThrough(context);
  }
  if (enters) await enter(context, state.heads, head);
  const own = { ...batch, records: records.slice(0, takes) };
  const finished = takes === 0 ? 0 : await decideAndWrite(context, own, state, report);
  if (leavesTo === undefined || finished < takes) return finished;
  await leaveTo(context, { heads: state.heads, head }, leavesTo);
  noteStop(report, `${context.writer}: finished before the switch to version ${leavesTo}`);
  return finished;
}

/** Events that are brought back are decided by what is deployed, however long ago they arrived. */
async function turnOf(
  context: WriteContext,
  { head, records }: Pick<WriterBatch, 'head' | 'records'>,
  versions: VersionWatch,
): Promise<Omit<TakenTurn, 'type'>> {
  if (isRedriveWriter(context.writer)) {
    return { enters: false, takes: records.length, leavesTo: undefined };
  }
  const youngestMs = records.reduce((most, { arrivalMs }) => Math.max(most, arrivalMs), 0);
  const list = await versions.current(context.program.fingerprint, youngestMs, context);
  return turnFor(context, head, list, records);
}

/** Returns how many of the records are finished. */
async function decideAndWrite(
  context: WriteContext,
  batch: WriterBatch,
  state: ContainerState,
  report: BatchReport,
): Promise<number> {
  const planner = await plan(context, batch, state);
  const startMs = context.clock.now();
  const finished = await write(context, { planner, head: batch.head }, state, report).finally(
    () => {
      report.writeMs = Math.max(report.writeMs, context.clock.now() - startMs);
    },
  );
  count(context, planner.decisions.slice(0, finished), report);
  return finished;
}

/**
 * Refuses to go on where records were decided that a version of a reference should have decided, which was
 * deployed too late: what comes again of them would be decided otherwise.
 *
 * @throws DefinitionError before anything is written
 */
function checkReferences({ program, writer }: WriteContext, head: Head): void {
  // Events that are brought back are decided by what is deployed: a reference that was mended is a reason to.
  if (head.fingerprint === undefined || isRedriveWriter(writer)) return;
  if (isMarkerPrint(head.fingerprint)) return;
  const [before] = head.fingerprint.split('.');
  const now = program.fingerprintAt(head.highArrivalMs);
  if (before !== program.fingerprint || now === head.fingerprint) return;
  throw new DefinitionError(
    `${program.name}: versions of references`,
    `other ones than what ${writer} was decided with up to ${new Date(head.highArrivalMs).toISOString()}`,
    'versions that take effect after their deployment; give the new one a later `from`, and keep the old ones',
  );
}

/** Lists the writer before its first write, so that readers and the keeper know of it. */
async function register(context: WriteContext): Promise<void> {
  const item = registryItem(context.writer, context.clock.now());
  const [result] = await retryFailed(context, [item], (items) =>
    context.ports.ledger.putAll(items, context),
  );
  if (result?.status === 'written') return;
  throw new TransientError(`writer ${context.writer}: not registered; its records come again`, {
    cause: result?.status === 'failed' ? result.error : undefined,
  });
}

async function plan(
  context: WriteContext,
  batch: WriterBatch,
  state: ContainerState,
): Promise<Planner<SourceRecord>> {
  const { head, records, guarded } = batch;
  if (guarded === undefined) {
    return decided(context, { batch, state }, (planner) =>
      decideAll(context, planner, records, batch.stopMs),
    );
  }
  const start = { writer: context.writer, head, records, ...guarded };
  const next = await state.guard.begin(start, context);
  const [first] = records;
  const isCrash = next.quarantineFirst && first !== undefined;
  const planner = await decided(context, { batch, state }, (one) => {
    if (isCrash) one.decideCrash(first, next.attempt.deaths);
    else decideAll(context, one, records.slice(0, next.take), batch.stopMs);
  });
  const computed = isCrash ? undefined : planner.decisions.at(-1)?.record;
  await state.guard.beforeWriting(next.attempt, computed, context);
  return planner;
}

/** Passes over one batch: an id that a pass doesn't know is known to the next. */
const PASSES_MAX = 100;

/** Decides; where the head doesn't reach back far enough for some id, reads on and decides anew. */
async function decided(
  context: WriteContext,
  { batch, state }: { readonly batch: WriterBatch; readonly state: ContainerState },
  decide: (planner: Planner<SourceRecord>) => void,
): Promise<Planner<SourceRecord>> {
  const { program, writer } = context;
  const { head, idKey } = batch;
  const older = new OlderIds(head);
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const planner = new Planner<SourceRecord>({ program, writer, idKey, state: older });
    decide(planner);
    if (planner.unknown.length === 0) return planner;
    await older.seek(planner.unknown, state.heads.entries(writer, context));
  }
  throw new InvariantError(`writer ${writer}: some ids stay unknown after ${PASSES_MAX} passes`);
}

/** Looks at the clock now and then: how many records are decided depends on it, no decision does. */
const RECORDS_PER_LOOK = 32;

function decideAll(
  context: WriteContext,
  planner: Planner<SourceRecord>,
  records: readonly SourceRecord[],
  stopMs: number,
): void {
  for (const [index, record] of records.entries()) {
    if (index % RECORDS_PER_LOOK === 0 && context.clock.now() >= stopMs) return;
    planner.decide(record);
  }
}

/** Returns how many of the planned records are finished. */
async function write(
  context: WriteContext,
  planned: { readonly planner: Planner<SourceRecord>; readonly head: Head },
  state: ContainerState,
  report: BatchReport,
): Promise<number> {
  const { decisions, packs } = planned.planner;
  const durable = await writeIdempotent(context, decisions, report);
  const written = await writePacks(context, {
    packs: packs.values(),
    decisions,
    prefix: durable,
    cache: state.packs,
  });
  report.conflicts += written.conflicts;
  if (written.finished < durable) noteStop(report, written.error ?? outOfTime(context));
  const finished = await send(context, decisions.slice(0, written.finished), report);
  if (finished === 0) return 0;
  const prefix = decisions.slice(0, finished);
  report.conflicts += await appendEntry(context, {
    heads: state.heads,
    head: planned.head,
    decisions: prefix,
    packs,
  });
  planned.head.prune(context.program.settings.horizonMs);
  return finished;
}

/**
 * What feeds other pipelines, after the cells: what fails before is sent anew in the next try, and each
 * copy costs. Returns how many records from the start are done.
 */
async function send(
  context: WriteContext,
  decisions: readonly Decision<SourceRecord>[],
  report: BatchReport,
): Promise<number> {
  const unsent = await writeOutputs(context, decisions);
  if (unsent.records.length === 0) return decisions.length;
  noteStop(report, unsent.error ?? outOfTime(context));
  return Math.min(...unsent.records.map(({ ordinal }) => ordinal));
}

/** Quarantine and events; returns how many records from the start have theirs durable. */
async function writeIdempotent(
  context: WriteContext,
  decisions: readonly Decision<SourceRecord>[],
  report: BatchReport,
): Promise<number> {
  const refused: RefusedRecord[] = [];
  const kept: KeptRecord[] = [];
  for (const [ordinal, decision] of decisions.entries()) {
    const { record } = decision;
    if (decision.type === 'rejected')
      refused.push({ ordinal, record, rejection: decision.rejection });
    if (decision.type === 'accepted' && decision.kept !== undefined)
      kept.push({ ordinal, record, kept: decision.kept, id: decision.id });
  }
  const [notQuarantined, notKept] = await Promise.all([
    writeQuarantine(context, refused),
    writeEvents(context, kept),
  ]);
  for (const { records, error } of [notQuarantined, notKept]) {
    if (records.length > 0) noteStop(report, error ?? outOfTime(context));
  }
  return Math.min(
    decisions.length,
    ...[...notQuarantined.records, ...notKept.records].map(({ ordinal }) => ordinal),
  );
}

function outOfTime({ writer }: WriteContext): DeadlineError {
  return new DeadlineError(`cells of ${writer}`);
}

function count(context: WriteContext, decisions: readonly Decision[], report: BatchReport): void {
  const nowMs = context.clock.now();
  for (const decision of decisions) {
    report.latencyMs = Math.max(report.latencyMs, nowMs - decision.record.arrivalMs);
    if (decision.type === 'duplicate') report.duplicates += 1;
    else if (decision.type === 'accepted') countAccepted(report, decision);
    else countRejected(report, decision.rejection, decision.watermarkMs);
  }
}

function countAccepted(
  report: BatchReport,
  { partlyLate, correctsMs, derived }: Decision & { readonly type: 'accepted' },
): void {
  report.accepted += 1;
  report.partlyLate += partlyLate ? 1 : 0;
  report.derived += derived.length;
  report.corrections += correctsMs > 0 ? 1 : 0;
  report.correctionMs = Math.max(report.correctionMs, correctsMs);
}

function countRejected(
  report: BatchReport,
  { reason, eventTimeMs }: Rejection,
  watermarkMs: number | undefined,
): void {
  report.quarantined += 1;
  report.reasons[reason] = (report.reasons[reason] ?? 0) + 1;
  if (reason !== 'late' || eventTimeMs === undefined || watermarkMs === undefined) return;
  report.lateMs = Math.max(report.lateMs, watermarkMs - eventTimeMs);
}
