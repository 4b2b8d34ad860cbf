import { MONTH_S } from './assumptions.ts';
import type { Usage } from './usage.ts';

/** What a month uses, over all rates of its traffic. */
export interface Month {
  /** Usage at each rate, and the seconds of a month that it lasts. */
  readonly levels: readonly { readonly usage: Usage; readonly seconds: number }[];
  /** The month's total of something that is used a second. */
  total(of: (usage: Usage) => number): number;
  /** The mean over the month, idle time included. */
  mean(of: (usage: Usage) => number): number;
  /** The highest rate. */
  readonly peak: Usage;
}

/** @throws RangeError where there is no level */
export function monthOf(levels: Month['levels']): Month {
  const [first] = levels;
  if (first === undefined) throw new RangeError('levels: got none, expected one at least');
  const total = (of: (usage: Usage) => number) =>
    levels.reduce((sum, { usage, seconds }) => sum + of(usage) * seconds, 0);
  const peak = levels.reduce(
    (most, { usage }) => (usage.rate > most.rate ? usage : most),
    first.usage,
  );
  return { levels, total, mean: (of) => total(of) / MONTH_S, peak };
}
