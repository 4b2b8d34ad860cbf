import type { MetricId } from './metrics.ts';

/** A layer of the system; each has a dashboard of its own. */
export type Layer = 'ingestion' | 'processing' | 'storage' | 'operations';

/** What a layer's dashboard says at its top. */
export const LAYERS: Readonly<Record<Layer, string>> = {
  ingestion: 'From the producers into the stream, and how far it is read.',
  processing: 'What the function does with the records, and what it can’t do.',
  storage: 'What the tables are asked for, in the units that are billed, and the archive.',
  operations: 'The keeper, the notifications and the logs.',
};

/** One graph. */
export interface GraphDefinition {
  readonly title: string;
  readonly unit: string;
  /** What to look for: one sentence. */
  readonly look: string;
  readonly metrics: readonly MetricId[];
  /** Lines stand on each other: their sum is the figure. Default false. */
  readonly stacked?: boolean;
}

/** The graphs of each layer, in the order of the data's way. */
export const GRAPHS = {
  ingestion: [
    {
      title: 'Records in',
      unit: 'records',
      look: 'The shape of your traffic; a gap is a producer that stopped.',
      metrics: ['incoming'],
    },
    {
      title: 'Bytes in',
      unit: 'bytes',
      look: 'A shard takes 60 MB a minute.',
      metrics: ['incomingBytes'],
    },
    {
      title: 'Refused by the stream',
      unit: 'records',
      look: 'Zero. Producers send refused records again; if it lasts, the stream needs more shards.',
      metrics: ['writeThrottles'],
    },
    {
      title: 'Age of the oldest unread record',
      unit: 'ms',
      look: 'Near zero. A slope of 1 means that nothing is read.',
      metrics: ['iteratorAge'],
    },
  ],
  processing: [
    {
      title: 'Events',
      unit: 'events',
      look: 'Accepted follows what came in. Repeats are counted once, that is what they are here for.',
      metrics: ['accepted', 'duplicates', 'partlyLate', 'derived'],
    },
    {
      title: 'Finished of what came in',
      unit: '%',
      look: 'About 100, more when it catches up.',
      metrics: ['finishedShare'],
    },
    {
      title: 'Arrival to result',
      unit: 'ms',
      look: 'The slower line under the red one.',
      metrics: ['latencyP99', 'latencyP50'],
    },
    {
      title: 'Quarantined',
      unit: '%',
      look: 'Under the red line. A jump is a producer that changed something.',
      metrics: ['quarantineRate'],
    },
    {
      title: 'Quarantined events',
      unit: 'events',
      look: 'What the share is in numbers.',
      metrics: ['quarantined'],
    },
    {
      title: 'Late events',
      unit: 'events',
      look: 'Those that were counted corrected a window after its end; later ones are in quarantine.',
      metrics: ['corrected'],
    },
    {
      title: 'How late events are',
      unit: 's',
      look: 'What was counted lies under the allowed lateness; what was quarantined says what it would have to be.',
      metrics: ['correctingLateness', 'lateness'],
    },
    {
      title: 'Tried again',
      unit: 'records',
      look: 'Single peaks are throttles or a lost race, and heal by themselves.',
      metrics: ['received', 'unfinished', 'conflicts'],
    },
    {
      title: 'Calls of the function that failed',
      unit: 'calls',
      look: 'Zero.',
      metrics: ['errors', 'throttles'],
    },
    {
      title: 'Duration of a call',
      unit: 'ms',
      look: 'Far under the time-out of the function.',
      metrics: ['duration'],
    },
    {
      title: 'Given up',
      unit: 'records',
      look: 'Always zero: anything else is missing in the results.',
      metrics: ['givenUp', 'dropped'],
    },
  ],
  storage: [
    {
      title: 'Write units',
      unit: 'units',
      look: 'Aggregates lead. Units an event rise with the number of groups, not of events.',
      metrics: ['ledgerWrites', 'aggregatesWrites', 'eventsWrites', 'quarantineWrites'],
      stacked: true,
    },
    {
      title: 'Read units',
      unit: 'units',
      look: 'High after a deployment, while containers load their state; then about one a batch.',
      metrics: ['ledgerReads', 'aggregatesReads'],
      stacked: true,
    },
    {
      title: 'Refused by the tables',
      unit: 'requests',
      look: 'Zero, or a short peak: on-demand tables double within half an hour.',
      metrics: ['tableThrottles'],
    },
    {
      title: 'Items that expired, hourly',
      unit: 'items',
      look: 'Follows the traffic of one retention before. Zero for days: TTL is off, and tables grow.',
      metrics: ['ledgerExpired', 'aggregatesExpired', 'eventsExpired', 'quarantineExpired'],
      stacked: true,
    },
    {
      title: 'Time to the archive',
      unit: 'ms',
      look: 'About the batching window, under the red line. A slope of 1 means that nothing is archived.',
      metrics: ['archiveAge', 'archiveIteratorAge'],
    },
    {
      title: 'Gaps in the archive, hourly',
      unit: 'gaps',
      look: 'Zero: anything else is missing for a replay.',
      metrics: ['archiveGaps'],
    },
    {
      title: 'Calls of the archiver and its check that failed',
      unit: 'calls',
      look: 'Zero.',
      metrics: ['archiveErrors', 'archiveThrottles', 'archiveCheckErrors'],
    },
    {
      title: 'Records archived',
      unit: 'records',
      look: 'Follows what came in, repeats and refused ones included.',
      metrics: ['archivedRecords'],
    },
    {
      title: 'Bytes archived',
      unit: 'bytes, compressed',
      look: 'A tenth of the bytes in, about.',
      metrics: ['archivedBytes'],
    },
    {
      title: 'Calls of the archiver',
      unit: 'calls',
      look: 'A call an object. Many calls in little time mean small objects: a longer window costs less.',
      metrics: ['archiveInvocations'],
    },
    {
      title: 'Run time of the archiver',
      unit: 'ms',
      look: 'What Lambda bills, times its memory.',
      metrics: ['archiveRunTime'],
    },
  ],
  operations: [
    {
      title: 'The keeper, hourly',
      unit: 'calls',
      look: 'One call an hour, none that failed.',
      metrics: ['keeperCalls', 'keeperErrors'],
    },
    {
      title: 'The scaler, by quarters of an hour',
      unit: 'calls',
      look: 'Fifteen calls, none that failed. What it did is in its log.',
      metrics: ['scalerCalls', 'scalerErrors'],
    },
    {
      title: 'Brought back out of quarantine',
      unit: 'events, calls',
      look: 'Peaks where somebody redrives. Refused once more: the pipeline was changed meanwhile.',
      metrics: ['redriven', 'refusedAgain', 'redriveErrors'],
    },
    {
      title: 'Notifications of alarms',
      unit: 'messages',
      look: 'None that failed.',
      metrics: ['notifications', 'notificationsFailed'],
    },
    {
      title: 'Logs',
      unit: 'bytes',
      look: 'Logs cost as much as the function if somebody logs events.',
      metrics: ['consumerLogs', 'keeperLogs'],
      stacked: true,
    },
    {
      title: 'Calls of the function',
      unit: 'calls',
      look: 'As many as there are batches: fuller batches cost less.',
      metrics: ['invocations'],
    },
    {
      title: 'Run time of the function',
      unit: 'ms',
      look: 'What Lambda bills, times its memory.',
      metrics: ['runTime'],
    },
    {
      title: 'Closed windows',
      unit: 'windows, rows',
      look: 'Peaks where windows end. Corrections are rows that had been published before.',
      metrics: ['windowsClosed', 'rowsPublished', 'rowsCorrected'],
    },
    {
      title: 'End of a window to its publication',
      unit: 's',
      look: 'Lateness and idle time of the pipeline, and a minute; more where a partition is behind.',
      metrics: ['closingDelay'],
    },
    {
      title: 'The closer',
      unit: 'runs',
      look: 'Fifteen in a quarter of an hour, none that failed.',
      metrics: ['closerRuns', 'closerErrors', 'closerStill'],
    },
    {
      title: 'Not waited for, not delivered',
      unit: 'writers, messages',
      look: 'Quiet partitions are normal at night. No message.',
      metrics: ['writersForced', 'undelivered'],
    },
  ],
} as const satisfies Readonly<Record<Layer, readonly GraphDefinition[]>>;

