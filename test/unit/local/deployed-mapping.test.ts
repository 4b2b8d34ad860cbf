import { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { readMapping, readTemplate } from '../../../src/local/deployed-mapping.ts';
import { mappingSettings } from '../../../src/mapping/settings.ts';

/** A Lambda whose one mapping has these settings. */
function lambdaWith(settings: object): LambdaClient {
  const client = new LambdaClient({ region: 'eu-west-1' });
  client.send = async () => ({
    FunctionArn: 'arn:f',
    EventSourceArn: 'arn:aws:kinesis:eu-west-1:1:stream/s',
    ...settings,
  });
  return client;
}

function template(mapping: object): string {
  return JSON.stringify({
    Resources: {
      ArchiverMapping: { Type: 'AWS::Lambda::EventSourceMapping', Properties: { BatchSize: 1 } },
      ArchiverFunction: { Type: 'AWS::Lambda::Function', Properties: { Timeout: 1 } },
      ConsumerMapping: { Type: 'AWS::Lambda::EventSourceMapping', Properties: mapping },
      ConsumerFunction: { Type: 'AWS::Lambda::Function', Properties: { Timeout: 60 } },
    },
  });
}

const all = {
  BatchSize: 500,
  MaximumBatchingWindowInSeconds: 2,
  ParallelizationFactor: 3,
  BisectBatchOnFunctionError: true,
  FunctionResponseTypes: ['ReportBatchItemFailures'],
  MaximumRetryAttempts: 4,
  MaximumRecordAgeInSeconds: 3_600,
  FilterCriteria: { Filters: [{ Pattern: '{"data":{"a":["x"]}}' }] },
};

const settings = {
  batchSize: 500,
  windowMs: 2_000,
  parallelization: 3,
  bisect: true,
  reportsFailures: true,
  retriesMax: 4,
  recordAgeMaxMs: 3_600_000,
  filters: ['{"data":{"a":["x"]}}'],
};

describe('a mapping', () => {
  it('is read from the API with everything that the engine heeds', async () => {
    const atMs = Date.UTC(2026, 0, 1);
    const found = await readMapping(
      lambdaWith({
        ...all,
        StartingPosition: 'AT_TIMESTAMP',
        StartingPositionTimestamp: new Date(atMs),
      }),
      'm',
    );
    expect(found).toEqual({
      id: 'm',
      functionArn: 'arn:f',
      streamArn: 'arn:aws:kinesis:eu-west-1:1:stream/s',
      region: 'eu-west-1',
      settings: { ...settings, startingPosition: { type: 'AT_TIMESTAMP', timestampMs: atMs } },
    });
  });

  it('is read from a template in the same way', () => {
    const text = template({
      ...all,
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: 90,
    });
    expect(readTemplate(text)).toEqual({
      timeoutMs: 60_000,
      settings: { ...settings, startingPosition: { type: 'AT_TIMESTAMP', timestampMs: 90_000 } },
    });
  });

  it('has the defaults of AWS where it says nothing', () => {
    expect(readTemplate(template({})).settings).toEqual(mappingSettings());
    expect(
      readTemplate(template({ StartingPosition: 'LATEST' })).settings.startingPosition,
    ).toEqual({
      type: 'LATEST',
    });
  });

  it('is refused where AWS would refuse it, though the local cloud took it', async () => {
    const future = { StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date(8e15) };
    await expect(readMapping(lambdaWith(future), 'm')).rejects.toThrow('startingPosition');
    const filter = { FilterCriteria: { Filters: [{ Pattern: 'x' }] } };
    await expect(readMapping(lambdaWith(filter), 'm')).rejects.toThrow('mapping.filters[0]');
    await expect(readMapping(lambdaWith({ MaximumRecordAgeInSeconds: 59 }), 'm')).rejects.toThrow(
      'mapping.recordAgeMaxMs: got 59000',
    );
    await expect(readMapping(lambdaWith({ FunctionArn: undefined }), 'm')).rejects.toThrow(
      'got no function or no stream',
    );
  });
});
