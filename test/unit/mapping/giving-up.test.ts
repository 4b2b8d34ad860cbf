import { describe, expect, it } from 'vitest';
import { PAYLOAD_BYTES_MAX } from '../../../src/mapping/batch.ts';
import {
  drive,
  engineOf,
  FAILED,
  inTurn,
  mappingRecords,
  OK,
  SHARD,
  sequencesOf,
} from '../../helpers/mapping.ts';

const MINUTE_MS = 60_000;

/** Records that arrived a second after each other. */
function aging(count: number) {
  return mappingRecords(count).map((record, index) => ({ ...record, arrivalMs: index * 1_000 }));
}

describe('records that get too old', () => {
  it('are given up, no others, and the batch goes on behind them', () => {
    const engine = engineOf({ recordAgeMaxMs: MINUTE_MS, retriesMax: -1 }, aging(4));
    const [first] = engine.step(0).invocations;
    engine.finish(first?.id ?? 0, FAILED, MINUTE_MS + 500);

    const { discards, invocations } = engine.step(MINUTE_MS + 1_001);
    expect(discards.map(({ batch, condition }) => [sequencesOf(batch.records), condition])).toEqual(
      [[['1', '2'], 'RecordAgeExceeded']],
    );
    expect(discards[0]?.batch).toMatchObject({ attempts: 1, last: { id: 1, outcome: FAILED } });
    expect(invocations).toEqual([]);
    const again = engine.step(MINUTE_MS + 1_500).invocations;
    expect(again.map(({ batch }) => sequencesOf(batch.records))).toEqual([['3', '4']]);
  });

  it('are given up the moment that they are, sent or not', () => {
    const engine = engineOf({ recordAgeMaxMs: MINUTE_MS, windowMs: 300_000 }, aging(2));
    expect(engine.step(0).wakeMs).toBe(MINUTE_MS + 1);
    expect(engine.step(MINUTE_MS).discards).toEqual([]);
    expect(engine.step(MINUTE_MS + 1).discards).toMatchObject([{ batch: { attempts: 0 } }]);
  });

  it('wait for the function while it runs', () => {
    const engine = engineOf({ recordAgeMaxMs: MINUTE_MS });
    const [first] = engine.step(0).invocations;
    expect(engine.step(10 * MINUTE_MS).discards).toEqual([]);
    engine.finish(first?.id ?? 0, OK, 10 * MINUTE_MS);
    expect(engine.step(10 * MINUTE_MS).discards).toEqual([]);
    expect(engine.backlog).toBe(0);
  });

  it('end throttling, which spends no try', () => {
    const throttled = { type: 'not-invoked' } as const;
    const engine = engineOf({ recordAgeMaxMs: MINUTE_MS, retriesMax: 0 });
    const { sent, discards } = drive(engine, () => throttled);

    expect(sent.length).toBeGreaterThan(3);
    expect(discards).toEqual([
      { sequences: ['1', '2', '3', '4'], condition: 'RecordAgeExceeded', attempts: 0 },
    ]);
  });
});

describe('a record over the payload limit', () => {
  const records = () => {
    const [first, second, third] = mappingRecords(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error('3');
    return [first, { ...second, sizeBytes: PAYLOAD_BYTES_MAX }, third];
  };

  it('never reaches the function, spends the retries, and is given up', () => {
    const engine = engineOf({ retriesMax: 2, bisect: true }, records());
    const refused: number[] = [];
    let nowMs = 0;
    const step = () => {
      const next = engine.step(nowMs);
      refused.push(...next.rejected.map(() => nowMs));
      for (const { id, batch } of next.invocations) {
        expect(sequencesOf(batch.records)).not.toContain('2');
        engine.finish(id, OK, nowMs);
      }
      nowMs = next.wakeMs ?? nowMs;
      return next.discards;
    };
    const discards = Array.from({ length: 10 }, step).flat();

    expect(refused).toEqual([0, 1_000, 3_000]);
    expect(discards).toMatchObject([
      {
        condition: 'RetryAttemptsExhausted',
        batch: { attempts: 3, last: { outcome: { type: 'rejected' } } },
      },
    ]);
    expect(engine.isFinishedUpTo(SHARD, '3')).toBe(true);
  });

  it('blocks its shard where retries have no limit', () => {
    const engine = engineOf({}, records());
    let nowMs = 0;
    for (let steps = 0; steps < 50; steps += 1) {
      const { invocations, wakeMs } = engine.step(nowMs);
      for (const { id } of invocations) engine.finish(id, OK, nowMs);
      nowMs = wakeMs ?? nowMs;
    }
    expect(engine.checkpoint(SHARD)).toBe('1');
    expect(engine.backlog).toBe(2);
  });

  it('is one whose event is over 6 MB, envelope included', () => {
    const envelope = '{"Records":[]}'.length - 1;
    const [fits] = mappingRecords(1, { sizeBytes: PAYLOAD_BYTES_MAX - envelope });
    if (fits === undefined) throw new Error('1');
    expect(engineOf({}, [fits]).step(0).invocations).toHaveLength(1);
    const over = { ...fits, sizeBytes: fits.sizeBytes + 1 };
    expect(engineOf({}, [over]).step(0)).toMatchObject({ invocations: [], rejected: [{ id: 1 }] });
  });
});

describe('records that the stream trimmed', () => {
  it('are gone without a document, and the checkpoint passes them', () => {
    const engine = engineOf({}, aging(4));
    const [first] = engine.step(0).invocations;
    engine.trim(SHARD, 2_000);
    expect(engine.step(0).trimmed).toEqual([]);
    engine.finish(first?.id ?? 0, FAILED, 10_000);

    const { trimmed, discards } = engine.step(10_000);
    expect(trimmed.map(({ records }) => sequencesOf(records))).toEqual([['1', '2']]);
    expect(discards).toEqual([]);
    expect(engine.checkpoint(SHARD)).toBe('2');
    expect(drive(engine, inTurn([])).sent).toEqual([['3', '4']]);
  });

  it('stay trimmed when an earlier time is named', () => {
    const engine = engineOf({}, []);
    engine.trim(SHARD, 2_000);
    engine.trim(SHARD, 1_000);
    engine.addRecords(SHARD, aging(3));
    expect(engine.step(0).trimmed.flatMap(({ records }) => sequencesOf(records))).toEqual([
      '1',
      '2',
    ]);
  });
});
