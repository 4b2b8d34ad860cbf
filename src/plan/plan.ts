import { type Alternative, alternativesOf } from './alternatives.ts';
import { MONTH_S } from './assumptions.ts';
import { costLines } from './cost.ts';
import { type CostLine, totalOf } from './cost-line.ts';
import { limitsOf } from './limits.ts';
import { type Month, monthOf } from './month.ts';
import type { Planned } from './planned.ts';
import type { Limit } from './setting-limits.ts';
import { type Level, peakOf } from './traffic.ts';
import { makeUsage } from './usage.ts';

/** The traffic that a plan is made for. */
export interface Traffic {
  /** Events a second on average, while there is traffic. */
  readonly rate: number;
  readonly levels: readonly Level[];
  /** Days of a month that have traffic; a month is 730 hours, 30.4 days. */
  readonly days: number;
}

/** What a deployment costs a month, and what it can take. */
export interface Plan {
  readonly planned: Planned;
  readonly month: Month;
  readonly lines: readonly CostLine[];
  /** Dollars a month. */
  readonly total: number;
  /** The lowest first. */
  readonly limits: readonly Limit[];
  readonly alternatives: readonly Alternative[];
}

/** True where the highest rate stays below every hard limit. */
export function holds({ limits, planned }: Plan): boolean {
  return limits.every(({ soft, rate }) => soft || rate >= planned.peak);
}

/** Plans some traffic. */
export async function makePlan(
  source: Omit<Planned, 'peak'>,
  { rate, levels, days }: Traffic,
): Promise<Plan> {
  const planned = { ...source, peak: rate * peakOf(levels) };
  const usageAt = makeUsage(planned);
  const active = (days * 86_400) / MONTH_S;
  const used = [];
  for (const { share, factor } of levels) {
    used.push({ usage: await usageAt(rate * factor), seconds: share * active * MONTH_S });
  }
  const month = monthOf(used);
  const lines = costLines(planned, month);
  return {
    planned,
    month,
    lines,
    total: totalOf(lines),
    limits: limitsOf(planned, month.peak),
    alternatives: alternativesOf(planned, month, lines),
  };
}
