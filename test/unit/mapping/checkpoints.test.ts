import { describe, expect, it } from 'vitest';
import { MappingEngine } from '../../../src/mapping/engine.ts';
import { DEFAULT_POLICIES } from '../../../src/mapping/policies.ts';
import { mappingSettings } from '../../../src/mapping/settings.ts';
import { checkStartingPosition, readFrom } from '../../../src/mapping/starting-position.ts';
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

describe('checkpoint', () => {
  it('is nothing before the first record is finished, then the last one before an unfinished one', () => {
    const engine = engineOf({ batchSize: 2 });
    expect(engine.checkpoint(SHARD)).toBeUndefined();

    const [first] = engine.step(0).invocations;
    engine.finish(first?.id ?? 0, failureAt('2'), 0);
    expect(engine.checkpoint(SHARD)).toBe('1');
    drive(engine, inTurn([]));
    expect(engine.checkpoint(SHARD)).toBe('4');
  });

  it('waits for the slowest lane', () => {
    const records = mappingRecords(8).map((record, index) => ({
      ...record,
      partitionKey: `key ${index}`,
    }));
    const engine = engineOf({ parallelization: 2, batchSize: 8 }, records);
    const [left, right] = engine.step(0).invocations;
    const [slow, fast] = left?.batch.records[0]?.sequence === '1' ? [left, right] : [right, left];
    engine.finish(fast?.id ?? 0, OK, 0);
    expect(engine.checkpoint(SHARD)).toBeUndefined();
    engine.finish(slow?.id ?? 0, OK, 0);
    expect(engine.checkpoint(SHARD)).toBe('8');
  });

  it('is where the next engine goes on, and what came before counts as finished', () => {
    const engine = new MappingEngine(mappingSettings());
    engine.addShard({ id: SHARD, parents: [], checkpoint: '2' }, 0);

    expect(engine.checkpoint(SHARD)).toBe('2');
    expect(engine.isFinishedUpTo(SHARD, '2')).toBe(true);
    expect(engine.isFinishedUpTo(SHARD, '3')).toBe(false);
    expect(() => engine.addRecords(SHARD, mappingRecords(2))).toThrow('after 2');
  });

  it('passes what a filter drops, which takes no place in a batch', () => {
    const data = (index: number) => Buffer.from(JSON.stringify({ take: index % 2 === 0 }));
    const records = mappingRecords(6).map((record, index) => ({ ...record, data: data(index) }));
    const engine = engineOf({ batchSize: 2, filters: ['{"data":{"take":[true]}}'] }, []);

    expect(engine.addRecords(SHARD, records)).toBe(3);
    expect(engine.backlog).toBe(3);
    const { sent } = drive(engine, inTurn([FAILED]));
    expect(sent).toEqual([['1', '3'], ['1', '3'], ['5']]);
    expect(engine.checkpoint(SHARD)).toBe('6');
    expect(engine.isFinishedUpTo(SHARD, '6')).toBe(true);
  });

  it('stays before an unfinished record, whatever is dropped behind it', () => {
    const [first, ...others] = mappingRecords(5).map((record, index) => ({
      ...record,
      data: Buffer.from(index === 0 ? '{"a":1}' : 'no JSON'),
    }));
    if (first === undefined) throw new Error('5');
    const engine = engineOf({ filters: ['{"data":{"a":[1]}}'] }, [first]);
    const [sent] = engine.step(0).invocations;

    expect(engine.addRecords(SHARD, others)).toBe(4);
    expect(engine.checkpoint(SHARD)).toBeUndefined();
    engine.finish(sent?.id ?? 0, OK, 0);
    expect(engine.checkpoint(SHARD)).toBe('5');
  });

  it('needs the data of records where there is a filter', () => {
    const engine = engineOf({ filters: ['{"partitionKey":["p-0"]}'] }, []);
    expect(() => engine.addRecords(SHARD, mappingRecords(1))).toThrow('expected it with a filter');
  });

  it('is left alone by reads without records', () => {
    const engine = engineOf({}, []);
    expect(engine.addRecords(SHARD, [])).toBe(0);
    expect(engine.checkpoint(SHARD)).toBeUndefined();
    expect(engine.step(0)).toMatchObject({ invocations: [], wakeMs: undefined });
  });
});

describe('readFrom', () => {
  const at = { createdMs: 1_000, checkpoint: undefined, policies: DEFAULT_POLICIES };
  const late = { latestDelayMs: 90_000 };

  it.each([
    ['the oldest record', { type: 'TRIM_HORIZON' }, {}, { type: 'oldest' }],
    ['what arrives from its creation on', { type: 'LATEST' }, {}, { type: 'since', timeMs: 1_000 }],
    [
      'what arrives once it works',
      { type: 'LATEST' },
      { policies: late },
      { type: 'since', timeMs: 91_000 },
    ],
    [
      'a time',
      { type: 'AT_TIMESTAMP', timestampMs: 7 },
      { policies: late },
      { type: 'since', timeMs: 7 },
    ],
    [
      'its checkpoint, whatever it started at',
      { type: 'LATEST' },
      { checkpoint: '12' },
      { type: 'after', sequence: '12' },
    ],
  ] as const)('starts at %s', (_name, start, given, expected) => {
    expect(readFrom({ ...at, ...given, start })).toEqual(expected);
  });

  it('refuses a time in the future', () => {
    const start = { type: 'AT_TIMESTAMP', timestampMs: 1_001 } as const;
    expect(() => checkStartingPosition(start, 1_000)).toThrow('mapping.startingPosition: got 1001');
    expect(() => checkStartingPosition(start, 1_001)).not.toThrow();
    expect(() => checkStartingPosition({ type: 'LATEST' }, 0)).not.toThrow();
    expect(() => checkStartingPosition({ ...start, timestampMs: Number.NaN }, 0)).toThrow('NaN');
  });
});
