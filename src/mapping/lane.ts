import { InvariantError } from '../core/errors.ts';
import { Backlog } from './backlog.ts';
import { type Batch, bisect, type MappingRecord, type Outcome } from './batch.ts';
import type { MappingPolicies } from './policies.ts';
import { acknowledged } from './response.ts';
import type { MappingSettings } from './settings.ts';

export type { Outcome } from './batch.ts';

/** Records that the mapping gives up. */
export interface Discard<Payload = unknown> {
  readonly batch: Batch<Payload>;
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
}

/** What a lane is made with. */
export interface LaneOptions {
  readonly settings: MappingSettings;
  readonly policies: MappingPolicies;
  readonly nowMs: number;
}

/**
 * One ordered lane of a shard: with a parallelization factor of n a shard has n of them, and a
 * partition key always falls into the same one.
 *
 * Invariants
 * 1. At most one batch is in flight; records are sent in the order of their sequence numbers.
 * 2. A record leaves the lane only when an answer acknowledged it, when it is given up, or when the stream
 *    has trimmed it.
 * 3. What failed goes before what is new; the halves of a batch run left before right.
 * 4. The batching window starts when the previous invocation ends, not when the first record comes:
 *    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
 */
export class Lane<Payload> {
  readonly #settings: MappingSettings;
  readonly #policies: MappingPolicies;
  readonly #backlog = new Backlog<Payload>();
  #inFlight: Batch<Payload> | undefined;
  #windowStartMs: number;
  #notBeforeMs = 0;
  #failuresInARow = 0;
  /** What is given up and may yet share its document with what is right behind it. */
  #held: Discard<Payload> | undefined;

  constructor({ settings, policies, nowMs }: LaneOptions) {
    this.#settings = settings;
    this.#policies = policies;
    this.#windowStartMs = nowMs;
  }

