import type { Clock } from '../ports/clock.ts';

/** `background`: the end of everything does not wait for it, such as for the next hour's run of a schedule. */
export type SleepKind = 'foreground' | 'background';

interface Sleeper {
  readonly atMs: number;
  readonly kind: SleepKind;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * Virtual time: it moves only when it is told to. Sleepers wake in the order of their time, and those
 * of one time in the order in which they lay down. A heap, because a schedule has thousands of them.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  #foreground = 0;
  readonly #heap: Sleeper[] = [];

  /** @param startMs milliseconds since 1970 UTC */
  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, kind: SleepKind = 'foreground'): Promise<void> {
    return new Promise((resolve) => this.at(this.#nowMs + ms, resolve, kind));
  }

  /** Calls at a time; one that has passed is called with the next move. */
  at(atMs: number, wake: () => void, kind: SleepKind = 'foreground'): void {
    this.#order += 1;
    if (kind === 'foreground') this.#foreground += 1;
    this.#heap.push({ atMs, kind, order: this.#order, wake });
    this.#up(this.#heap.length - 1);
  }

  /** When the next sleeper wakes, or undefined when nobody sleeps. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  /** True when somebody sleeps whom the end has to wait for. */
  get isBusy(): boolean {
    return this.#foreground > 0;
  }

  /** Moves to a time, never back, and wakes whoever is due then. */
  moveTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.atMs > this.#nowMs) return;
      this.#removeFirst();
      if (first.kind === 'foreground') this.#foreground -= 1;
      first.wake();
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(start: number): void {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(start: number): void {
    for (let at = start; ; ) {
      const left = 2 * at + 1;
      const least = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(least, at)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return false;
    return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
  }

  #swap(left: number, right: number): void {
    const [one, other] = [this.#heap[left], this.#heap[right]];
    if (one === undefined || other === undefined) return;
    this.#heap[left] = other;
    this.#heap[right] = one;
  }
}
