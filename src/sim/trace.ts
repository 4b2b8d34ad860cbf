/** Where something happened, for the picture: a lane each. */
export interface TracePlaces {
  readonly shards?: readonly string[];
  readonly writers?: readonly string[];
  readonly cells?: readonly string[];
}

/** Something that happened. */
export interface TraceEntry {
  readonly nowMs: number;
  /** Who: `stream`, `producer`, `mapping`, `keeper`, or a container such as `c3`. */
  readonly actor: string;
  readonly text: string;
  readonly places: TracePlaces;
}

/** Entries that are kept when not all are. */
const ENTRIES_KEPT = 200;
const NOWHERE: TracePlaces = {};

/**
 * What happened in a simulation, with a hash over all of it: two multiplicative hashes of 32 bits
 * (FNV-1a, and the same with another prime), cheap because everything goes through them.
 */
export class Trace {
  readonly #keepAll: boolean;
  #high = 0x811c9dc5;
  #low = 0x9747b28c;
  readonly #entries: TraceEntry[] = [];

  /** @param keepAll keep every entry, not only the last ones */
  constructor(keepAll = false) {
    this.#keepAll = keepAll;
  }

  /**
   * Adds an entry; nothing in it may depend on anything but the seed.
   *
   * @param places told where the whole trace is kept
   */
  add(nowMs: number, actor: string, text: string, places?: () => TracePlaces): void {
    this.#absorb(`${nowMs} ${actor} ${text}`);
    const where = this.#keepAll ? (places?.() ?? NOWHERE) : NOWHERE;
    this.#entries.push({ nowMs, actor, text, places: where });
    if (!this.#keepAll && this.#entries.length > 2 * ENTRIES_KEPT) {
      this.#entries.splice(0, ENTRIES_KEPT);
    }
  }

  /** Sixteen hexadecimal digits; equal for equal runs. */
  get hash(): string {
    return [this.#high, this.#low].map((half) => half.toString(16).padStart(8, '0')).join('');
  }

  /** All entries, or the last ones. */
  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  #absorb(line: string): void {
    let high = this.#high;
    let low = this.#low;
    for (let at = 0; at < line.length; at += 1) {
      const unit = line.charCodeAt(at);
      high = Math.imul(high ^ unit, 0x01000193);
      low = Math.imul(low ^ unit, 0x85ebca6b);
    }
    this.#high = (high ^ line.length) >>> 0;
    this.#low = (low ^ (low >>> 15)) >>> 0;
  }
}