  /** Records that are in the lane, in flight included. */
  get length(): number {
    const held = this.#held?.batch.records.length ?? 0;
    return held + (this.#inFlight?.records.length ?? 0) + this.#backlog.length;
  }

  /** The first record that is not finished. */
  get first(): MappingRecord<Payload> | undefined {
    const batch = this.#held?.batch ?? this.#inFlight;
    return batch?.records[0] ?? this.#backlog.first;
  }

  add(record: MappingRecord<Payload>): void {
    this.#backlog.add(record);
  }

  /** The batch to send now, which then is in flight, or undefined. */
  take(nowMs: number): Batch<Payload> | undefined {
    if (this.#inFlight !== undefined || nowMs < this.#notBeforeMs) return undefined;
    const { batchSize, windowMs } = this.#settings;
    const isDue = nowMs >= this.#windowStartMs + windowMs || this.#backlog.isFull(batchSize);
    const next = this.#backlog.takeFailed();
    this.#inFlight = next ?? (isDue ? this.#backlog.takeNew(batchSize) : undefined);
    return this.#inFlight;
  }

  /** When time alone brings something to do; undefined where it brings nothing. */
  wakeMs(): number | undefined {
    const { first } = this.#backlog;
    if (this.#inFlight !== undefined || first === undefined) return undefined;
    const { batchSize, windowMs, recordAgeMaxMs } = this.#settings;
    const waits = !this.#backlog.hasFailed && !this.#backlog.isFull(batchSize);
    const sendMs = Math.max(this.#notBeforeMs, waits ? this.#windowStartMs + windowMs : 0);
    return recordAgeMaxMs < 0 ? sendMs : Math.min(sendMs, first.arrivalMs + recordAgeMaxMs + 1);
  }

  /** Takes the outcome of the batch in flight; what is given up comes back, now or later. */
  finish(invocation: number, outcome: Outcome, nowMs: number): readonly Discard<Payload>[] {
    const batch = this.#inFlight;
    if (batch === undefined) throw new InvariantError('lane: got an outcome without an invocation');
    this.#inFlight = undefined;
    this.#windowStartMs = nowMs;
    if (outcome.type === 'not-invoked') {
      this.#tryAgain(batch, nowMs);
      return [];
    }
    const last = { id: invocation, outcome };
    const count = this.#acknowledged(batch, outcome);
    if (count === 0) return this.#giveUp(this.#failed({ ...batch, last }, nowMs));
    return [
      ...this.#release(),
      ...this.#giveUp(this.#progressed({ ...batch, last }, count, nowMs)),
    ];
  }

  /**
   * Gives up the records at the start of the lane that are too old, sent or not; one discard a batch. Only the
   * records that are too old: the batch goes on behind them (observed).
   * https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
   */
  expire(nowMs: number): readonly Discard<Payload>[] {
    const { recordAgeMaxMs } = this.#settings;
    if (this.#inFlight !== undefined) return [];
    const batches = recordAgeMaxMs < 0 ? [] : this.#backlog.takeBefore(nowMs - recordAgeMaxMs);
    const given = batches.flatMap((batch) =>
      this.#giveUp({ batch, condition: 'RecordAgeExceeded' }),
    );
    return [...given, ...this.#giveUp(undefined)];
  }

  /** Forgets the records at the start of the lane that the stream has trimmed, and that aren't in flight. */
  trim(beforeMs: number): readonly MappingRecord<Payload>[] {
    if (this.#inFlight !== undefined) return [];
    return this.#backlog.takeBefore(beforeMs).flatMap(({ records }) => records);
  }

  /** What is left after a partial response. */
  #progressed(batch: Batch<Payload>, count: number, nowMs: number): Discard<Payload> | undefined {
    this.#failuresInARow = 0;
    this.#notBeforeMs = nowMs;
    const records = batch.records.slice(count);
    if (records.length === 0) return undefined;
    if (!this.#policies.partialProgressResetsAttempts) {
      return this.#countTry({ ...batch, records }, nowMs);
    }
    return this.#tryAgain({ records, attempts: 0 }, nowMs);
  }

  #acknowledged(batch: Batch, outcome: Outcome): number {
    if (outcome.type !== 'answered') return 0;
    const { reportsFailures } = this.#settings;
    return reportsFailures
      ? acknowledged(batch, outcome.answer, this.#policies)
      : batch.records.length;
  }

  /**
   * A try without progress: halved, given up, or tried again. Halving spends no retry.
   * https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
   */
  #failed(batch: Batch<Payload>, nowMs: number): Discard<Payload> | undefined {
    if (!this.#halves(batch)) return this.#countTry(batch, nowMs);
    const [left, right] = bisect(batch);
    this.#backlog.putBack(right);
    return this.#tryAgain(left, nowMs);
  }

  /** Function errors halve a batch: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html */
  #halves({ records, attempts, last }: Batch): boolean {
    const { bisect: isOn, retriesMax } = this.#settings;
    if (!isOn || records.length === 1) return false;
    const type = last?.outcome.type;
    if (type === 'answered' && !this.#policies.bisectWithoutProgress) return false;
    const isLastTry = retriesMax >= 0 && attempts >= retriesMax;
    return type !== 'rejected' && (this.#policies.bisectBeforeAttempts || !isLastTry);
  }

  #countTry(batch: Batch<Payload>, nowMs: number): Discard<Payload> | undefined {
    const tried = { ...batch, attempts: batch.attempts + 1 };
    const { retriesMax } = this.#settings;
    if (retriesMax < 0 || tried.attempts <= retriesMax) return this.#tryAgain(tried, nowMs);
    this.#failuresInARow = 0;
    return { batch: tried, condition: 'RetryAttemptsExhausted' };
  }

  #tryAgain(batch: Batch<Payload>, nowMs: number): undefined {
    this.#backlog.putBack(batch);
    const { backOff, backOffFirstMs, backOffMaxMs } = this.#policies;
    const factor = backOff === 'flat' ? 1 : 2 ** Math.min(this.#failuresInARow, 20);
    this.#notBeforeMs = nowMs + Math.min(backOffFirstMs * factor, backOffMaxMs);
    this.#failuresInARow += 1;
  }

  /** Where discards are consolidated, one waits until what is behind it is finished too. */
  #giveUp(discard: Discard<Payload> | undefined): readonly Discard<Payload>[] {
    if (discard !== undefined && !this.#policies.consolidatedDiscards) return [discard];
    const held = this.#held;
    if (discard !== undefined) this.#held = consolidated(held, discard);
    const isSeparate = held !== undefined && this.#held === discard;
    const before = isSeparate ? [held] : [];
    return this.#backlog.length === 0 ? [...before, ...this.#release()] : before;
  }

  #release(): readonly Discard<Payload>[] {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? [] : [held];
  }
}

/** Both as one where they have the same reason, else the second. */
function consolidated<Payload>(
  left: Discard<Payload> | undefined,
  right: Discard<Payload>,
): Discard<Payload> {
  if (left === undefined || left.condition !== right.condition) return right;
  const batch = {
    ...left.batch,
    ...right.batch,
    records: [...left.batch.records, ...right.batch.records],
    attempts: Math.max(left.batch.attempts, right.batch.attempts),
  };
  return { batch, condition: right.condition };
}
