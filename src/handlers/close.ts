import { zstdCompressSync } from 'node:zlib';
import {
  CLOSING_FORMAT,
  changedRows,
  closedThroughKey,
  decodeRequest,
  encodeRequest,
  encodeRevision,
  finalAt,
  isFinal,
  REVISION_REQUESTS,
  type Revision,
  type RevisionRequest,
  windowEvents,
  windowStart,
} from '../core/closing.ts';
import { numberIn } from '../core/item.ts';
import type { Aggregate, Program } from '../core/program.ts';
import { mergePages, type WindowRow } from '../core/read.ts';
import type { Publisher } from '../ports/publisher.ts';
import type { Item, ReadResult, Table } from '../ports/table.ts';
import { closeFrontier, type Frontier } from './close-frontier.ts';
import { registeredWriters } from './ledger-tails.ts';
import { cellTtlSeconds } from './lifetimes.ts';
import { liveGeneration } from './live-generation.ts';
import type { Invocation, KeepPorts } from './ports.ts';
import { readAll } from './read-all.ts';
import { readBlocks, readWindowPages } from './read-pages.ts';
import { readRevisions } from './read-revisions.ts';
import { type RetryContext, retryFailed } from './retry.ts';

/**
 * Closes windows: finds those that no writer can change any more, stores their results as a revision,
 * and publishes it; and looks again at closed windows that a late fold touched.
 *
 * Invariants
 * 1. A window is looked at only after every writer of the stream has passed it, or was told, by a marker in
 *    its ledger, that it isn't waited for (close-frontier.ts). What such a writer folds later comes with a
 *    request.
 * 2. A revision is stored, if absent, before it is published, and marked after that: each is published with
 *    the same ids and content in every try, and at least once.
 * 3. The rows of a revision are read after the revisions before it, and it is stored only where no other one of its
 *    number is: so each is at least as new as those before it, however slow the run.
 * 4. How far an aggregate is closed moves only when every window up to there is published; a request is
 *    done only when its window's newest revision is.
 */

/** What the closer needs of the world. */
export interface ClosePorts extends KeepPorts {
  readonly aggregates: Table;
  readonly publisher: Publisher;
  /** Which generation it closes, and the ledger table that says which one is live; default: the only one. */
  readonly generation?: { readonly name: string; readonly pointer: Table };
}

/** What a run of the closer did. */
export interface CloseReport {
  /** Windows of which a revision was published. */
  windows: number;
  /** Rows that were published, corrections included. */
  rows: number;
  /** Of them, rows that correct or withdraw an earlier one. */
  corrections: number;
  /** Writers that were not waited for any longer. */
  forced: number;
  /** From the end of a window to its first publication, of the slowest one, milliseconds; undefined: none. */
  delayMs: number | undefined;
  /** Watermark up to which every window is closed, milliseconds since 1970 UTC; undefined: none yet. */
  throughMs: number | undefined;
}

/** Closes what can be closed. */
export type Close = (invocation: Invocation) => Promise<CloseReport>;

/** Requests that one run takes up. */
const REQUESTS_MAX = 200;

/**
 * Makes the function that closes windows, to be run on a schedule: also when no event arrives.
 *
 * @throws TransientError when a service doesn't answer; the next run goes on
 */
export function makeClose(ports: ClosePorts, program: Program): Close {
  return async (invocation) => {
    const closer = new Closer(ports, program, {
      clock: ports.clock,
      random: ports.random,
      deadlineMs: invocation.deadlineMs - 500,
    });
    return closer.run();
  };
}

/** A window, and the watermark up to which it is closed. */
interface ClosedWindow {
  readonly aggregate: Aggregate;
  readonly windowMs: number;
  readonly throughMs: number;
}

