import { expect, it } from 'vitest';
import { failureDocument } from '../../../src/mapping/failure-document.ts';
import { eventRecord } from '../../../src/mapping/kinesis-event.ts';
import { mappingRecords } from '../../helpers/mapping.ts';

const source = {
  mappingId: 'm-1',
  functionArn: 'arn:aws:lambda:us-east-1:1:function:f',
  streamArn: 'arn:aws:kinesis:us-east-1:1:stream/s',
  requestId: 'r-1',
  nowMs: Date.UTC(2026, 10, 24, 3, 4, 5),
  uuid: '11111111-2222-3333-4444-555555555555',
  payload: '{"Records":[]}',
};

it('writes what Lambda writes to an S3 destination, the event included', () => {
  const { key, body } = failureDocument(
    {
      batch: {
        records: mappingRecords(2),
        attempts: 3,
        last: { id: 1, outcome: { type: 'failed' } },
      },
      condition: 'RetryAttemptsExhausted',
      shard: 'shardId-000000000001',
    },
    source,
  );

  expect(key).toBe(
    'aws/lambda/m-1/shardId-000000000001/2026/11/24/2026-11-24T03.04.05-11111111-2222-3333-4444-555555555555',
  );
  expect(JSON.parse(body)).toMatchObject({
    requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
    responseContext: { functionError: 'Unhandled' },
    KinesisBatchInfo: { startSequenceNumber: '1', endSequenceNumber: '2', batchSize: 2 },
    payload: '{"Records":[]}',
  });
});

it('says nothing of a response where nothing was invoked', () => {
  const { body } = failureDocument(
    {
      batch: { records: mappingRecords(1), attempts: 0 },
      condition: 'RecordAgeExceeded',
      shard: 'shardId-000000000001',
    },
    source,
  );
  expect(JSON.parse(body)).not.toHaveProperty('responseContext');
});

it('makes the event record that the handler reads', () => {
  const made = eventRecord(
    { sequence: '42', partitionKey: 'p-1', data: Buffer.from('hello'), arrivalMs: 1_500 },
    { streamArn: source.streamArn, region: 'us-east-1', shard: 'shardId-000000000001' },
  );

  expect(made).toMatchObject({
    eventID: 'shardId-000000000001:42',
    kinesis: { data: 'aGVsbG8=', approximateArrivalTimestamp: 1.5 },
    eventSource: 'aws:kinesis',
  });
});
