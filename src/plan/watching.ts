import type { Deployment } from './deployment.ts';

/** What a deployment watches and shows: billed by the piece, whatever the traffic. */
export interface Watching {
  /** Metrics that the functions write. */
  readonly metrics: number;
  /** Metrics that alarms watch: an alarm on an expression has several. */
  readonly alarmMetrics: number;
  readonly compositeAlarms: number;
  readonly dashboards: number;
  /** Keys: one for data, one for notifications. */
  readonly keys: number;
}

/** What of a pipeline and its environment decides on it. */
export interface WatchedParts {
  readonly archives: boolean;
  readonly closes: boolean;
  readonly feeds: boolean;
  /** A function scales the stream. */
  readonly scales: boolean;
  /** Silence raises an alarm. */
  readonly minds: boolean;
}

/** Counts of the stacks that are deployed; a test holds them against the synthesised templates. */
export function watchingOf(dashboards: Deployment['dashboards'], parts: WatchedParts): Watching {
  const of = (part: boolean, count: number) => (part ? count : 0);
  return {
    metrics: 13 + of(parts.feeds, 1) + of(parts.archives, 4) + of(parts.closes, 6),
    alarmMetrics:
      16 + of(parts.scales, 1) + of(parts.minds, 1) + of(parts.archives, 4) + of(parts.closes, 4),
    compositeAlarms: 2,
    dashboards: dashboards === 'all' ? 5 : 1,
    keys: 2,
  };
}
