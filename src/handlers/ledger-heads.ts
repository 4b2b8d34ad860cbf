import { TransientError } from '../core/errors.ts';
import {
  BEFORE_ENTRIES,
  decodeEntry,
  ENTRIES,
  entryKey,
  type LedgerEntry,
  ledgerKey,
} from '../core/ledger.ts';
import type { ProgramSettings } from '../core/program.ts';
import type { Table } from '../ports/table.ts';
import { Head, SLACK_MS } from './head.ts';
import { newestFirst } from './ledger-entries.ts';
import { entryLifeMs } from './lifetimes.ts';
import { type RetryContext, retryCall, retryFailed } from './retry.ts';
import { settle } from './transient.ts';

/** A writer whose head is needed, and the earliest arrival of the records that come. */
export interface HeadRequest {
  readonly writer: string;
  readonly minArrivalMs: number;
  /** Writers whose ids and watermark it takes over: the ancestors of a shard. Asked only when cold. */
  readonly ancestors: (context: RetryContext) => Promise<readonly string[]>;
}

/** Most writers that a container keeps heads of; the one unused longest is forgotten. */
const HEADS_MAX = 4096;

/**
 * The writers' heads, kept in the warm container.
 *
 * Boundary: the only reader of ledger entries in the consumer; `appendEntry` is the only writer.
 *
 * Invariants
 * 1. A head that is given out was compared with the ledger by a strongly consistent read in the same
 *    invocation (freshness); else a container that was away folds a repeat again.
 * 2. A head holds every id that can repeat in the given records: its coverage reaches back a horizon
 *    before their earliest arrival, or it is loaded anew.
 * 3. A head unused for half of an entry's life is dropped: the entry after it may have expired, and its
 *    absence would look like freshness.
 */
export class LedgerHeads {
  readonly #ledger: Table;
  readonly #settings: ProgramSettings;
  readonly #heads = new Map<string, Head>();

  constructor(ledger: Table, settings: ProgramSettings) {
    this.#ledger = ledger;
    this.#settings = settings;
  }

