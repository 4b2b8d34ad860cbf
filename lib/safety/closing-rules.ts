import type { Rule } from './rules.ts';

/** How long beyond its lateness a closed window is kept at least: a closer that failed over a night. */
const DAY_MS = 86_400_000;

/** Tries of a batch that a writer may take before it counts as idle. */
const TRIES = 2;

/** Rules that hold where no window is closed. */
export const CLOSING_RULES: readonly Rule[] = [
  {
    rule: 'a writer that works on a batch does not count as idle',
    check: ({ environment: { consumer }, program: { settings } }) => {
      if (settings.closing === null) return undefined;
      const neededMs = (consumer.batchingWindowSeconds + TRIES * consumer.timeoutSeconds) * 1000;
      if (settings.closing.idleMs >= neededMs) return undefined;
      return `closing.idle of ${settings.closing.idleMs} ms with batchingWindowSeconds ${consumer.batchingWindowSeconds} and timeoutSeconds ${consumer.timeoutSeconds}`;
    },
    fix: 'lengthen closing.idle, or shorten the time-out or the window: else each slow batch corrects windows that were closed without it',
  },
  {
    rule: 'results outlive the closing of their windows',
    check: ({ program: { aggregates, settings } }) => {
      const { closing } = settings;
      if (closing === null) return undefined;
      const short = aggregates.find(
        ({ closes, retentionMs, latenessMs, gapMs }) =>
          closes && retentionMs < latenessMs + gapMs + closing.idleMs + DAY_MS,
      );
      return short === undefined
        ? undefined
        : `window ${short.name} kept ${short.retentionMs} ms with lateness of ${short.latenessMs} ms`;
    },
    fix: 'lengthen retention.windows (or the window’s retention) to the lateness, the gap of a session, closing.idle and a day: else what a window is published from may be gone before',
  },
];
