import {
  ATTEMPT_KEY,
  ATTEMPT_REVISION,
  type Attempt,
  decodeAttempt,
  encodeAttempt,
  type NextAttempt,
  nextAttempt,
} from '../core/attempt.ts';
import { InvariantError, TransientError } from '../core/errors.ts';
import { ledgerKey } from '../core/ledger.ts';
import type { InputRecord } from '../core/plan.ts';
import { decodePosition, encodePosition, isAfter, type Position } from '../core/position.ts';
import type { ProgramSettings } from '../core/program.ts';
import type { Table } from '../ports/table.ts';
import type { Head } from './head.ts';
import { entryTtlSeconds } from './lifetimes.ts';
import { type RetryContext, retryFailed } from './retry.ts';

/**
 * Finds records that kill the function (exactly-once rule 7).
 *
 * Invariants
 * 1. Between `begin` and `beforeWriting` nothing is written but the note itself, and no other guarded
 *    writer of the invocation computes: a death in between is this writer's.
 * 2. Who wants to write after `begin` must still hold the stored revision: a try that was overtaken
 *    writes nothing.
 */
export class AttemptGuard {
  readonly #ledger: Table;
  readonly #settings: ProgramSettings;

  constructor(ledger: Table, settings: ProgramSettings) {
    this.#ledger = ledger;
    this.#settings = settings;
  }

  /** The notes of the given writers; missing where there is none. @throws TransientError */
  async read(
    writers: readonly string[],
    context: RetryContext,
  ): Promise<ReadonlyMap<string, Attempt>> {
    const keys = writers.map((writer) => ({ pk: ledgerKey(writer), sk: ATTEMPT_KEY }));
    const results = await retryFailed(context, keys, (open) => this.#ledger.get(open, context));
    const notes = new Map<string, Attempt>();
    for (const [index, writer] of writers.entries()) {
      const result = results[index];
      if (result?.status !== 'read') throw unanswered(writer, result?.error);
      if (result.item !== undefined) notes.set(writer, decodeAttempt(writer, result.item));
    }
    return notes;
  }

  /** Notes a try in the phase `computing`. @throws TransientError also when another try was first */
  async begin(start: AttemptStart, context: RetryContext): Promise<NextAttempt> {
    const { writer, head, records, stored } = start;
    const nowMs = context.clock.now();
    const end = stored?.suspectThrough;
    const next = nextAttempt({
      writer,
      owner: Buffer.from(context.random.bytes(8)).toString('hex'),
      stored,
      base: head.position === undefined ? '' : encodePosition(head.position),
      records: records.length,
      positionAt: (index) => positionAt(records, index),
      suspected: end !== undefined && end !== '' && isAfter(decodePosition(end), head.position),
      nowMs,
      invocationMs: start.invocationMs,
      ttlSeconds: entryTtlSeconds(this.#settings, head.highArrivalMs, nowMs),
    });
    await this.#put(next.attempt, stored?.revision, context);
    return next;
  }

  /**
   * Moves the try to the phase `writing`.
   *
   * @param computed the last record that was computed: less than was begun where time ran out, and
   *   undefined where none was; what is noted too far is never suspected again
   * @throws TransientError also when another try was first
   */
  async beforeWriting(
    attempt: Attempt,
    computed: InputRecord | undefined,
    context: RetryContext,
  ): Promise<void> {
    const writing: Attempt = {
      ...attempt,
      revision: attempt.revision + 1,
      phase: 'writing',
      computedThrough: furthest(attempt.computedThrough, computed?.position),
    };
    await this.#put(writing, attempt.revision, context);
  }

  async #put(attempt: Attempt, expected: number | undefined, context: RetryContext): Promise<void> {
    const item = encodeAttempt(attempt);
    const condition =
      expected === undefined
        ? ({ type: 'absent' } as const)
        : ({ type: 'equals', attribute: ATTEMPT_REVISION, value: expected } as const);
    const write = { item, condition };
    const [result] = await retryFailed(context, [write], (writes) =>
      this.#ledger.putIf(writes, context),
    );
    if (result?.status === 'written') return;
    if (result?.status !== 'conflict') throw unanswered(attempt.writer, result?.error);
    // The answer of an earlier try of this very write may have been lost: then it is stored already.
    const stored = result.current ?? (await this.#stored(attempt.writer, context));
    if (stored !== undefined && same(attempt, decodeAttempt(attempt.writer, stored))) return;
    throw new TransientError(
      `attempt of ${attempt.writer}: another try is at it; its records come again`,
    );
  }

  async #stored(
    writer: string,
    context: RetryContext,
  ): Promise<Parameters<typeof decodeAttempt>[1] | undefined> {
    const key = { pk: ledgerKey(writer), sk: ATTEMPT_KEY };
    const [result] = await retryFailed(context, [key], (keys) => this.#ledger.get(keys, context));
    return result?.status === 'read' ? result.item : undefined;
  }
}

/** What a guarded try starts with. */
export interface AttemptStart {
  readonly writer: string;
  readonly head: Head;
  readonly records: readonly InputRecord[];
  readonly stored: Attempt | undefined;
  /** How long an invocation can last, milliseconds. */
  readonly invocationMs: number;
}

function positionAt(records: readonly InputRecord[], index: number): string {
  const record = records[index];
  if (record === undefined) throw new InvariantError(`attempt: got no record ${index}`);
  return encodePosition(record.position);
}

function furthest(noted: string, computed: Position | undefined): string {
  if (computed === undefined) return noted;
  const isFurther = noted === '' || isAfter(computed, decodePosition(noted));
  return isFurther ? encodePosition(computed) : noted;
}

function same(left: Attempt, right: Attempt): boolean {
  return left.owner === right.owner && left.revision === right.revision;
}

function unanswered(writer: string, cause: unknown): TransientError {
  return new TransientError(`attempt of ${writer}: no answer; its records come again`, {
    cause,
    fields: { writer },
  });
}
