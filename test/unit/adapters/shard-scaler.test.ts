import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  KinesisClient,
  LimitExceededException,
  ResourceInUseException,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { makeAwsShardScaler } from '../../../src/adapters/aws/shard-scaler.ts';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { TransientError } from '../../../src/core/errors.ts';

type Sent = { readonly input: Readonly<Record<string, unknown>> };

const MINUTE_MS = 60_000;
const NOW_MS = 30_000_000 * MINUTE_MS + 12_345;

/** A scaler over clients that answer alike, and note what they were asked. */
function scalerOver(answer: object | Error) {
  const sent: Sent[] = [];
  const send = async (command: Sent) => {
    sent.push(command);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const kinesis = new KinesisClient({ region: 'eu-west-1' });
  const cloudWatch = new CloudWatchClient({ region: 'eu-west-1' });
  kinesis.send = send;
  cloudWatch.send = send;
  const clock = makeSkippingClock(NOW_MS);
  const streamArn = 'arn:aws:kinesis:eu-west-1:1:stream/flights';
  return { sent, scaler: makeAwsShardScaler({ kinesis, cloudWatch, streamArn, clock }) };
}

const soon = { deadlineMs: NOW_MS + 10_000 };

describe('the shards of a stream', () => {
  it.each([
    ['ACTIVE', false],
    ['UPDATING', true],
  ])('are counted; %s tells whether they change', async (StreamStatus, changing) => {
    const { scaler } = scalerOver({
      StreamDescriptionSummary: { OpenShardCount: 4, StreamStatus },
    });
    expect(await scaler.count(soon)).toEqual({ open: 4, changing });
  });

  it('are set evenly', async () => {
    const { sent, scaler } = scalerOver({});
    await scaler.resize(8, soon);
    expect(sent[0]).toBeInstanceOf(UpdateShardCountCommand);
    expect(sent[0]?.input).toMatchObject({ TargetShardCount: 8, ScalingType: 'UNIFORM_SCALING' });
  });

  it('are being set already: nothing is left to ask for', async () => {
    const error = new ResourceInUseException({ message: 'updating', $metadata: {} });
    await scalerOver(error).scaler.resize(8, soon);
  });

  it('can not be set more often than a day allows', async () => {
    const error = new LimitExceededException({ message: 'ten', $metadata: {} });
    await expect(scalerOver(error).scaler.resize(8, soon)).rejects.toThrow(TransientError);
  });
});

describe('the load of a stream', () => {
  it('is put together by the minute, in whole ones, with what is missing as nothing', async () => {
    const at = (minute: number) => new Date(minute * MINUTE_MS);
    const { sent, scaler } = scalerOver({
      MetricDataResults: [
        { Id: 'records', Timestamps: [at(7), at(6)], Values: [70, 60] },
        { Id: 'bytes', Timestamps: [at(6)], Values: [600] },
        { Id: 'throttled', Timestamps: [at(7)], Values: [3] },
      ],
    });

    expect(await scaler.load(NOW_MS - 3_600_000, soon)).toEqual([
      { startMs: 6 * MINUTE_MS, records: 60, bytes: 600, throttled: 0 },
      { startMs: 7 * MINUTE_MS, records: 70, bytes: 0, throttled: 3 },
    ]);
    const { StartTime, EndTime, MetricDataQueries } = sent[0]?.input ?? {};
    expect([StartTime, EndTime].map((time) => Number(time) % MINUTE_MS)).toEqual([0, 0]);
    expect(JSON.stringify(MetricDataQueries)).toContain('"Value":"flights"');
  });
});
