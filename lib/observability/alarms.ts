import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, type Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { durationMs } from '../../src/core/duration.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { AlarmConfig } from '../config/environment.ts';
import type { PipelineMetrics } from './metrics.ts';

/** One alarm: what it watches, and when it goes off. */
export interface AlarmDefinition {
  /** Logical id, and the heading of its section in docs/RUNBOOK.md. */
  readonly id: string;
  /** What it means, for the notification. */
  readonly says: string;
  readonly metric: Metric;
  readonly threshold: number;
  readonly comparison: ComparisonOperator;
  /** This many of the last periods have to breach. */
  readonly datapoints: number;
  readonly periods: number;
  readonly missing: TreatMissingData;
}

const ABOVE = ComparisonOperator.GREATER_THAN_THRESHOLD;

/** Counts that don't exist are zero: a function that wasn't called has no errors. */
const QUIET = TreatMissingData.NOT_BREACHING;

/** What the definitions depend on. */
export interface AlarmSource {
  readonly pipeline: AnyPipeline;
  readonly config: AlarmConfig;
  readonly metrics: PipelineMetrics;
}

/** Every alarm of a pipeline, in the order of the data's way. */
export function alarmDefinitions(source: AlarmSource): readonly AlarmDefinition[] {
  return [...flowAlarms(source), ...failureAlarms(source)];
}

function flowAlarms({ pipeline, config, metrics }: AlarmSource): readonly AlarmDefinition[] {
  const silent: AlarmDefinition[] =
    config.noEvents === null
      ? []
      : [
          {
            id: 'NoEvents',
            says: `no event reached the stream for ${config.noEvents}`,
            metric: metrics.incoming.with({
              period: Duration.millis(
                Math.max(60_000, durationMs('alarms.noEvents', config.noEvents)),
              ),
            }),
            threshold: 1,
            comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
            datapoints: 1,
            periods: 1,
            missing: TreatMissingData.BREACHING,
          },
        ];
  return [
    ...silent,
    {
      id: 'IteratorAge',
      says: `the oldest unread record is older than ${config.iteratorAge}, or nobody reads`,
      metric: metrics.iteratorAge,
      threshold: durationMs('alarms.iteratorAge', config.iteratorAge),
      comparison: ABOVE,
      datapoints: 3,
      periods: 3,
      // The stream reports it as long as anybody polls: silence means that the mapping is off.
      missing: TreatMissingData.BREACHING,
    },
    {
      id: 'Latency',
      says: `one in a hundred batches took longer than ${pipeline.objectives.latencyP99Ms} ms from arrival to result`,
      metric: metrics.latencyP99,
      threshold: pipeline.objectives.latencyP99Ms,
      comparison: ABOVE,
      datapoints: 3,
      periods: 5,
      missing: QUIET,
    },
  ];
}

function failureAlarms({ pipeline, metrics }: AlarmSource): readonly AlarmDefinition[] {
  const once = { threshold: 0, comparison: ABOVE, missing: QUIET } as const;
  return [
    {
      id: 'QuarantineRate',
      says: `more than ${pipeline.objectives.quarantineMaxPercent} % of the events went into quarantine`,
      metric: metrics.quarantineRate,
      threshold: pipeline.objectives.quarantineMaxPercent,
      comparison: ABOVE,
      datapoints: 2,
      periods: 3,
      missing: QUIET,
    },
    {
      id: 'Errors',
      says: 'the function that processes the stream fails: its batches are tried again',
      metric: metrics.errors,
      ...once,
      datapoints: 2,
      periods: 3,
    },
    {
      id: 'Throttles',
      says: 'Lambda refuses to run the function: its concurrency is used up',
      metric: metrics.throttles,
      ...once,
      datapoints: 3,
      periods: 5,
    },
    {
      id: 'FailureDestination',
      says: 'the event source mapping gave up a batch and put it into the failure destination',
      metric: metrics.givenUp,
      ...once,
      datapoints: 1,
      periods: 1,
    },
    {
      id: 'DroppedRecords',
      says: 'the event source mapping gave up records that reached no destination',
      metric: metrics.dropped,
      ...once,
      datapoints: 1,
      periods: 1,
    },
    {
      id: 'KeeperErrors',
      says: 'the function that keeps idle ledgers alive fails',
      metric: metrics.keeperErrors,
      ...once,
      datapoints: 2,
      periods: 2,
    },
  ];
}
