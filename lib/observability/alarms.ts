import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { durationMs } from '../../src/core/duration.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import { CLOSING_ALARMS } from './closing-alarms.ts';
import type { Layer } from './graphs.ts';
import type { MetricId } from './metrics.ts';

/** What every alarm says to the person whom it wakes. */
interface AlarmText {
  /** Logical id, part of its name, and the heading of its section in docs/RUNBOOK.md. */
  readonly id: string;
  /** What it means: a sentence without its full stop. */
  readonly says: string;
  /** How bad that is: one sentence or two. */
  readonly impact: string;
  /** Layer whose dashboard shows it. */
  readonly layer: Layer;
}

/** One alarm: what it watches, and when it goes off. */
export interface AlarmDefinition extends AlarmText {
  readonly watches: MetricId;
  /** Default: the metric's own. */
  readonly period?: Duration;
  readonly threshold: number;
  readonly comparison: ComparisonOperator;
  /** This many of the last periods have to breach. */
  readonly datapoints: number;
  readonly periods: number;
  readonly missing: TreatMissingData;
}

/** One alarm for several that have one cause. The alarms that it is of tell nobody themselves. */
export interface CompositeDefinition extends AlarmText {
  readonly anyOf: readonly string[];
  /** Alarms that explain it: while one of them is on, this one tells nobody. */
  readonly unless: readonly string[];
}

const ABOVE = ComparisonOperator.GREATER_THAN_THRESHOLD;
const BELOW = ComparisonOperator.LESS_THAN_THRESHOLD;

/** Counts that don't exist are zero: a function that wasn't called has no errors. */
const QUIET = TreatMissingData.NOT_BREACHING;

/** What the definitions depend on. */
export interface AlarmSource {
  readonly pipeline: Pick<AnyPipeline, 'closing' | 'objectives' | 'retention'>;
  readonly environment: EnvironmentConfig;
}

/** Every alarm on a metric, in the order of the data's way. */
export function alarmDefinitions(source: AlarmSource): readonly AlarmDefinition[] {
  return [
    ...silenceAlarms(source),
    ...freshnessAlarms(source),
    ...failureAlarms(source),
    ...lossAlarms(),
    ...archiveAlarms(source),
    ...(source.pipeline.closing === null ? [] : CLOSING_ALARMS),
    ...operationAlarms(),
    ...scalingAlarms(source),
  ];
}

/** Alarms on alarms. */
export const COMPOSITES: readonly CompositeDefinition[] = [
  {
    id: 'Behind',
    says: 'results are late: the stream is not read, or not fast enough, or a switch waits for its version',
    impact: 'Nothing is lost as long as the retention of the stream is not over.',
    layer: 'processing',
    anyOf: ['IteratorAge', 'Freshness', 'Latency'],
    unless: ['Errors', 'Throttles'],
  },
];

function silenceAlarms({ environment: { alarms } }: AlarmSource): readonly AlarmDefinition[] {
  if (alarms.noEvents === null) return [];
  const periodMs = Math.max(60_000, durationMs('alarms.noEvents', alarms.noEvents));
  return [
    {
      id: 'NoEvents',
      says: `no event reached the stream for ${alarms.noEvents}`,
      impact: 'Results stand still. What producers could not send may be lost at their side.',
      layer: 'ingestion',
      watches: 'incoming',
      period: Duration.millis(periodMs),
      threshold: 1,
      comparison: BELOW,
      datapoints: 1,
      periods: 1,
      missing: TreatMissingData.BREACHING,
    },
  ];
}

function freshnessAlarms({ pipeline, environment }: AlarmSource): readonly AlarmDefinition[] {
  const { iteratorAge } = environment.alarms;
  const { latencyP99Ms } = pipeline.objectives;
  return [
    {
      id: 'IteratorAge',
      says: `the oldest unread record is older than ${iteratorAge}, or nobody reads`,
      impact:
        'Results are late by that much. Records are lost when they are older than the retention.',
      layer: 'ingestion',
      watches: 'iteratorAge',
      threshold: durationMs('alarms.iteratorAge', iteratorAge),
      comparison: ABOVE,
      datapoints: 3,
      periods: 3,
      // The stream reports it as long as anybody polls: silence means that the mapping is off.
      missing: TreatMissingData.BREACHING,
    },
    {
      id: 'Freshness',
      says: 'records come in, and hardly any are finished',
      impact: 'Results stand still. Nothing is lost, records wait in the stream.',
      layer: 'processing',
      watches: 'finishedShare',
      period: freshnessPeriod(environment.consumer.batchingWindowSeconds),
      threshold: 10,
      comparison: BELOW,
      datapoints: 3,
      periods: 3,
      missing: QUIET,
    },
    {
      id: 'Latency',
      says: `one in a hundred batches took longer than ${latencyP99Ms} ms from arrival to result`,
      impact: 'Results are right, and later than the objective of the pipeline.',
      layer: 'processing',
      watches: 'latencyP99',
      threshold: latencyP99Ms,
      comparison: ABOVE,
      datapoints: 3,
      periods: 5,
      missing: QUIET,
    },
  ];
}

/** Long enough that each period has a batch, whatever the batching window is. */
function freshnessPeriod(batchingWindowSeconds: number): Duration {
  return Duration.minutes(Math.max(1, Math.ceil((2 * batchingWindowSeconds) / 60)));
}

