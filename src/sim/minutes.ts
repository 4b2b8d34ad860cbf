import type { MinuteLoad } from '../core/scaling.ts';

const MINUTE_MS = 60_000;

/** What came to a stream in each minute, as CloudWatch tells of it. */
export class Minutes {
  readonly #minutes = new Map<number, MinuteLoad>();

  /** In their order; minutes without records are left out. */
  get all(): readonly MinuteLoad[] {
    return [...this.#minutes.values()];
  }

  /** Notes a record that was taken, or refused because its shard was full. */
  note(bytes: number, taken: boolean, nowMs: number): void {
    const startMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    const before = this.#minutes.get(startMs) ?? { startMs, records: 0, bytes: 0, throttled: 0 };
    const after = taken
      ? { ...before, records: before.records + 1, bytes: before.bytes + bytes }
      : { ...before, throttled: before.throttled + 1 };
    this.#minutes.set(startMs, after);
  }
}
