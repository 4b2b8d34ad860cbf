import { InvariantError } from '../core/errors.ts';
import type { Hash64 } from '../core/hash.ts';
import { type FoldedId, IdTable } from '../core/id-table.ts';
import type { WriterState } from '../core/identify.ts';
import type { LedgerEntry } from '../core/ledger.ts';
import { comparePositions, type Position } from '../core/position.ts';

/** Ids are pruned when there are this many times more than at the last pruning. */
const PRUNE_GROWTH = 2;
const PRUNE_SIZE_MIN = 4096;

/** Kept beyond the horizon, so that arrivals that step back a little need no reload; milliseconds. */
export const SLACK_MS = 300_000;

/**
 * What a writer's chain of ledger entries adds up to.
 *
 * Invariants
 * 1. `n`, `position`, `watermarkMs` and `highArrivalMs` never fall. Held by `apply`.
 * 2. Every id of the chain that arrived at or after `coveredFromMs` is in `ids`.
 */
export class Head implements WriterState {
  n = 0;
  position: Position | undefined;
  watermarkMs: number | undefined;
  highArrivalMs = 0;
  closedThroughMs: number | undefined;
  /** Fingerprint of the newest entry; undefined while no version has decided anything. */
  fingerprint: string | undefined;
  coveredFromMs: number;
  /** When the ledger last told that nothing is newer; milliseconds since 1970 UTC. */
  freshMs: number;
  readonly #ids = new IdTable();
  #sizeAtPrune = PRUNE_SIZE_MIN;

  constructor(nowMs: number) {
    this.freshMs = nowMs;
    this.coveredFromMs = Number.NEGATIVE_INFINITY;
  }

  find(id: Hash64): FoldedId | undefined {
    return this.#ids.find(id);
  }

  covers(_id: Hash64, sinceMs: number): boolean {
    return sinceMs >= this.coveredFromMs;
  }

  /** Number of ids remembered. */
  get size(): number {
    return this.#ids.size;
  }

  /** Adds the next entry of the chain; entries that are known already change nothing. */
  apply(entry: LedgerEntry): void {
    if (entry.n <= this.n) return;
    if (this.n > 0 && entry.n !== this.n + 1) {
      throw new InvariantError(
        `ledger of ${entry.writer}: got entry ${entry.n} after ${this.n}, expected ${this.n + 1}; entries are missing`,
        { fields: { writer: entry.writer, n: entry.n, after: this.n } },
      );
    }
    this.#checkForward(entry);
    this.n = entry.n;
    this.position = entry.position;
    this.watermarkMs = entry.watermarkMs;
    this.highArrivalMs = entry.highArrivalMs;
    this.closedThroughMs = entry.closedThroughMs;
    this.fingerprint = entry.fingerprint === '' ? undefined : entry.fingerprint;
    for (const id of entry.ids) this.#ids.add(id);
  }

  /** Takes over ids and watermark of an ancestor shard's writer. */
  inherit(ancestor: Head): void {
    for (const id of ancestor.#ids.entries()) this.#ids.add(id);
    if (this.n === 0 && ancestor.highArrivalMs >= this.highArrivalMs) {
      this.fingerprint = ancestor.fingerprint ?? this.fingerprint;
    }
    this.highArrivalMs = Math.max(this.highArrivalMs, ancestor.highArrivalMs);
    this.coveredFromMs = Math.max(this.coveredFromMs, ancestor.coveredFromMs);
    if (ancestor.watermarkMs === undefined) return;
    this.watermarkMs = Math.max(this.watermarkMs ?? ancestor.watermarkMs, ancestor.watermarkMs);
  }

  /** Forgets ids that are far beyond the horizon, now and then. */
  prune(horizonMs: number): void {
    if (this.#ids.size < this.#sizeAtPrune * PRUNE_GROWTH) return;
    const beforeMs = this.highArrivalMs - horizonMs - SLACK_MS;
    this.#ids.prune(beforeMs);
    this.coveredFromMs = Math.max(this.coveredFromMs, beforeMs);
    this.#sizeAtPrune = Math.max(PRUNE_SIZE_MIN, this.#ids.size);
  }

  #checkForward(entry: LedgerEntry): void {
    const back =
      this.position !== undefined &&
      (entry.position === undefined || comparePositions(entry.position, this.position) < 0);
    if (
      !back &&
      entry.highArrivalMs >= this.highArrivalMs &&
      (this.watermarkMs === undefined ||
        (entry.watermarkMs ?? Number.NEGATIVE_INFINITY) >= this.watermarkMs)
    )
      return;
    throw new InvariantError(
      `ledger of ${entry.writer}: entry ${entry.n} goes back behind entry ${this.n}`,
      {
        fields: { writer: entry.writer, n: entry.n },
      },
    );
  }
}
