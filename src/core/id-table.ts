import type { Hash64 } from './hash.ts';

/** What is remembered of an id that was folded. */
export interface FoldedId extends Hash64 {
  /** 24 bits over the event's bytes: tells a repeat from another event under the same id. */
  readonly check: number;
  /** Arrival of the folded record, milliseconds since 1970 UTC; more than 0. */
  readonly arrivalMs: number;
}

/** So that what a usual batch holds, up to a thousand ids, fits without growing. */
const CAPACITY_MIN = 2048;

/**
 * The ids that a writer folded within the horizon: a hash table with open addressing in typed arrays
 * (about 40 bytes an id), because a million small objects would cost several times that and a
 * collector's pauses.
 *
 * Invariants
 * 1. A slot is empty exactly when its arrival is 0.
 * 2. At most half of the slots are taken, so that a search ends.
 * 3. An id stands once, with its latest arrival.
 */
export class IdTable {
  #high = new Uint32Array(CAPACITY_MIN);
  #low = new Uint32Array(CAPACITY_MIN);
  #check = new Uint32Array(CAPACITY_MIN);
  #arrival = new Float64Array(CAPACITY_MIN);
  #size = 0;

  /** Number of ids. */
  get size(): number {
    return this.#size;
  }

  /** What was folded under this id, or undefined. */
  find(id: Hash64): FoldedId | undefined {
    const slot = this.#slotOf(id);
    const arrivalMs = this.#arrival[slot] ?? 0;
    if (arrivalMs === 0) return undefined;
    return this.#at(slot, arrivalMs);
  }

  /** Remembers an id; of two arrivals the later one stays. */
  add(id: FoldedId): void {
    if (!(id.arrivalMs > 0))
      throw new RangeError(`arrival: got ${id.arrivalMs}, expected more than 0`);
    if ((this.#size + 1) * 2 > this.#arrival.length) this.#rebuild(this.#arrival.length * 2, 0);
    const slot = this.#slotOf(id);
    const before = this.#arrival[slot] ?? 0;
    if (before === 0) this.#size += 1;
    if (before >= id.arrivalMs) return;
    this.#high[slot] = id.high;
    this.#low[slot] = id.low;
    this.#check[slot] = id.check;
    this.#arrival[slot] = id.arrivalMs;
  }

  /** Every id, in no order. */
  *entries(): Generator<FoldedId> {
    for (const [slot, arrivalMs] of this.#arrival.entries()) {
      if (arrivalMs !== 0) yield this.#at(slot, arrivalMs);
    }
  }

  /** Forgets the ids that arrived before the given time, and gives their memory back. */
  prune(beforeMs: number): void {
    let kept = 0;
    for (const arrivalMs of this.#arrival) if (arrivalMs !== 0 && arrivalMs >= beforeMs) kept += 1;
    if (kept === this.#size) return;
    let capacity = CAPACITY_MIN;
    while (capacity < (kept + 1) * 2) capacity *= 2;
    this.#rebuild(capacity, beforeMs);
  }

  #slotOf(id: Hash64): number {
    const mask = this.#arrival.length - 1;
    let slot = id.low & mask;
    while (this.#arrival[slot] !== 0) {
      if (this.#low[slot] === id.low && this.#high[slot] === id.high) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #rebuild(capacity: number, beforeMs: number): void {
    const [high, low, check, arrival] = [this.#high, this.#low, this.#check, this.#arrival];
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#check = new Uint32Array(capacity);
    this.#arrival = new Float64Array(capacity);
    this.#size = 0;
    for (const [slot, arrivalMs] of arrival.entries()) {
      if (arrivalMs === 0 || arrivalMs < beforeMs) continue;
      this.add({ high: high[slot] ?? 0, low: low[slot] ?? 0, check: check[slot] ?? 0, arrivalMs });
    }
  }

  #at(slot: number, arrivalMs: number): FoldedId {
    const [high, low, check] = [this.#high[slot], this.#low[slot], this.#check[slot]];
    return { high: high ?? 0, low: low ?? 0, check: check ?? 0, arrivalMs };
  }
}
