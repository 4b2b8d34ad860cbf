import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
  type MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import { InvariantError, TransientError } from '../../core/errors.ts';
import type { MinuteLoad } from '../../core/scaling.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ShardScaler } from '../../ports/shard-scaler.ts';
import { sendOnce } from './send.ts';

/** What a stream is scaled with. */
export interface AwsShardScalerOptions {
  readonly kinesis: KinesisClient;
  readonly cloudWatch: CloudWatchClient;
  readonly streamArn: string;
  readonly clock: Clock;
}

/** "Monitoring with CloudWatch", stream-level metrics of PutRecord and PutRecords together; each free of charge. */
const METRICS = {
  records: 'IncomingRecords',
  bytes: 'IncomingBytes',
  throttled: 'WriteProvisionedThroughputExceeded',
} as const;

const MINUTE_MS = 60_000;

/** A provisioned Kinesis stream. */
export function makeAwsShardScaler(options: AwsShardScalerOptions): ShardScaler {
  const { kinesis, cloudWatch, streamArn, clock } = options;
  return {
    count: async ({ deadlineMs }) => {
      const command = new DescribeStreamSummaryCommand({ StreamARN: streamArn });
      const answer = await sendOnce('DescribeStreamSummary', { clock, deadlineMs }, (send) =>
        kinesis.send(command, send),
      );
      const { OpenShardCount: open, StreamStatus: status } = answer.StreamDescriptionSummary ?? {};
      if (open === undefined) {
        throw new InvariantError(`stream ${streamArn}: got no number of open shards, expected one`);
      }
      return { open, changing: status !== 'ACTIVE' };
    },
    load: async (fromMs, { deadlineMs }) => {
      const command = new GetMetricDataCommand({
        StartTime: new Date(Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS),
        EndTime: new Date(Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS),
        ScanBy: 'TimestampAscending',
        MetricDataQueries: queries(streamArn),
      });
      const answer = await sendOnce('GetMetricData', { clock, deadlineMs }, (send) =>
        cloudWatch.send(command, send),
      );
      return minutesOf(answer.MetricDataResults ?? []);
    },
    resize: async (shards, { deadlineMs }) => {
      const command = new UpdateShardCountCommand({
        StreamARN: streamArn,
        TargetShardCount: shards,
        ScalingType: 'UNIFORM_SCALING',
      });
      try {
        await sendOnce('UpdateShardCount', { clock, deadlineMs }, (send) =>
          kinesis.send(command, send),
        );
      } catch (error) {
        // Of an earlier try whose answer was lost, or of somebody else's.
        if (!isUnderWay(error)) throw error;
      }
    },
  };
}

function isUnderWay(error: unknown): boolean {
  return error instanceof TransientError && error.fields.name === 'ResourceInUseException';
}

function queries(streamArn: string): MetricDataQuery[] {
  const StreamName = streamArn.slice(streamArn.indexOf('/') + 1);
  return Object.entries(METRICS).map(([Id, MetricName]) => ({
    Id,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/Kinesis',
        MetricName,
        Dimensions: [{ Name: 'StreamName', Value: StreamName }],
      },
      Period: 60,
      Stat: 'Sum',
    },
  }));
}

/** An hour of minutes is one page. */
function minutesOf(results: readonly MetricDataResult[]): readonly MinuteLoad[] {
  const minutes = new Map<number, Record<keyof typeof METRICS, number>>();
  for (const { Id, Timestamps = [], Values = [] } of results) {
    if (!isMetric(Id)) continue;
    for (const [index, timestamp] of Timestamps.entries()) {
      const startMs = timestamp.getTime();
      const minute = minutes.get(startMs) ?? { records: 0, bytes: 0, throttled: 0 };
      minutes.set(startMs, { ...minute, [Id]: Values[index] ?? 0 });
    }
  }
  return [...minutes]
    .map(([startMs, minute]) => ({ startMs, ...minute }))
    .sort((left, right) => left.startMs - right.startMs);
}

function isMetric(id: string | undefined): id is keyof typeof METRICS {
  return id !== undefined && Object.hasOwn(METRICS, id);
}
