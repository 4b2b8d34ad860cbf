import type { Hash64 } from '../core/hash.ts';
import { type FoldedId, IdTable } from '../core/id-table.ts';
import type { UnknownId, WriterState } from '../core/identify.ts';
import type { LedgerEntry } from '../core/ledger.ts';

/**
 * A writer's head, and besides what became of some ids before the head's coverage: the ids of events
 * that were made long before they came.
 *
 * Invariant: only the ids that were asked for are remembered, whatever the entries hold; so memory follows
 * from the batch, and not from how long ago its events were made.
 */
export class OlderIds implements WriterState {
  readonly #head: WriterState;
  readonly #found = new IdTable();
  /** From when on each id was looked for, milliseconds since 1970 UTC. */
  readonly #soughtMs = new Map<string, number>();

  constructor(head: WriterState) {
    this.#head = head;
  }

  get watermarkMs(): number | undefined {
    return this.#head.watermarkMs;
  }

  find(id: Hash64): FoldedId | undefined {
    return this.#head.find(id) ?? this.#found.find(id);
  }

  covers(id: Hash64, sinceMs: number): boolean {
    if (this.#head.covers(id, sinceMs)) return true;
    const soughtMs = this.#soughtMs.get(nameOf(id));
    return soughtMs !== undefined && soughtMs <= sinceMs;
  }

  /** Looks for ids in entries, the newest first, and ends where none of them can be any more. */
  async seek(unknown: readonly UnknownId[], entries: AsyncIterable<LedgerEntry>): Promise<void> {
    const sought = new IdTable();
    for (const { id } of unknown) sought.add({ ...id, check: 0, arrivalMs: 1 });
    const sinceMs = unknown.reduce((least, one) => Math.min(least, one.sinceMs), Infinity);
    for await (const entry of entries) {
      if (entry.highArrivalMs < sinceMs) break;
      for (const id of entry.ids) if (sought.find(id) !== undefined) this.#found.add(id);
    }
    for (const { id } of unknown) this.#soughtMs.set(nameOf(id), sinceMs);
  }
}

function nameOf({ high, low }: Hash64): string {
  return `${high}:${low}`;
}
