import type { Clock } from '../../ports/clock.ts';

/** A clock that moves only when it is told to. */
export interface ManualClock extends Clock {
  /** Moves time forward and wakes the sleepers whose time has come, in their order. */
  advance(ms: number): void;
  /** When the next sleeper wakes, or undefined when nobody sleeps. */
  nextWake(): number | undefined;
}

/** @param startMs milliseconds since 1970 UTC */
export function makeManualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  let sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  const wakeDue = () => {
    const due = sleepers.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
    sleepers = sleepers.filter(({ atMs }) => atMs > nowMs);
    for (const { wake } of due) wake();
  };
  return {
    now: () => nowMs,
    sleep: (ms) => new Promise((resolve) => sleepers.push({ atMs: nowMs + ms, wake: resolve })),
    advance: (ms) => {
      nowMs += ms;
      wakeDue();
    },
    nextWake: () =>
      sleepers.length === 0 ? undefined : Math.min(...sleepers.map(({ atMs }) => atMs)),
  };
}

/** A clock whose sleeps end at once, having moved the time. For tests with one actor. */
export function makeSkippingClock(startMs: number): Clock & { advance(ms: number): void } {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
}
