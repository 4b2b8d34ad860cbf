import { decodeEntry, ENTRIES, entryKey, ledgerKey } from '../../core/ledger.ts';
import { comparePositions, type Position } from '../../core/position.ts';
import { newestEntry } from '../../handlers/ledger-tails.ts';
import type { Table } from '../../ports/table.ts';
import { lookContext } from './look-context.ts';

/** An event that the stream took. */
export interface SentEvent {
  readonly writer: string;
  readonly position: Position;
  /** When it had to be sent, milliseconds since 1970 UTC. */
  readonly dueMs: number;
}

/** Entries of a writer that are remembered, for events whose acknowledgement came after their result. */
const ENTRIES_MAX = 1_000;

interface Watched {
  /** Number of the newest entry that was read. */
  n: number;
  /** The entries since the start, as far as they are remembered. */
  readonly passed: { readonly position: Position; readonly writtenMs: number }[];
  waiting: SentEvent[];
}

/**
 * Tells when the results of events are stored: a ledger entry at or behind an event's position exists only
 * when everything up to it is durable, and says when it was written. So nothing in the functions has to be
 * changed for it, and how often one looks does not matter.
 */
export class ResultsWatch {
  readonly #ledger: Table;
  readonly #onStored: (event: SentEvent, storedMs: number) => void;
  readonly #writers = new Map<string, Watched>();

  constructor(ledger: Table, onStored: (event: SentEvent, storedMs: number) => void) {
    this.#ledger = ledger;
    this.#onStored = onStored;
  }

  /** Events that wait for their results. */
  get waiting(): number {
    return [...this.#writers.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  /** Notes where a writer stands, before its first event is sent. */
  async begin(writer: string): Promise<void> {
    const newest = await newestEntry(this.#ledger, writer, lookContext());
    this.#writers.set(writer, { n: newest?.n ?? 0, passed: [], waiting: [] });
  }

  add(event: SentEvent): void {
    const watched = this.#writers.get(event.writer) ?? { n: 0, passed: [], waiting: [] };
    this.#writers.set(event.writer, watched);
    watched.waiting.push(event);
  }

  /** Stops waiting: what is stored from now on counts nowhere. */
  forget(): void {
    for (const watched of this.#writers.values()) watched.waiting = [];
  }

  /** Reads what has been written since, and tells what is stored. */
  async look(): Promise<void> {
    const busy = [...this.#writers].filter(([, { waiting }]) => waiting.length > 0);
    await Promise.all(busy.map(([writer, watched]) => this.#lookAt(writer, watched)));
  }

  async #lookAt(writer: string, watched: Watched): Promise<void> {
    let after: string | undefined = entryKey(watched.n);
    while (after !== undefined) {
      const query = { pk: ledgerKey(writer), after, limit: 1_000 };
      const page = await this.#ledger.query(query, lookContext());
      for (const item of page.items.filter(({ sk }) => sk.startsWith(ENTRIES))) {
        const { n, position, writtenMs } = decodeEntry(item);
        watched.n = n;
        if (position !== undefined) watched.passed.push({ position, writtenMs });
      }
      after = page.next;
    }
    watched.passed.splice(0, watched.passed.length - ENTRIES_MAX);
    watched.waiting = watched.waiting.filter((event) => {
      const entry = watched.passed.find(
        ({ position }) => comparePositions(position, event.position) >= 0,
      );
      if (entry === undefined) return true;
      this.#onStored(event, entry.writtenMs);
      return false;
    });
  }
}
