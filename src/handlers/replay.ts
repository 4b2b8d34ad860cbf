import type { ArchiveTail } from '../core/archive-tail.ts';
import type { Program } from '../core/program.ts';
import {
  type Cursor,
  cursorKey,
  cursorPartition,
  decodeCursor,
  encodeCursor,
} from '../core/replay.ts';
import { epochOf, epochStartMs } from '../core/writer.ts';
import { readTails } from './archive-tails.ts';
import { type Consume, makeConsume } from './consume.ts';
import { registeredWriters } from './ledger-tails.ts';
import { seconds } from './lifetimes.ts';
import { longLived } from './long-lived.ts';
import type { Invocation, ReplayPorts } from './ports.ts';
import { readAll } from './read-all.ts';
import { type ArchiveRange, makeReadArchive } from './read-archive.ts';
import { BATCH_RECORDS, kinesisBatch, RecordBatch } from './replay-batch.ts';
import { checkLineage, isInStream } from './replay-end.ts';
import {
  addBatch,
  addGap,
  addStop,
  emptyReplayReport,
  finishedFraction,
  type ReplayReport,
  type ShardShare,
} from './replay-report.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';
import { endsTry } from './transient.ts';

/**
 * Rebuilds from the archive: the records of all shards, in the order of positions, through the very path
 * that the stream's records take, into whatever tables it is given.
 *
 * Invariants
 * 1. What a record means is decided by the ledger of these tables alone: a record at or before its writer's
 *    head changes nothing. So a call may die, be repeated, or meet another one, or a mapping.
 * 2. A shard is read up to a tail that was read before its objects were listed, so none of them can be
 *    missed; and only if it had one when the tails were read the time before. Its parents were archived to
 *    their end by then: no partition goes on in a child before its parent is through.
 * 3. A shard is begun only when those before it are through, up to their tails, in the same call.
 * 4. `complete` is said only where the stream still holds everything that arrived after what was read.
 */

/** What is replayed. */
export interface ReplayJob {
  /** Names range and key: what is known to be finished counts for the same name only. */
  readonly name: string;
  /** Arrival times, milliseconds since 1970 UTC. */
  readonly fromMs: number;
  /** Left out itself; undefined: to the archive's end. */
  readonly toMs?: number | undefined;
  /** Only records of this partition key, such as `p-3`. */
  readonly partitionKey?: string | undefined;
  /** Only of the stream as it is now: of writers of streams that are gone, tables may have forgotten the ledgers. */
  readonly currentOnly?: boolean;
}

/** How one call goes about it. */
export interface ReplayRequest {
  /** Begins nothing new after so many seconds, 1 to 900; the invocation's time bounds it too. */
  readonly seconds: number;
  /** Records a second at most, 1 to 1,000,000; undefined: as fast as it goes. */
  readonly rate?: number | undefined;
  /** Goes on where records are missing in the archive. They are in no result. */
  readonly acceptGaps?: boolean;
  /** Records of a batch at most, 1 to 10,000; default 2,000. */
  readonly batchRecords?: number;
}

/** Replays for a while. Rejects for what trying again doesn't heal. */
export type Replay = (request: ReplayRequest, invocation: Invocation) => Promise<ReplayReport>;

/** Kept for the last batch of a call, milliseconds, and at most half of the time. */
const LAST_BATCH_MS = 30_000;

/**
 * Makes the function that replays.
 *
 * @example
 * const replay = makeReplay(ports, program, { name: 'generation', fromMs: 0 });
 * do report = await replay({ seconds: 60 }, invocation); while (report.state === 'more');
 */
export function makeReplay(world: ReplayPorts, program: Program, job: ReplayJob): Replay {
  const ports = { ...world, ledger: longLived(world.ledger) };
  const consumers = new Map<string, Consume>();
  const consumerOf = (epoch: string) => {
    const consume = consumers.get(epoch) ?? makeConsume(ports, program, { epoch });
    consumers.set(epoch, consume);
    return consume;
  };
  return (request, invocation) =>
    new ReplayCall({ ports, program, job, consumerOf, request, invocation }).run();
}

interface CallOptions {
  readonly ports: ReplayPorts;
  readonly program: Program;
  readonly job: ReplayJob;
  readonly consumerOf: (epoch: string) => Consume;
  readonly request: ReplayRequest;
  readonly invocation: Invocation;
}

class ReplayCall {
  readonly #options: CallOptions;
  readonly #context: RetryContext;
  readonly #startMs: number;
  /** Nothing is begun at or after this time. */
  readonly #stopMs: number;
  readonly #report = emptyReplayReport();

