import { type AlarmState, COMPARISONS, type MetricAlarm, type MissingData } from './alarm.ts';
import type { Series } from './metric-store.ts';

/** What the evaluation looks at of an alarm. */
export type AlarmRule = Pick<
  MetricAlarm,
  'evaluationPeriods' | 'datapointsToAlarm' | 'threshold' | 'comparison' | 'missing'
>;

/**
 * How many of the last points are looked at: more than the evaluation periods, so that real points
 * further back can stand in for missing ones. CloudWatch doesn't say how many more; its examples have
 * two, 5 for 3 evaluation periods.
 */
export function evaluationRange({
  evaluationPeriods,
}: Pick<AlarmRule, 'evaluationPeriods'>): number {
  return evaluationPeriods + 2;
}

/**
 * The state that an alarm has after the last points, oldest first, over its evaluation range.
 *
 * "Configuring how CloudWatch alarms treat missing data",
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html: as many real
 * points as there are evaluation periods decide alone; otherwise what is missing is filled.
 */
export function alarmState(points: Series, rule: AlarmRule, before: AlarmState): AlarmState {
  const { evaluationPeriods, datapointsToAlarm } = rule;
  const real = points.filter((point) => point !== undefined);
  const evaluated = real.slice(-evaluationPeriods);
  const breaching = evaluated.filter((point) => breaches(point, rule)).length;
  if (breaching >= datapointsToAlarm) return 'ALARM';
  const missing = evaluationPeriods - evaluated.length;
  if (missing === 0 || rule.missing === 'notBreaching') return 'OK';
  if (rule.missing === 'breaching') {
    return breaching + missing >= datapointsToAlarm ? 'ALARM' : 'OK';
  }
  if (breaching < real.length) return 'OK';
  if (rule.missing === 'ignore') return before;
  return isOldBreach(points, datapointsToAlarm) ? 'ALARM' : 'INSUFFICIENT_DATA';
}

/** True when a point is on the wrong side of the threshold. */
export function breaches(point: number, { comparison, threshold }: AlarmRule): boolean {
  return COMPARISONS[comparison].breaches(point, threshold);
}

/**
 * "Avoiding premature transitions to alarm state": where no real point is in order, the oldest one has to be
 * as many periods old as points are needed to alarm; a fresh one may still be followed by a good one.
 */
function isOldBreach(points: Series, datapointsToAlarm: number): boolean {
  const oldest = points.findIndex((point) => point !== undefined);
  return oldest >= 0 && points.length - oldest >= datapointsToAlarm;
}

/** What is filled in for missing points, as reasons say it. */
const FILLED: Readonly<Record<MissingData, string>> = {
  breaching: 'Breaching',
  notBreaching: 'NonBreaching',
  ignore: 'Ignored',
  missing: 'Missing',
};

/** The points that a decision rests on, newest first, in the words that CloudWatch has for them. */
export function alarmReason(
  points: Series,
  rule: AlarmRule,
  { state, periodEndsMs }: { readonly state: AlarmState; readonly periodEndsMs: readonly number[] },
): string {
  const { evaluationPeriods, comparison, threshold } = rule;
  const evaluated = points
    .flatMap((value, index) =>
      value === undefined ? [] : [{ value, endMs: periodEndsMs[index] ?? 0 }],
    )
    .slice(-evaluationPeriods)
    .reverse();
  const missing = evaluationPeriods - evaluated.length;
  const filled = `${plural(missing, 'missing datapoint')} ${missing === 1 ? 'was' : 'were'} treated as [${FILLED[rule.missing]}]`;
  if (evaluated.length === 0) {
    return `Threshold Crossed: no datapoints were received for ${plural(points.length, 'period')} and ${filled}.`;
  }
  const telling = evaluated.filter(({ value }) => breaches(value, rule) === (state === 'ALARM'));
  if (telling.length === 0) return `Threshold Crossed: ${filled}.`;
  const shown = telling.map(({ value, endMs }) => `${decimal(value)} (${timeText(endMs)})`);
  const is = `${telling.length === 1 ? 'was' : 'were'}${state === 'ALARM' ? '' : ' not'}`;
  const and = missing === 0 ? '' : `, and ${filled}`;
  return `Threshold Crossed: ${telling.length} out of the last ${evaluationPeriods} datapoints [${shown.join(', ')}] ${is} ${COMPARISONS[comparison].words} the threshold (${decimal(threshold)})${and}.`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** At least one digit behind the point, at most four. */
function decimal(value: number): string {
  const rounded = Math.round(value * 1e4) / 1e4;
  return Number.isInteger(rounded) ? rounded.toFixed(1) : String(rounded);
}

/** Day first, as CloudWatch writes it: `25/11/26 16:04:00`. */
function timeText(timeMs: number): string {
  const [date = '', time = ''] = new Date(timeMs).toISOString().slice(2, 19).split('T');
  return `${date.split('-').reverse().join('/')} ${time}`;
}