/** One of the four questions that the overview answers. */
export interface Question extends GraphDefinition {
  /** Figures beside the graph. */
  readonly figures: readonly MetricId[];
}

/** The overview, from left to right. */
export const QUESTIONS = [
  {
    title: 'Is it flowing?',
    unit: 'events a second',
    look: 'Both lines together: what comes in is finished.',
    figures: ['incomingRate', 'finishedRate'],
    metrics: ['incomingRate', 'finishedRate'],
  },
  {
    title: 'How late is it?',
    unit: 'ms',
    look: 'Arrival to result, under the red line.',
    figures: ['latencyP99', 'iteratorAge'],
    metrics: ['latencyP99', 'latencyP50'],
  },
  {
    title: 'What fails?',
    unit: '% of the events',
    look: 'Quarantine under the red line, no call that failed.',
    figures: ['quarantineRate', 'errors'],
    metrics: ['quarantineRate'],
  },
  {
    title: 'What does it cost?',
    unit: 'dollars an hour',
    look: 'At the pace of the moment, at list prices.',
    figures: ['cost'],
    metrics: ['streamCost', 'functionCost', 'tablesCost', 'archiveCost', 'logsCost'],
    stacked: true,
  },
] as const satisfies readonly Question[];

/** A metric that some graph or figure shows. */
export type ShownMetric =
  | (typeof GRAPHS)[Layer][number]['metrics'][number]
  | (typeof QUESTIONS)[number]['figures' | 'metrics'][number];
