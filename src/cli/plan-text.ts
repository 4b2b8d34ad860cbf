import pc from 'picocolors';
import type { Alternative } from '../plan/alternatives.ts';
import { NOT_IN_IT } from '../plan/cost.ts';
import { type CostLine, short, totalOf } from '../plan/cost-line.ts';
import { holds, type Plan, type Traffic } from '../plan/plan.ts';
import { PRICE_LIST, PRICES } from '../plan/prices.ts';
import type { Settings } from '../plan/recommend.ts';
import type { Limit } from '../plan/setting-limits.ts';

/** What is shown of a plan. */
export interface ShownPlan {
  readonly plan: Plan;
  /** The plan with the settings as they are. */
  readonly present: Plan;
  readonly settings: Settings;
  readonly traffic: Traffic;
  readonly flags: { readonly profile: string; readonly env: string };
  /** True where real events were looked at. */
  readonly isMeasured: boolean;
}

/** Limits shown, and lines below which the rest is summed up, in parts of the whole. */
const LIMITS_SHOWN = 4;
const SMALL_SHARE = 0.002;

/** The plan as text: the bill, what gives first, other ways, settings. */
export function planText(shown: ShownPlan): string {
  const { plan, present, settings } = shown;
  return [
    ...headOf(shown),
    '',
    ...billOf(plan),
    '',
    pc.bold('What gives first'),
    ...limitLines(plan),
    '',
    pc.bold('What other ways cost a month'),
    ...plan.alternatives.map(alternativeLine),
    '',
    ...settingLines(settings, present),
    `Not in it: ${NOT_IN_IT}. Formulas and what they take as given: docs/PLAN.md.`,
  ].join('\n');
}

function headOf({ plan, traffic, flags, isMeasured }: ShownPlan): readonly string[] {
  const { program, sample } = plan.planned;
  const { month } = plan;
  const events = month.total(({ rate }) => rate);
  const million = (plan.total / events) * 1e6;
  const { peak } = month;
  return [
    pc.bold(
      `${program.name} at ${short(traffic.rate)} events/s, ${flags.profile}, ${flags.env}: ${money(plan.total)} a month, ${cents(million)} a million events`,
    ),
    `${short(sample.eventBytes)} bytes a record, ${short(sample.keys.size)} keys${isMeasured ? ', as in its feed' : ', as its definition says: it has no feed'}; us-east-1, list prices of ${PRICES.date}`,
    `At the peak of ${short(peak.rate)}/s: ${peak.shards} shards, ${program.settings.partitions} partitions, ${peak.lanes} lanes, batches of ${short(peak.batchEvents)} each ${short(peak.busiest.everyS)} s that take ${short(peak.busiest.takesS)} s, ${peak.containers} containers`,
  ];
}

function billOf({ lines, total }: Plan): readonly string[] {
  const shown = lines.filter(({ usd }) => usd >= total * SMALL_SHARE);
  const small = totalOf(lines) - totalOf(shown);
  const name = ({ service, what }: CostLine) => `${service}: ${what}`;
  const width = Math.max(...shown.map((line) => name(line).length));
  return [
    ...shown.map(
      (line) =>
        `${money(line.usd).padStart(12)} ${share(line.usd, total)}  ${name(line).padEnd(width)}  ${pc.dim(`${line.formula}; $${PRICE_LIST[line.price].usd} a ${PRICE_LIST[line.price].per}`)}`,
    ),
    `${money(small).padStart(12)} ${share(small, total)}  ${lines.length - shown.length} smaller lines (--json has all)`,
    pc.bold(`${money(total).padStart(12)}  100 %  a month of 730 hours`),
  ];
}

function limitLines(plan: Plan): readonly string[] {
  const { peak } = plan.planned;
  const state = holds(plan)
    ? `  The peak of ${short(peak)}/s fits.`
    : pc.red(`  The peak of ${short(peak)}/s does not fit.`);
  return [state, ...plan.limits.slice(0, LIMITS_SHOWN).flatMap(limitLine)];
}

function limitLine({ what, rate, fix, soft }: Limit): readonly string[] {
  return [
    `${`${short(rate)}/s`.padStart(12)}  ${what}${soft ? ' (a quota)' : ''}`,
    pc.dim(`${''.padStart(12)}  ${fix}`),
  ];
}

function alternativeLine({ name, formula, more, but }: Alternative): string {
  const sign = more < 0 ? '-' : '+';
  return `${`${sign}${money(Math.abs(more))}`.padStart(12)}  ${name}: ${but}\n${pc.dim(`${''.padStart(12)}  ${formula}`)}`;
}

function settingLines({ changes }: Settings, present: Plan): readonly string[] {
  if (changes.length === 0) return ['The settings carry it as they are.', ''];
  const first = present.limits.find(({ soft }) => !soft);
  return [
    pc.bold('Settings that this is planned with'),
    ...changes.map(
      ({ setting, from, to, because }) => `  ${setting}: ${to},  // was ${from}: ${because}`,
    ),
    `As they are, what gives first gives at ${short(first?.rate ?? 0)}/s: ${first?.what ?? ''}.`,
    '',
  ];
}

function share(usd: number, total: number): string {
  return `${((usd / total) * 100).toFixed(1).padStart(5)} %`;
}

function money(usd: number): string {
  const digits = usd < 1_000 ? 2 : 0;
  return `$${usd.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

function cents(usd: number): string {
  return `$${usd.toLocaleString('en-US', { maximumSignificantDigits: 3 })}`;
}
