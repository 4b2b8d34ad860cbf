import { TransientError } from '../core/errors.ts';
import {
  BELIEVED_MS,
  decodeVersions,
  encodeVersions,
  VERSIONS_KEY,
  type VersionList,
} from '../core/version.ts';
import type { Table } from '../ports/table.ts';
import { type RetryContext, retryFailed } from './retry.ts';

/**
 * Knows the list of versions, and asks again when a record is too young for what it knows.
 *
 * Invariant: a list that is given out was read by a request that was sent after the record's arrival, or at
 * most `believedMs` before it. Which records it is believed for depends on their arrival, not on when they are
 * worked on: a backlog needs no reading anew, however old it is.
 */
export class VersionWatch {
  readonly #ledger: Table;
  readonly #believedMs: number;
  #known: Asked<VersionList> | undefined;
  #pending: Asked<Promise<VersionList>> | undefined;

  constructor(ledger: Table, believedMs: number = BELIEVED_MS) {
    this.#ledger = ledger;
    this.#believedMs = believedMs;
  }

  /**
   * The list for records that arrived up to `arrivalMs`. The first version that ever asks begins the list.
   *
   * @throws TransientError, DeadlineError
   */
  async current(own: string, arrivalMs: number, context: RetryContext): Promise<VersionList> {
    const known = [this.#known, this.#pending].find(
      (one) => one !== undefined && arrivalMs < one.askedMs + this.#believedMs,
    );
    if (known !== undefined) return known.answer;
    // Before the request: what it answers may be as old as that.
    const asked = { askedMs: context.clock.now(), answer: this.#ask(own, context) };
    this.#pending = asked;
    try {
      const answer = await asked.answer;
      // A request that was sent before another one, and is answered after it, may know less.
      if (asked.askedMs >= (this.#known?.askedMs ?? 0)) this.#known = { ...asked, answer };
      return answer;
    } finally {
      if (this.#pending === asked) this.#pending = undefined;
    }
  }

  async #ask(own: string, context: RetryContext): Promise<VersionList> {
    const stored = await readVersions(this.#ledger, context);
    return stored ?? begin(this.#ledger, own, context);
  }
}

interface Asked<Answer> {
  /** When the request was sent, milliseconds since 1970 UTC. */
  readonly askedMs: number;
  readonly answer: Answer;
}

/** The stored list, or undefined before the first record was processed. @throws TransientError, DeadlineError */
export async function readVersions(
  ledger: Table,
  context: RetryContext,
): Promise<VersionList | undefined> {
  const [result] = await retryFailed(context, [VERSIONS_KEY], (keys) => ledger.get(keys, context));
  if (result?.status !== 'read') throw unanswered(result?.error);
  return result.item === undefined ? undefined : decodeVersions(result.item);
}

/** Stores a list with one version, or finds the one that another container stored. */
async function begin(ledger: Table, own: string, context: RetryContext): Promise<VersionList> {
  const list: VersionList = { revision: 1, versions: [{ fromMs: 0, print: own }] };
  const write = { item: encodeVersions(list), condition: { type: 'absent' } } as const;
  const [result] = await retryFailed(context, [write], (writes) => ledger.putIf(writes, context));
  if (result?.status === 'written') return list;
  if (result?.status !== 'conflict') throw unanswered(result?.error);
  const stored = await readVersions(ledger, context);
  if (stored !== undefined) return stored;
  throw unanswered(undefined);
}

function unanswered(cause: unknown): TransientError {
  return new TransientError('list of versions: no answer; the records come again', { cause });
}
