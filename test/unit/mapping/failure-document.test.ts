import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/mapping/batch.ts';
import { failureDocument, failureMessage } from '../../../src/mapping/failure-document.ts';
import { eventRecord } from '../../../src/mapping/kinesis-event.ts';
import { mappingRecords } from '../../helpers/mapping.ts';

const source = {
  mappingId: 'm-1',
  functionArn: 'arn:aws:lambda:us-east-2:123456789012:function:myfunction',
  streamArn: 'arn:aws:kinesis:us-east-2:123456789012:stream/mystream',
  requestId: 'c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5',
  nowMs: Date.UTC(2019, 10, 14, 0, 38, 6, 21),
  uuid: '11111111-2222-3333-4444-555555555555',
  payload: '{"Records":[]}',
};

/** Records given up after a last invocation that ended like this. */
function discard(attempts: number, outcome?: Outcome) {
  const records = [
    {
      ...mappingRecords(1)[0],
      sequence: '4959033827149025660855969253836157109592157598913658',
      arrivalMs: Date.UTC(2019, 10, 14, 0, 38, 4, 835),
    },
    {
      ...mappingRecords(1)[0],
      sequence: '4959033827149025660855969253836157109592157598913660',
      arrivalMs: Date.UTC(2019, 10, 14, 0, 38, 5, 580),
    },
  ] as ReturnType<typeof mappingRecords>;
  const last = outcome === undefined ? {} : { last: { id: 1, outcome } };
  return {
    batch: { records, attempts, ...last },
    condition: 'RetryAttemptsExhausted' as const,
    shard: 'shardId-000000000001',
  };
}

/** The page's example, field by field: https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html */
const MESSAGE = {
  requestContext: {
    requestId: 'c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5',
    functionArn: 'arn:aws:lambda:us-east-2:123456789012:function:myfunction',
    condition: 'RetryAttemptsExhausted',
    approximateInvokeCount: 1,
  },
  responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
  version: '1.0',
  timestamp: '2019-11-14T00:38:06.021Z',
  KinesisBatchInfo: {
    shardId: 'shardId-000000000001',
    startSequenceNumber: '4959033827149025660855969253836157109592157598913658',
    endSequenceNumber: '4959033827149025660855969253836157109592157598913660',
    approximateArrivalOfFirstRecord: '2019-11-14T00:38:04.835Z',
    approximateArrivalOfLastRecord: '2019-11-14T00:38:05.580Z',
    batchSize: 2,
    streamArn: 'arn:aws:kinesis:us-east-2:123456789012:stream/mystream',
  },
};

describe('failure documents', () => {
  it('are, for a queue or a topic, the page’s example and nothing more', () => {
    const message = failureMessage(discard(1, { type: 'failed' }), source);
    expect(message).toBe(JSON.stringify(MESSAGE));
  });

  it('have, in a bucket, the whole event too, under the documented key', () => {
    const { key, body } = failureDocument(discard(1, { type: 'failed' }), source);

    expect(key).toBe(
      'aws/lambda/m-1/shardId-000000000001/2019/11/14/2019-11-14T00.38.06-11111111-2222-3333-4444-555555555555',
    );
    expect(body).toBe(JSON.stringify({ ...MESSAGE, payload: '{"Records":[]}' }));
  });

  it('name no error where the function answered, and the version that ran', () => {
    const answered = discard(3, { type: 'answered', answer: {} });
    const { requestContext, responseContext } = JSON.parse(
      failureMessage(answered, { ...source, executedVersion: '7' }),
    );
    expect(responseContext).toEqual({ statusCode: 200, executedVersion: '7' });
    expect(requestContext.approximateInvokeCount).toBe(3);
  });

  it.each([
    ['was never invoked', discard(0)],
    ['was refused for its size', discard(1, { type: 'rejected' })],
  ])('say nothing of a response where the function %s', (_name, given) => {
    const { responseContext: _, ...others } = MESSAGE;
    expect(JSON.parse(failureMessage(given, source))).toEqual({
      ...others,
      requestContext: {
        ...MESSAGE.requestContext,
        approximateInvokeCount: given.batch.attempts,
      },
    });
  });
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
