import type { AlarmState } from '../../cloudwatch/alarm.ts';
import type { Threshold, Widget } from '../../cloudwatch/dashboard.ts';
import type { MetricStore, Periods } from '../../cloudwatch/metric-store.ts';
import { runQueries } from '../../cloudwatch/query.ts';

/** A line with its points; null where there is no data. */
export interface PageLine {
  readonly label: string;
  readonly points: readonly (number | null)[];
}

/** An alarm as the page shows it. */
export interface PageAlarm {
  readonly name: string;
  readonly state: AlarmState;
  /** When it came to that state; null where it never changed. */
  readonly sinceMs: number | null;
  readonly description: string;
  readonly reason: string;
}

type Place = Pick<Widget, 'x' | 'y' | 'width' | 'height'>;

/** A widget with its data. */
export type PageWidget = Place &
  (
    | { readonly type: 'text'; readonly markdown: string }
    | { readonly type: 'alarms'; readonly title: string; readonly alarms: readonly PageAlarm[] }
    | {
        readonly type: 'graph';
        readonly title: string;
        readonly view: 'timeSeries' | 'singleValue';
        readonly stacked: boolean;
        readonly unit: string;
        readonly lines: readonly PageLine[];
        readonly thresholds: readonly Threshold[];
      }
  );

/** What the page asks for, again and again. */
export interface PageData {
  /** Names of all dashboards, the overview first. */
  readonly dashboards: readonly string[];
  readonly name: string;
  readonly widgets: readonly PageWidget[];
  /** Where each point's period ends, seconds since 1970. */
  readonly times: readonly number[];
  /** Length of a period, seconds. */
  readonly periodSeconds: number;
  /** Seconds that a minute of CloudWatch takes for the alarms. */
  readonly alarmMinuteSeconds: number;
  /** False when the run is over and nothing changes any more. */
  readonly running: boolean;
}

/** What data is made from. */
export interface PageSource {
  readonly dashboards: ReadonlyMap<string, readonly Widget[]>;
  readonly store: Pick<MetricStore, 'series'>;
  readonly alarm: (name: string) => PageAlarm;
  readonly alarmMinuteMs: number;
}

/** Lengths of periods to choose from, seconds; points that a graph has at most. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 300, 900, 3_600] as const;
const POINTS_MAX = 150;

/** A graph shows at least so much time, seconds. */
const SPAN_MIN = 60;

/** Periods shorter than this have no data in some and twice as much in the next. */
const STEP_MIN = 2;

/**
 * The periods between two times: as CloudWatch's dashboards do, longer ones for a longer time.
 *
 * @param endMs data until then is complete
 */
export function pagePeriods(startMs: number, endMs: number): Periods {
  const span = Math.max(SPAN_MIN, (endMs - startMs) / 1000);
  const fits = (step: number) => step >= STEP_MIN && span / step <= POINTS_MAX;
  const lengthMs = (STEPS.find(fits) ?? 3_600) * 1000;
  const lastMs = Math.floor(endMs / lengthMs) * lengthMs;
  return { endMs: lastMs, lengthMs, count: Math.ceil((span * 1000) / lengthMs) };
}

/** A dashboard with the data of the periods; the first one for a name that is none. */
export function pageData(
  source: PageSource,
  name: string,
  { periods, running }: { readonly periods: Periods; readonly running: boolean },
): PageData {
  const names = overviewFirst([...source.dashboards.keys()]);
  const shown = source.dashboards.has(name) ? name : (names[0] ?? '');
  const { endMs, lengthMs, count } = periods;
  const periodSeconds = lengthMs / 1000;
  return {
    dashboards: names,
    name: shown,
    widgets: (source.dashboards.get(shown) ?? []).map((widget) =>
      withData(widget, source, periods),
    ),
    times: Array.from(
      { length: count },
      (_, index) => (endMs - (count - 1 - index) * lengthMs) / 1000,
    ),
    periodSeconds,
    alarmMinuteSeconds: source.alarmMinuteMs / 1000,
    running,
  };
}

/** The overview's name begins the others; those stay in their order, which is that of the data's way. */
function overviewFirst(names: readonly string[]): readonly string[] {
  const overview = names.find((one) => names.every((other) => other.startsWith(one)));
  return overview === undefined ? names : [overview, ...names.filter((one) => one !== overview)];
}

function withData(widget: Widget, source: PageSource, periods: Periods): PageWidget {
  if (widget.type === 'text') return widget;
  if (widget.type === 'alarms') return { ...widget, alarms: widget.alarms.map(source.alarm) };
  const { queries, lines, ...rest } = widget;
  const periodSeconds = periods.lengthMs / 1000;
  const results = runQueries(queries, { store: source.store, periods, periodSeconds });
  return {
    ...rest,
    lines: lines
      .filter(({ visible }) => visible)
      .map(({ id, label }) => ({
        label,
        points: (results.get(id) ?? []).map((point) => point ?? null),
      })),
  };
}
