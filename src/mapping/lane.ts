import { InvariantError } from '../core/errors.ts';
import { type Batch, batchLength, bisect, isFull, type MappingRecord } from './batch.ts';
import { acknowledged } from './response.ts';
import type { MappingSettings } from './settings.ts';

/** How an invocation ended. */
export type Outcome =
  /** The function came to its end; `answer` is what it returned, parsed. */
  | { readonly type: 'answered'; readonly answer: unknown }
  /** It threw, ran out of time or memory, or ended its process. */
  | { readonly type: 'failed' }
  /** It never ran: throttled, no permission, a fault of the service. */
  | { readonly type: 'not-invoked' };

/** Records that the mapping gives up. */
export interface Discard<Payload = unknown> {
  readonly batch: Batch<Payload>;
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  /** How the last invocation ended; undefined when the records were never sent. */
  readonly last: Outcome | undefined;
}

/** First pause after a failure and the longest one, milliseconds. AWS documents neither. */
export const BACK_OFF_MS = { first: 1_000, max: 60_000 } as const;

/**
 * One ordered lane of a shard: with a parallelization factor of n a shard has n of them, and a
 * partition key always falls into the same one.
 *
 * Invariants
 * 1. At most one batch is in flight; records are sent in the order of their sequence numbers.
 * 2. A record leaves the lane only when an answer acknowledged it, or when it is given up.
 * 3. What failed goes before what is new; the halves of a batch run left before right.
 * 4. The batching window starts when the previous invocation ends, not when the first record comes.
 */
export class Lane<Payload> {
  readonly #settings: MappingSettings;
  #queue: MappingRecord<Payload>[] = [];
  /** Batches to be sent again, the next one last. */
  readonly #again: Batch<Payload>[] = [];
  #inFlight: Batch<Payload> | undefined;
  #last: Outcome | undefined;
  #windowStartMs: number;
  #notBeforeMs = 0;
  #failuresInARow = 0;

  constructor(settings: MappingSettings, nowMs: number) {
    this.#settings = settings;
    this.#windowStartMs = nowMs;
  }

  /** Records that are in the lane, in flight included. */
  get length(): number {
    const again = this.#again.reduce((sum, { records }) => sum + records.length, 0);
    return this.#queue.length + again + (this.#inFlight?.records.length ?? 0);
  }

  /** The first record that is not finished. */
  get first(): MappingRecord<Payload> | undefined {
    const batch = this.#inFlight ?? this.#again.at(-1);
    return batch === undefined ? this.#queue[0] : batch.records[0];
  }

  add(record: MappingRecord<Payload>): void {
    this.#queue.push(record);
  }

  /** The batch to send now, which then is in flight, or undefined. */
  take(nowMs: number): Batch<Payload> | undefined {
    if (this.#inFlight !== undefined || nowMs < this.#notBeforeMs) return undefined;
    const again = this.#again.pop();
    this.#inFlight = again ?? this.#next(nowMs);
    return this.#inFlight;
  }

  /** When `take` can give something by the passing of time alone; undefined where it can't. */
  wakeMs(): number | undefined {
    if (this.#inFlight !== undefined || this.length === 0) return undefined;
    if (this.#again.length > 0 || isFull(this.#queue, this.#settings.batchSize)) {
      return this.#notBeforeMs;
    }
    return Math.max(this.#notBeforeMs, this.#windowStartMs + this.#settings.windowMs);
  }

  /** Takes the outcome of the batch in flight; what is given up comes back. */
  finish(outcome: Outcome, nowMs: number): Discard<Payload> | undefined {
    const batch = this.#inFlight;
    if (batch === undefined) throw new InvariantError('lane: got an outcome without an invocation');
    this.#inFlight = undefined;
    this.#windowStartMs = nowMs;
    this.#last = outcome;
    if (outcome.type === 'not-invoked') return this.#tryAgain(batch, nowMs);
    const count = outcome.type === 'answered' ? this.#acknowledged(batch, outcome.answer) : 0;
    if (count === 0) return this.#failed(batch, nowMs);
    this.#failuresInARow = 0;
    this.#notBeforeMs = nowMs;
    const rest = batch.records.slice(count);
    if (rest.length === 0) return undefined;
    return this.#tryAgain({ records: rest, attempts: 0 }, nowMs);
  }

  /** Gives up the records at the start of the lane that are too old, sent or not. */
  expire(nowMs: number): Discard<Payload> | undefined {
    const { recordAgeMaxMs } = this.#settings;
    if (recordAgeMaxMs < 0 || this.#inFlight !== undefined) return undefined;
    const again = this.#again.pop();
    const records = again?.records ?? this.#queue;
    const live = records.findIndex(({ arrivalMs }) => nowMs - arrivalMs <= recordAgeMaxMs);
    const count = live < 0 ? records.length : live;
    const rest = records.slice(count);
    if (again === undefined) this.#queue = rest;
    else if (rest.length > 0) this.#again.push({ ...again, records: rest });
    if (count === 0) return undefined;
    return {
      batch: { records: records.slice(0, count), attempts: again?.attempts ?? 0 },
      condition: 'RecordAgeExceeded',
      last: again === undefined ? undefined : this.#last,
    };
  }

  #next(nowMs: number): Batch<Payload> | undefined {
    const { batchSize, windowMs } = this.#settings;
    const due = nowMs >= this.#windowStartMs + windowMs || isFull(this.#queue, batchSize);
    if (this.#queue.length === 0 || !due) return undefined;
    return { records: this.#queue.splice(0, batchLength(this.#queue, batchSize)), attempts: 0 };
  }

  #acknowledged(batch: Batch, answer: unknown): number {
    return this.#settings.reportsFailures ? acknowledged(batch, answer) : batch.records.length;
  }

  /** A try without progress: halved, given up, or tried again. Splitting spends no try. */
  #failed(batch: Batch<Payload>, nowMs: number): Discard<Payload> | undefined {
    if (this.#settings.bisect && batch.records.length > 1) {
      const [left, right] = bisect(batch);
      this.#again.push(right);
      return this.#tryAgain(left, nowMs);
    }
    const tried = { ...batch, attempts: batch.attempts + 1 };
    const { retriesMax } = this.#settings;
    if (retriesMax < 0 || tried.attempts <= retriesMax) return this.#tryAgain(tried, nowMs);
    this.#failuresInARow = 0;
    return { batch: tried, condition: 'RetryAttemptsExhausted', last: this.#last };
  }

  #tryAgain(batch: Batch<Payload>, nowMs: number): undefined {
    this.#again.push(batch);
    const pauseMs = BACK_OFF_MS.first * 2 ** Math.min(this.#failuresInARow, 20);
    this.#notBeforeMs = nowMs + Math.min(pauseMs, BACK_OFF_MS.max);
    this.#failuresInARow += 1;
  }
}