class Closer {
  readonly #ports: ClosePorts;
  readonly #program: Program;
  readonly #context: RetryContext;
  readonly #report: CloseReport = {
    windows: 0,
    rows: 0,
    corrections: 0,
    forced: 0,
    delayMs: undefined,
    throughMs: undefined,
  };

  constructor(ports: ClosePorts, program: Program, context: RetryContext) {
    this.#ports = ports;
    this.#program = program;
    this.#context = context;
  }

  async run(): Promise<CloseReport> {
    const closing = this.#program.aggregates.filter(({ closes }) => closes);
    if (closing.length === 0 || !(await this.#isLive())) return this.#report;
    const frontier = await closeFrontier(this.#ports, this.#program, this.#context);
    this.#report.forced = frontier.forced;
    this.#report.throughMs = frontier.throughMs;
    await this.#answerRequests(closing, frontier);
    if (frontier.throughMs === undefined) return this.#report;
    for (const aggregate of closing) {
      await this.#closeThrough(aggregate, frontier, frontier.throughMs);
    }
    return this.#report;
  }

  /** Of the generations only the live one is published. */
  async #isLive(): Promise<boolean> {
    const { generation } = this.#ports;
    if (generation === undefined) return true;
    const { live } = await liveGeneration(generation.pointer, this.#context);
    return live === generation.name;
  }

  /** Closes every window that became final since the last run, block after block. */
  async #closeThrough(aggregate: Aggregate, frontier: Frontier, throughMs: number): Promise<void> {
    const key = closedThroughKey(aggregate.name);
    const before = await this.#stored(key);
    const fromMs = before === undefined ? undefined : numberIn(before, 't');
    if (fromMs !== undefined && fromMs >= throughMs) return;
    const range = { writers: frontier.writers, fromMs, throughMs };
    const { aggregates: table } = this.#ports;
    for await (const pages of readBlocks({ table, aggregate, range }, this.#context)) {
      const rows = mergePages(aggregate, pages).filter((row) => isFinal(aggregate, row, throughMs));
      for (const [windowMs, some] of Map.groupBy(rows, (row) => windowStart(aggregate, row))) {
        const fresh = some.some((row) => fromMs === undefined || finalAt(aggregate, row) > fromMs);
        const window = { aggregate, windowMs, throughMs };
        if (fresh && !(await this.#revise(window, some))) return;
      }
    }
    const item = { ...key, v: CLOSING_FORMAT, t: throughMs };
    const condition =
      before === undefined
        ? ({ type: 'absent' } as const)
        : ({ type: 'equals', attribute: 't', value: numberIn(before, 't') } as const);
    // Lost against another closer: it was as far, or the next run is.
    await retryFailed(this.#context, [{ item, condition }], (writes) =>
      table.putIf(writes, this.#context),
    );
  }

  /** Windows that were touched after they were closed, or may have been. */
  async #answerRequests(closing: readonly Aggregate[], frontier: Frontier): Promise<void> {
    const { aggregates: table } = this.#ports;
    const items = await readAll(table, { pk: REVISION_REQUESTS }, this.#context);
    const open = items.flatMap((item) => {
      const request = decodeRequest(item);
      // Of a writer that was registered after the list was read: its cells would be missing.
      const known = request !== undefined && frontier.writers.includes(request.writer);
      return known ? [{ item, request }] : [];
    });
    for (const { item, request } of open.slice(0, REQUESTS_MAX)) {
      const aggregate = closing.find(({ name }) => name === request.aggregate);
      if (aggregate !== undefined && !(await this.#lookAgain(aggregate, request))) continue;
      const done = encodeRequest(request, 'done', numberIn(item, 'ttl'));
      // A newer request of the same writer has another position: then it stays open.
      const condition = { type: 'equals', attribute: 'p', value: request.position } as const;
      await retryFailed(this.#context, [{ item: done, condition }], (writes) =>
        table.putIf(writes, this.#context),
      );
    }
  }

  async #lookAgain(aggregate: Aggregate, { windowMs }: RevisionRequest): Promise<boolean> {
    const stored = await this.#stored(closedThroughKey(aggregate.name));
    const throughMs = stored === undefined ? Number.NEGATIVE_INFINITY : numberIn(stored, 't');
    const endMs = aggregate.assign(windowMs).find(({ startMs }) => startMs === windowMs)?.endMs;
    // Another run may be closing it now, without the fold: the request stays until it has.
    const closed = finalAt(aggregate, { endMs: endMs ?? windowMs }) <= throughMs;
    if (!closed && aggregate.type !== 'session') return false;
    return (await this.#revise({ aggregate, windowMs, throughMs })) && closed;
  }

  /**
   * Brings a window's revisions up to its rows; false when another closer was at it, or didn't answer.
   *
   * @param first its rows as they were read before: they count where no revision is stored yet
   */
  async #revise(window: ClosedWindow, first?: readonly WindowRow[]): Promise<boolean> {
    const { aggregate, windowMs } = window;
    const source = { table: this.#ports.aggregates, aggregate, windowMs };
    const revisions = await readRevisions(source, this.#context);
    const unpublished = revisions.find(({ published }) => !published);
    if (unpublished !== undefined) await this.#publish(aggregate, windowMs, unpublished);
    const isFirst = revisions.length === 0 && first !== undefined;
    const changed = changedRows(isFirst ? first : await this.#rowsOf(window, revisions), revisions);
    if (changed.length === 0) return true;
    const revision = { number: revisions.length + 1, published: false, rows: changed };
    if (!(await this.#store(aggregate, windowMs, revision))) return false;
    await this.#publish(aggregate, windowMs, revision);
    return true;
  }

  /**
   * The final rows of a window, at least as new as these revisions: writers and cells are read after them, and
   * what was published was final. Else a slow run would take back what a quicker one has told.
   */
  async #rowsOf(
    { aggregate, windowMs, throughMs }: ClosedWindow,
    revisions: readonly Revision[],
  ): Promise<readonly WindowRow[]> {
    const { aggregates: table, ledger } = this.#ports;
    const writers = (await registeredWriters(ledger, this.#context)).map(({ writer }) => writer);
    const pages = await readWindowPages({ table, aggregate, writers, windowMs }, this.#context);
    const told = revisions.flatMap(({ rows }) => rows).filter((row) => row.columns !== undefined);
    const finalMs = told.reduce((most, row) => Math.max(most, finalAt(aggregate, row)), throughMs);
    return mergePages(aggregate, pages, (startMs) => startMs === windowMs).filter((row) =>
      isFinal(aggregate, row, finalMs),
    );
  }

  /** True when the revision is the stored one; parts first, then the header that makes it exist. */
  async #store(aggregate: Aggregate, windowMs: number, revision: Revision): Promise<boolean> {
    const table = this.#ports.aggregates;
    const { header, parts } = this.#encode(aggregate, windowMs, revision);
    const written = await retryFailed(this.#context, parts, (open) =>
      table.putAll(open, this.#context),
    );
    raiseFailed(written);
    const write = { item: header, condition: { type: 'absent' } } as const;
    const results = await retryFailed(this.#context, [write], (writes) =>
      table.putIf(writes, this.#context),
    );
    raiseFailed(results);
    if (results[0]?.status === 'written') return true;
    // The answer of an earlier try of this very write may have been lost.
    const stored = await this.#stored({ pk: header.pk, sk: header.sk });
    return stored?.k === header.k;
  }

  async #publish(aggregate: Aggregate, windowMs: number, revision: Revision): Promise<void> {
    const { name } = this.#ports.generation ?? {};
    const named = name === undefined ? revision : { ...revision, generation: name };
    const events = windowEvents(aggregate, windowMs, named);
    const results = await retryFailed(this.#context, events, (open) =>
      this.#ports.publisher.publish(open, this.#context),
    );
    raiseFailed(results);
    const { header } = this.#encode(aggregate, windowMs, { ...revision, published: true });
    const condition = { type: 'equals', attribute: 's', value: 'closing' } as const;
    const marked = await retryFailed(this.#context, [{ item: header, condition }], (writes) =>
      this.#ports.aggregates.putIf(writes, this.#context),
    );
    raiseFailed(marked);
    this.#measureDelay(revision);
    this.#report.windows += 1;
    this.#report.rows += revision.rows.length;
    this.#report.corrections += revision.rows.filter(({ replaces }) => replaces > 0).length;
  }

  #measureDelay({ number, rows }: Revision): void {
    if (number > 1) return;
    const endMs = rows.reduce(
      (latest, row) => Math.max(latest, row.endMs),
      Number.NEGATIVE_INFINITY,
    );
    const delayMs = this.#context.clock.now() - endMs;
    this.#report.delayMs = Math.max(delayMs, this.#report.delayMs ?? delayMs);
  }

  #encode(aggregate: Aggregate, windowMs: number, revision: Revision) {
    const [span] = aggregate.assign(windowMs);
    const times = { endMs: span?.endMs ?? windowMs, nowMs: this.#context.clock.now() };
    const ttlSeconds = cellTtlSeconds(this.#program.settings, aggregate, times);
    const place = { aggregate: aggregate.name, windowMs, ttlSeconds };
    return encodeRevision(place, revision, (bytes) => new Uint8Array(zstdCompressSync(bytes)));
  }

  async #stored(key: { readonly pk: string; readonly sk: string }): Promise<Item | undefined> {
    const [result] = await retryFailed<typeof key, ReadResult>(this.#context, [key], (keys) =>
      this.#ports.aggregates.get(keys, this.#context),
    );
    if (result?.status === 'read') return result.item;
    throw result?.error;
  }
}

function raiseFailed(results: readonly { readonly status: string; readonly error?: unknown }[]) {
  const failed = results.find(({ status }) => status === 'failed');
  if (failed !== undefined) throw failed.error;
}
