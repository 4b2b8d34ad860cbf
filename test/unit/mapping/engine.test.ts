import { describe, expect, it } from 'vitest';
import {
  drive,
  engineOf,
  FAILED,
  failureAt,
  inTurn,
  mappingRecords,
  OK,
  SHARD,
} from '../../helpers/mapping.ts';

describe('batches', () => {
  it('sends at most the batch size, in order', () => {
    expect(drive(engineOf({ batchSize: 3 }), inTurn([])).sent).toEqual([['1', '2', '3'], ['4']]);
  });

  it('waits for the batching window unless a batch is full', () => {
    const engine = engineOf({ batchSize: 10, windowMs: 5_000 });
    expect(engine.step(4_999)).toMatchObject({ invocations: [], wakeMs: 5_000 });
    expect(engine.step(5_000).invocations).toHaveLength(1);

    const full = engineOf({ batchSize: 4, windowMs: 5_000 });
    expect(full.step(0).invocations).toHaveLength(1);
  });

  it('never sends more than six megabytes, but any record alone', () => {
    const engine = engineOf({ batchSize: 10 }, mappingRecords(3, { sizeBytes: 4 * 1024 * 1024 }));
    expect(drive(engine, inTurn([])).sent).toEqual([['1'], ['2'], ['3']]);
  });

  it('has one batch of a lane in flight at a time', () => {
    const engine = engineOf({ batchSize: 1 });
    const { invocations } = engine.step(0);
    expect(invocations).toHaveLength(1);
    expect(engine.step(0).invocations).toEqual([]);
  });

  it('keeps a partition key in one lane, whatever the parallelization', () => {
    const records = mappingRecords(40).map((record, index) => ({
      ...record,
      partitionKey: `p-${index % 4}`,
    }));
    const engine = engineOf({ batchSize: 100, parallelization: 4 }, records);
    const lanes = engine.step(0).invocations.map(({ batch }) => batch.records);
    expect(lanes.length).toBeGreaterThan(1);
    for (const key of ['p-0', 'p-1', 'p-2', 'p-3']) {
      const holding = lanes.filter((lane) => lane.some(({ partitionKey }) => partitionKey === key));
      expect(holding).toHaveLength(1);
    }
  });

  it('stops reading a shard whose lanes hold four batches', () => {
    const engine = engineOf({ batchSize: 1 }, mappingRecords(4));
    expect(engine.wantsRecords(SHARD)).toBe(false);
  });
});

describe('failures', () => {
  it('sends the records from the reported one on again', () => {
    expect(drive(engineOf({}), inTurn([failureAt('3')])).sent).toEqual([
      ['1', '2', '3', '4'],
      ['3', '4'],
    ]);
  });

  it('tries for ever by default, pausing ever longer up to a minute', () => {
    const { sent, discards } = drive(
      engineOf({}, mappingRecords(1)),
      inTurn(Array.from({ length: 20 }, () => FAILED)),
    );
    expect(sent).toHaveLength(21);
    expect(discards).toEqual([]);
  });

  it('halves a failed batch, the left half first', () => {
    const { sent } = drive(engineOf({ bisect: true }), inTurn([FAILED, FAILED]));
    expect(sent).toEqual([['1', '2', '3', '4'], ['1', '2'], ['1'], ['2'], ['3', '4']]);
  });

  it('gives up after the tries, goes on behind, and says so', () => {
    const { sent, discards } = drive(
      engineOf({ batchSize: 2, retriesMax: 1 }),
      inTurn([FAILED, FAILED]),
    );
    expect(sent).toEqual([
      ['1', '2'],
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(discards).toEqual([
      { sequences: ['1', '2'], condition: 'RetryAttemptsExhausted', attempts: 2 },
    ]);
  });

  it('does not count a throttled invocation as a try', () => {
    const { sent, discards } = drive(
      engineOf({ retriesMax: 0 }),
      inTurn([{ type: 'not-invoked' }]),
    );
    expect(sent).toHaveLength(2);
    expect(discards).toEqual([]);
  });

  it('gives up records that are too old, without sending them', () => {
    const engine = engineOf({ recordAgeMaxMs: 60_000 });
    const step = engine.step(60_001);
    expect(step.invocations).toEqual([]);
    expect(step.discards).toMatchObject([{ condition: 'RecordAgeExceeded', shard: SHARD }]);
  });

  it('refuses an outcome of an invocation that is not running', () => {
    expect(() => engineOf({}).finish(7, OK, 0)).toThrow('which is not running');
  });

  it('refuses records that go back', () => {
    expect(() => engineOf({}).addRecords(SHARD, mappingRecords(1))).toThrow('after 4');
  });
});

describe('shards', () => {
  it('reads a child only when its parents are read to their end and finished', () => {
    const engine = engineOf({});
    engine.addShard({ id: 'shardId-000000000001', parents: [SHARD] }, 0);
    expect(engine.wantsRecords('shardId-000000000001')).toBe(false);
    engine.endShard(SHARD);
    expect(engine.wantsRecords('shardId-000000000001')).toBe(false);
    drive(engine, inTurn([]));
    expect(engine.wantsRecords('shardId-000000000001')).toBe(true);
  });

  it('waits for grandparents through a parent that never had a record', () => {
    const engine = engineOf({});
    engine.addShard({ id: 'shardId-000000000001', parents: [SHARD] }, 0);
    engine.addShard({ id: 'shardId-000000000002', parents: ['shardId-000000000001'] }, 0);
    engine.endShard('shardId-000000000001');
    expect(engine.wantsRecords('shardId-000000000002')).toBe(false);
    engine.endShard(SHARD);
    drive(engine, inTurn([]));
    expect(engine.wantsRecords('shardId-000000000002')).toBe(true);
  });

  it('tells how far it is', () => {
    const engine = engineOf({ batchSize: 2 }, mappingRecords(4, { arrivalMs: 7 }));
    expect(engine.oldestArrivalMs).toBe(7);
    const [first] = engine.step(0).invocations;
    engine.finish(first?.id ?? 0, OK, 0);
    expect(engine.isFinishedUpTo(SHARD, '2')).toBe(true);
    expect(engine.isFinishedUpTo(SHARD, '3')).toBe(false);
    expect(engine.backlog).toBe(2);
  });
});