  /** How much is kept: writers, and ids over all of them. */
  get held(): { readonly writers: number; readonly ids: number } {
    const ids = [...this.#heads.values()].reduce((sum, { size }) => sum + size, 0);
    return { writers: this.#heads.size, ids };
  }

  /** The fresh head of each writer, or the error because of which it can't be told. */
  async fresh(
    requests: readonly HeadRequest[],
    context: RetryContext,
  ): Promise<ReadonlyMap<string, Head | Error>> {
    const warm = requests.filter((request) => this.#usable(request, context.clock.now()));
    const cold = requests.filter((request) => !warm.includes(request));
    const heads = new Map<string, Head | Error>();
    const loaded = cold.map(
      async (request) => [request.writer, await settle(this.#load(request, context))] as const,
    );
    // Awaited together: one that is awaited later could be rejected unheard, which ends the process.
    const found = await Promise.all([this.#refresh(warm, context), Promise.all(loaded)]);
    for (const [writer, head] of found.flat()) heads.set(writer, head);
    return heads;
  }

  /** A writer's entries, the newest first. @throws TransientError, DeadlineError */
  entries(writer: string, context: RetryContext): AsyncIterable<LedgerEntry> {
    return newestFirst(this.#ledger, writer, context);
  }

  /** Reads the entries after a head that lost against another try, and adds them. @throws TransientError */
  async catchUp(writer: string, head: Head, context: RetryContext): Promise<void> {
    const nowMs = context.clock.now();
    for (const entry of await this.#after(writer, head.n, context)) head.apply(entry);
    head.freshMs = nowMs;
  }

  #usable(request: HeadRequest, nowMs: number): boolean {
    const head = this.#heads.get(request.writer);
    if (head === undefined) return false;
    const young = nowMs - head.freshMs < entryLifeMs(this.#settings) / 2;
    return young && head.coveredFromMs <= request.minArrivalMs - this.#settings.horizonMs;
  }

  /** One read serves all warm writers: is there an entry after the last known one? */
  async #refresh(
    warm: readonly HeadRequest[],
    context: RetryContext,
  ): Promise<readonly (readonly [string, Head | Error])[]> {
    const nowMs = context.clock.now();
    const known = warm.flatMap(({ writer }) => {
      const head = this.#heads.get(writer);
      return head === undefined
        ? []
        : [{ writer, head, pk: ledgerKey(writer), sk: entryKey(head.n + 1) }];
    });
    const results = await retryFailed(context, known, (keys) =>
      this.#ledger.get(
        keys.map(({ pk, sk }) => ({ pk, sk })),
        context,
      ),
    );
    return Promise.all(
      known.map(async ({ writer, head }, index) => {
        const result = results[index];
        if (result?.status !== 'read') return [writer, unanswered(writer, result?.error)] as const;
        const done = result.item === undefined ? undefined : this.catchUp(writer, head, context);
        head.freshMs = nowMs;
        return [
          writer,
          await settle(Promise.resolve(done).then(() => this.#keep(writer, head))),
        ] as const;
      }),
    );
  }

  async #load(request: HeadRequest, context: RetryContext): Promise<Head> {
    const head = await this.#loadChain(request.writer, request.minArrivalMs, context);
    for (const ancestor of await request.ancestors(context)) {
      head.inherit(await this.#loadChain(ancestor, request.minArrivalMs, context));
    }
    return this.#keep(request.writer, head);
  }

  /** The chain back to the first entry whose ids can't matter any more. */
  async #loadChain(writer: string, minArrivalMs: number, context: RetryContext): Promise<Head> {
    const head = new Head(context.clock.now());
    const entries: LedgerEntry[] = [];
    const neededMs = minArrivalMs - this.#settings.horizonMs - SLACK_MS;
    for await (const entry of newestFirst(this.#ledger, writer, context)) {
      const newer = entries.at(-1);
      if (newer !== undefined && entry.highArrivalMs < neededMs) {
        head.coveredFromMs = neededMs;
        break;
      }
      entries.push(entry);
    }
    for (const entry of untilGap(entries, head.freshMs).reverse()) head.apply(entry);
    return head;
  }

  async #after(writer: string, n: number, context: RetryContext): Promise<readonly LedgerEntry[]> {
    const entries: LedgerEntry[] = [];
    let after: string | undefined = n === 0 ? BEFORE_ENTRIES : entryKey(n);
    while (after !== undefined) {
      const page = await this.#page({ pk: ledgerKey(writer), after }, context);
      entries.push(...page.items.filter((item) => item.sk.startsWith(ENTRIES)).map(decodeEntry));
      after = page.next;
    }
    return entries;
  }

  #page(query: Parameters<Table['query']>[0], context: RetryContext): ReturnType<Table['query']> {
    return retryCall(context, () => this.#ledger.query({ ...query, limit: 100 }, context));
  }

  #keep(writer: string, head: Head): Head {
    this.#heads.delete(writer);
    this.#heads.set(writer, head);
    const [oldest] = this.#heads.keys();
    if (this.#heads.size > HEADS_MAX && oldest !== undefined) this.#heads.delete(oldest);
    return head;
  }
}

/**
 * The newest entries without a gap, newest first. DynamoDB deletes expired items in no order: what stands
 * below a gap and has expired itself is as good as deleted. Below any other gap nothing is left out, and
 * `Head.apply` refuses the chain.
 */
function untilGap(entries: readonly LedgerEntry[], nowMs: number): LedgerEntry[] {
  const gap = entries.findIndex(({ n }, index) => index > 0 && entries[index - 1]?.n !== n + 1);
  const below = entries[gap];
  const isExpired = below !== undefined && below.ttlSeconds * 1000 <= nowMs;
  return isExpired ? entries.slice(0, gap) : [...entries];
}

function unanswered(writer: string, cause: unknown): TransientError {
  return new TransientError(`ledger of ${writer}: no answer; its records come again`, {
    cause,
    fields: { writer },
  });
}