/** More than none. */
const ANY = { threshold: 0, comparison: ABOVE, missing: QUIET } as const;

function failureAlarms({ pipeline }: AlarmSource): readonly AlarmDefinition[] {
  const { quarantineMaxPercent } = pipeline.objectives;
  return [
    {
      id: 'QuarantineRate',
      says: `more than ${quarantineMaxPercent} % of the events went into quarantine`,
      impact:
        'Results lack these events; they are kept with the reason. Good events are not held up.',
      layer: 'processing',
      watches: 'quarantineRate',
      threshold: quarantineMaxPercent,
      comparison: ABOVE,
      datapoints: 2,
      periods: 3,
      missing: QUIET,
    },
    {
      id: 'Errors',
      says: 'the function that processes the stream fails',
      impact:
        'Its batches are tried again and again, results are late. Nothing is lost or counted twice.',
      layer: 'processing',
      watches: 'errors',
      ...ANY,
      datapoints: 2,
      periods: 3,
    },
    {
      id: 'Throttles',
      says: 'Lambda refuses to run the function: the concurrency of the account is used up',
      impact: 'Records wait in the stream, results are late. Nothing is lost.',
      layer: 'processing',
      watches: 'throttles',
      ...ANY,
      datapoints: 3,
      periods: 5,
    },
  ];
}

function lossAlarms(): readonly AlarmDefinition[] {
  return [
    {
      id: 'FailureDestination',
      says: 'the event source mapping gave up a batch and put it into the failure destination',
      impact: 'Results lack these events, and windows may hold a part of them. The bytes are kept.',
      layer: 'processing',
      watches: 'givenUp',
      ...ANY,
      datapoints: 1,
      periods: 1,
    },
    {
      id: 'DroppedRecords',
      says: 'the event source mapping gave up records that reached no destination',
      impact: 'These records are lost to the pipeline; only their producers may still have them.',
      layer: 'processing',
      watches: 'dropped',
      ...ANY,
      datapoints: 1,
      periods: 1,
    },
  ];
}

/** The check reports once an hour: its point is looked at until after the next one, or it would flicker. */
const HOUR_OF_5_MINUTES = 15;
const HOURS = 2;

function archiveAlarms({ pipeline, environment }: AlarmSource): readonly AlarmDefinition[] {
  if (environment.archive === false || pipeline.retention.archive === null) return [];
  const { archiveAge } = environment.alarms;
  return [
    {
      id: 'ArchiveAge',
      says: `a record waited longer than ${archiveAge} for the archive, or still does`,
      impact: 'Results are right. The archive loses it when the retention of the stream is over.',
      layer: 'storage',
      watches: 'archiveAge',
      threshold: durationMs('alarms.archiveAge', archiveAge),
      comparison: ABOVE,
      datapoints: 1,
      periods: HOUR_OF_5_MINUTES,
      missing: QUIET,
    },
    {
      id: 'ArchiveErrors',
      says: 'the function that archives the stream fails',
      impact: 'Its batches are tried again and again. Results are right, and nothing is lost yet.',
      layer: 'storage',
      watches: 'archiveErrors',
      ...ANY,
      datapoints: 2,
      periods: 3,
    },
    {
      id: 'ArchiveGaps',
      says: 'records are missing in the archive',
      impact: 'Results are right. A replay would lack these events, and so do queries.',
      layer: 'storage',
      watches: 'archiveGaps',
      ...ANY,
      datapoints: 1,
      periods: HOURS,
    },
    {
      id: 'ArchiveCheckErrors',
      says: 'the function that looks for gaps in the archive fails',
      impact: 'Nothing is wrong yet, but nobody would notice.',
      layer: 'storage',
      watches: 'archiveCheckErrors',
      ...ANY,
      datapoints: 2,
      periods: 2,
    },
  ];
}

function operationAlarms(): readonly AlarmDefinition[] {
  return [
    {
      id: 'KeeperErrors',
      says: 'the function that keeps idle ledgers alive fails',
      impact:
        'Nothing is wrong yet. After some 12 hours quiet partitions could count late events again.',
      layer: 'operations',
      watches: 'keeperErrors',
      ...ANY,
      datapoints: 2,
      periods: 2,
    },
    {
      id: 'RedriveErrors',
      says: 'the function that brings quarantined events back fails',
      impact: 'A redrive stands still. Nothing is lost or counted twice: it goes on where it was.',
      layer: 'operations',
      watches: 'redriveErrors',
      ...ANY,
      datapoints: 1,
      periods: 1,
    },
    {
      id: 'NotificationsFailed',
      says: 'a notification of an alarm did not reach one of its receivers',
      impact: 'Somebody who is to be told of alarms is not.',
      layer: 'operations',
      watches: 'notificationsFailed',
      ...ANY,
      datapoints: 1,
      periods: 1,
    },
  ];
}

function scalingAlarms({ environment: { stream } }: AlarmSource): readonly AlarmDefinition[] {
  if (stream.type !== 'provisioned' || stream.scaleTo === undefined) return [];
  return [
    {
      id: 'ScalerErrors',
      says: 'the function that scales the stream fails',
      impact:
        'The shards stay as many as they are: in a burst producers are refused and send again.',
      layer: 'operations',
      watches: 'scalerErrors',
      ...ANY,
      datapoints: 2,
      periods: 2,
    },
  ];
}