  constructor(options: CallOptions) {
    const { ports, request, invocation } = options;
    const { clock, random } = ports;
    this.#options = options;
    this.#context = { clock, random, deadlineMs: invocation.deadlineMs - 500 };
    this.#startMs = clock.now();
    const reserveMs = Math.min(LAST_BATCH_MS, (invocation.deadlineMs - this.#startMs) / 2);
    this.#stopMs = Math.min(
      this.#startMs + request.seconds * 1000,
      invocation.deadlineMs - reserveMs,
    );
  }

  async run(): Promise<ReplayReport> {
    try {
      await this.#replayAll();
    } catch (error) {
      if (!endsTry(error)) throw error;
      addStop(this.#report, `${error.name}: ${error.message}`);
    }
    return this.#report;
  }

  async #replayAll(): Promise<void> {
    const { ports, program, job } = this.#options;
    const identity = await retryCall(this.#context, () => ports.stream.identify(this.#context));
    const current = epochOf(identity);
    const shares = await this.#shares(current);
    const tails = shares.map(({ tail }) => tail);
    if (program.settings.partitions === 'shard') {
      await checkLineage(ports, tails, { ...this.#context, current, fromMs: job.fromMs });
    }
    for (const share of shares) {
      const isThrough = share.cursor?.sequence === share.tail.last || (await this.#shard(share));
      this.#report.fraction = finishedFraction(shares, job);
      if (!isThrough) return;
    }
    const own = tails.filter(({ epoch }) => epoch === current);
    const { streamMs } = program.settings.retention;
    const isWhole =
      job.toMs !== undefined || (await isInStream(ports, own, { ...this.#context, streamMs }));
    this.#report.fraction = 1;
    this.#report.state = isWhole ? 'complete' : 'waiting';
  }

  /** The shards with something archived; older streams first, parents before their children. */
  async #shares(current: string): Promise<readonly ShardShare[]> {
    const { ports, job } = this.#options;
    const isOld = job.currentOnly !== true;
    const writers = isOld ? await registeredWriters(ports.source, this.#context) : [];
    const epochs = new Set([...writers.map(({ epoch }) => epoch), current]);
    const before = await this.#tails(epochs);
    const known = new Set(before.map(cursorKey));
    const tails = (await this.#tails(epochs)).filter((tail) => known.has(cursorKey(tail)));
    const items = await readAll(ports.ledger, { pk: cursorPartition(job.name) }, this.#context);
    const cursors = new Map(items.map((item) => [item.sk, decodeCursor(item)]));
    return tails
      .map((tail) => ({ tail, cursor: cursors.get(cursorKey(tail)) }))
      .sort(({ tail: left }, { tail: right }) => compareShards(left, right));
  }

  async #tails(epochs: ReadonlySet<string>): Promise<readonly ArchiveTail[]> {
    const tails: ArchiveTail[] = [];
    for (const epoch of epochs) {
      tails.push(...(await readTails(this.#options.ports.source, epoch, this.#context)));
    }
    return tails;
  }

  /** Replays a shard up to its tail; false when it ended before. */
  async #shard(share: ShardShare): Promise<boolean> {
    const { ports, job, request } = this.#options;
    const { tail, cursor } = share;
    const range: ArchiveRange = { fromMs: job.fromMs, toMs: job.toMs ?? Number.POSITIVE_INFINITY };
    const resume = cursor !== undefined && cursor.arrivalMs >= job.fromMs ? cursor : undefined;
    let isBroken = false;
    const onGap = (gap: Omit<ReplayReport['gaps'][number], 'epoch' | 'shard'>) => {
      addGap(this.#report, { epoch: tail.epoch, shard: tail.shard, ...gap });
      isBroken ||= request.acceptGaps !== true;
    };
    const batch = new RecordBatch(request.batchRecords ?? BATCH_RECORDS);
    const reader = makeReadArchive(ports);
    for await (const record of reader.recordsThrough(tail, range, { onGap, resume })) {
      if (isBroken) break;
      batch.add(record);
      if (!batch.isFull) continue;
      if (!(await this.#flush(share, batch)) || ports.clock.now() >= this.#stopMs) return false;
    }
    if (!(await this.#flush(share, batch))) return false;
    if (isBroken) {
      this.#report.state = 'gap';
      return false;
    }
    await this.#moveCursor(share, { sequence: tail.last, arrivalMs: tail.lastArrivalMs });
    return true;
  }

  /** Processes what was collected; false when some of it is left. */
  async #flush(share: ShardShare, batch: RecordBatch): Promise<boolean> {
    const { job, consumerOf, invocation } = this.#options;
    const all = batch.take();
    const last = all.at(-1);
    if (last === undefined) return true;
    const records = all.filter(
      ({ partitionKey }) => job.partitionKey === undefined || partitionKey === job.partitionKey,
    );
    const consume = consumerOf(share.tail.epoch);
    const { response, report } = await consume(kinesisBatch(share.tail, records), invocation);
    addBatch(this.#report, report);
    this.#report.bytes += records.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const [failure] = response.batchItemFailures;
    const failed = all.findIndex(({ sequence }) => sequence === failure?.itemIdentifier);
    const finished = failure === undefined ? last : all[failed - 1];
    if (finished !== undefined) await this.#moveCursor(share, finished);
    await this.#pace();
    return failure === undefined;
  }

  async #moveCursor(share: ShardShare, to: Cursor): Promise<void> {
    const { ports, job } = this.#options;
    const ttlSeconds = seconds(ports.clock.now());
    const { sequence, arrivalMs } = to;
    const item = encodeCursor(job.name, share.tail, { sequence, arrivalMs, ttlSeconds });
    const [result] = await retryFailed(this.#context, [item], (items) =>
      ports.ledger.putAll(items, this.#context),
    );
    // What is lost of it is done again, which changes nothing.
    if (result?.status !== 'written') addStop(this.#report, 'cursor: no answer');
    share.cursor = { sequence, arrivalMs };
    this.#report.reachedMs = arrivalMs;
  }

  /** Waits until no more records a second were read than asked for, or the call's time is over. */
  async #pace(): Promise<void> {
    const { ports, request } = this.#options;
    if (request.rate === undefined) return;
    const dueMs = this.#startMs + (this.#report.read / request.rate) * 1000;
    const waitMs = Math.min(dueMs, this.#stopMs) - ports.clock.now();
    if (waitMs > 0) await ports.clock.sleep(waitMs);
  }
}

/** Shard numbers grow with every split and merge. */
function compareShards(left: ArchiveTail, right: ArchiveTail): number {
  return epochStartMs(left.epoch) - epochStartMs(right.epoch) || left.shard - right.shard;
}
