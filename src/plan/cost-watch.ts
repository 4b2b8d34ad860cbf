import { ASSUMED, GB, MONTH_S } from './assumptions.ts';
import { type CostLine, costLine, short } from './cost-line.ts';
import { scalerCost } from './cost-scaler.ts';
import type { Month } from './month.ts';
import { archiveOf, type Planned } from './planned.ts';
import { PRICES } from './prices.ts';
import { type WatchedParts, type Watching, watchingOf } from './watching.ts';

const MILLION = 1e6;

/** Lines of keys, logs, traces, metrics, alarms, dashboards, and of the functions on a schedule. */
export function watchCost(planned: Planned, month: Month): readonly CostLine[] {
  return [
    ...keyCost(planned),
    ...logCost(planned, month),
    ...pieceCost(planned),
    ...traceCost(month),
  ];
}

/** Stream, four tables and the buckets ask for their keys, which are cached for minutes. */
function keyCost(planned: Planned): readonly CostLine[] {
  const { keys } = watching(planned);
  const users = 1 + 4 + (archiveOf(planned) === false ? 1 : 2);
  const requests = users * ASSUMED.keyRequestsMonth;
  return [
    costLine(['KMS', 'keys'], `${keys} keys`, [keys, 'keyMonth']),
    costLine(['KMS', 'requests'], `${users} users x ${short(ASSUMED.keyRequestsMonth)}`, [
      requests / 10_000,
      'keyRequestsTenThousand',
    ]),
  ];
}

/** What a deployment of the pipeline has. */
export function watchedParts({
  program,
  deployment,
}: Pick<Planned, 'program' | 'deployment'>): WatchedParts {
  return {
    archives: program.settings.retention.archiveMs !== null && deployment.archive !== false,
    closes: program.settings.closing !== null,
    feeds: program.outputs.length > 0,
    scales: scalerCost(deployment).length > 0,
    minds: deployment.alarms.noEvents !== null,
  };
}

function watching(planned: Planned): Watching {
  return watchingOf(planned.deployment.dashboards, watchedParts(planned));
}

function callsOf(month: Month): number {
  return month.total((usage) => usage.calls + (usage.archive?.calls ?? 0));
}

function logCost({ deployment }: Planned, month: Month): readonly CostLine[] {
  const calls = callsOf(month);
  const gb = (calls * ASSUMED.logBytesCall) / GB;
  const kept = (gb * deployment.logDays * 86_400) / MONTH_S;
  return [
    costLine(['CloudWatch', 'logs in'], `${short(calls)} calls x ${ASSUMED.logBytesCall} bytes`, [
      gb,
      'logsGb',
    ]),
    costLine(['CloudWatch', 'logs kept'], `${deployment.logDays} days`, [kept, 'logsGbMonth']),
  ];
}

function pieceCost(planned: Planned): readonly CostLine[] {
  const { metrics, alarmMetrics, compositeAlarms, dashboards } = watching(planned);
  const billed = Math.max(0, dashboards - PRICES.dashboardsFree);
  return [
    costLine(['CloudWatch', 'metrics'], `${metrics}`, [metrics, 'metricMonth']),
    costLine(['CloudWatch', 'alarms'], `on ${alarmMetrics} metrics`, [alarmMetrics, 'alarmMonth']),
    costLine(['CloudWatch', 'composite alarms'], `${compositeAlarms}`, [
      compositeAlarms,
      'compositeAlarmMonth',
    ]),
    costLine(['CloudWatch', 'dashboards'], `${dashboards}, ${PRICES.dashboardsFree} free`, [
      billed,
      'dashboardMonth',
    ]),
  ];
}

/** The first call of a second, and a share of the others. */
function traceCost(month: Month): readonly CostLine[] {
  const traces = month.total((usage) => {
    const calls = usage.calls + (usage.archive?.calls ?? 0);
    return Math.min(calls, 1) + ASSUMED.tracedShare * Math.max(0, calls - 1);
  });
  return [
    costLine(['X-Ray', 'traces'], `${short(traces)} calls`, [traces / MILLION, 'tracesMillion']),
  ];
}
