import { describe, expect, it } from 'vitest';
import {
  drive,
  engineOf,
  FAILED,
  failureAt,
  inTurn,
  mappingRecords,
  poisonedBy,
  SHARD,
} from '../../helpers/mapping.ts';

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

/** https://aws.amazon.com/blogs/compute/optimizing-batch-processing-with-custom-checkpoints-in-aws-lambda/ */
describe('the post on custom checkpoints', () => {
  it('items 1 to 10 are processed, the checkpoint moves to item 11, then come 11 to 20', () => {
    const engine = engineOf({ batchSize: 10 }, mappingRecords(20));
    const [first] = engine.step(0).invocations;
    engine.finish(first?.id ?? 0, { type: 'answered', answer: null }, 0);

    expect(engine.checkpoint(SHARD)).toBe('10');
    expect(drive(engine, inTurn([])).sent).toEqual([range(11, 20)]);
  });

  it('by default the whole batch is tried again until the retries are used up', () => {
    const engine = engineOf(
      { batchSize: 10, retriesMax: 2, reportsFailures: false },
      mappingRecords(20),
    );
    const { sent, discards } = drive(engine, poisonedBy('5'));

    expect(sent).toEqual([range(1, 10), range(1, 10), range(1, 10), range(11, 20)]);
    expect(discards).toEqual([
      { sequences: range(1, 10), condition: 'RetryAttemptsExhausted', attempts: 3 },
    ]);
  });
});

/** https://data-processing.serverlessworkshops.io/stream-processing/05-extra-credit/05-01-eh-cp-bb.html */
it('the workshop: of a batch of 9 whose fifth message fails, 5 to 9 are tried again', () => {
  const engine = engineOf({ batchSize: 9 }, mappingRecords(9));
  expect(drive(engine, inTurn([failureAt('5')])).sent).toEqual([range(1, 9), range(5, 9)]);
});

/** https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html */
describe('the page on partial batch responses', () => {
  const twice = [range(1, 4), range(1, 4)];

  it('of several failures the lowest sequence number is the checkpoint', () => {
    const { sent } = drive(engineOf({}, mappingRecords(12)), inTurn([failureAt(11, 9, 10)]));
    expect(sent).toEqual([range(1, 12), range(9, 12)]);
  });

  it.each([
    ['an empty batchItemFailures list', { batchItemFailures: [] }],
    ['a null batchItemFailures list', { batchItemFailures: null }],
    ['an empty EventResponse', {}],
    ['a null EventResponse', null],
  ])('%s is a complete success', (_name, answer) => {
    expect(drive(engineOf({}), inTurn([{ type: 'answered', answer }])).sent).toEqual([range(1, 4)]);
  });

  it.each([
    ['an empty string', { itemIdentifier: '' }],
    ['a null', { itemIdentifier: null }],
    ['a bad key name', { sequenceNumber: '3' }],
  ])('%s itemIdentifier is a complete failure', (_name, failure) => {
    const answer = { batchItemFailures: [failure] };
    expect(drive(engineOf({}), inTurn([{ type: 'answered', answer }])).sent).toEqual(twice);
  });

  it('without ReportBatchItemFailures the response is not looked at', () => {
    const { sent } = drive(engineOf({ reportsFailures: false }), inTurn([failureAt('2')]));
    expect(sent).toEqual([range(1, 4)]);
  });

  it.each([true, false])(
    'with bisecting a failed invocation halves, ReportBatchItemFailures being %s',
    (reportsFailures) => {
      const { sent } = drive(engineOf({ bisect: true, reportsFailures }), inTurn([FAILED]));
      expect(sent).toEqual([range(1, 4), range(1, 2), range(3, 4)]);
    },
  );

  it('with bisecting a partial response cuts at the number it names, and only the rest is tried again', () => {
    const { sent } = drive(engineOf({ bisect: true }), inTurn([failureAt('2')]));
    expect(sent).toEqual([range(1, 4), range(2, 4)]);
  });
});

/** https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html */
describe('the page on discarded records', () => {
  it('splitting isolates the bad record and consumes no retry', () => {
    const { sent, discards } = drive(engineOf({ bisect: true, retriesMax: 2 }), poisonedBy('3'));

    expect(sent.map((batch) => batch.join(''))).toEqual(['1234', '12', '34', '3', '3', '3', '4']);
    expect(discards).toEqual([
      { sequences: ['3'], condition: 'RetryAttemptsExhausted', attempts: 3 },
    ]);
  });

  it('errors before the invocation are tried again beyond the retry quota', () => {
    const throttled = Array.from({ length: 9 }, () => ({ type: 'not-invoked' }) as const);
    const { sent, discards } = drive(engineOf({ bisect: true, retriesMax: 0 }), inTurn(throttled));

    expect(sent).toEqual(Array.from({ length: 10 }, () => range(1, 4)));
    expect(discards).toEqual([]);
  });
});

/** https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html */
it('the parameters page: MaximumRetryAttempts counts the tries after the first', () => {
  const { sent } = drive(engineOf({ retriesMax: 0 }), poisonedBy('1'));
  expect(sent).toHaveLength(1);
});
