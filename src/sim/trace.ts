import { hashKeyOf, sipHash } from '../core/hash.ts';

const KEY = hashKeyOf(new TextEncoder().encode('millrace trace 1'));
const utf8 = new TextEncoder();

/** Something that happened. */
export interface TraceEntry {
  readonly nowMs: number;
  /** Who: `stream`, `mapping`, or a container such as `c3`. */
  readonly actor: string;
  readonly text: string;
}

/** Entries that are kept when not all are. */
const ENTRIES_KEPT = 200;

/** What happened in a simulation, with a hash over all of it. */
export class Trace {
  readonly #keepAll: boolean;
  #high = 0;
  #low = 0;
  readonly #entries: TraceEntry[] = [];

  /** @param keepAll keep every entry, not only the last ones */
  constructor(keepAll = false) {
    this.#keepAll = keepAll;
  }

  /** Adds an entry; nothing in it may depend on anything but the seed. */
  add(nowMs: number, actor: string, text: string): void {
    const line = `${this.#high} ${this.#low} ${nowMs} ${actor} ${text}`;
    const { high, low } = sipHash(KEY, utf8.encode(line));
    this.#high = high;
    this.#low = low;
    this.#entries.push({ nowMs, actor, text });
    if (!this.#keepAll && this.#entries.length > ENTRIES_KEPT) this.#entries.shift();
  }

  /** Sixteen hexadecimal digits; equal for equal runs. */
  get hash(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }

  /** All entries, or the last ones. */
  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }
}
