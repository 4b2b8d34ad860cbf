import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/mapping/batch.ts';
import type { MappingPolicies } from '../../../src/mapping/policies.ts';
import type { MappingSettings } from '../../../src/mapping/settings.ts';
import {
  drive,
  engineOf,
  FAILED,
  failureAt,
  inTurn,
  mappingRecords,
  poisonedBy,
  sequencesOf,
} from '../../helpers/mapping.ts';

/** What four records go through under a policy, when the function answers in turn. */
function under(
  policies: Partial<MappingPolicies>,
  settings: Partial<MappingSettings>,
  outcomes: readonly Outcome[],
) {
  const { sent, discards } = drive(
    engineOf(settings, mappingRecords(4), policies),
    inTurn(outcomes),
  );
  return {
    sent: sent.map((sequences) => sequences.join('')),
    discards: discards.map(({ sequences }) => sequences.join('')),
  };
}

describe('what a policy decides', () => {
  it('backOff, backOffFirstMs, backOffMaxMs: the pauses between tries', () => {
    const pauses = (policies: Partial<MappingPolicies>) => {
      const engine = engineOf({}, mappingRecords(1), policies);
      const { sentAtMs } = drive(engine, inTurn(Array.from({ length: 8 }, () => FAILED)));
      return sentAtMs.slice(1).map((atMs, index) => atMs - (sentAtMs[index] ?? 0));
    };
    const exponential = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];

    expect(pauses({})).toEqual(exponential);
    expect(pauses({ backOff: 'flat' })).toEqual(exponential.map(() => 1_000));
    expect(pauses({ backOffFirstMs: 5_000, backOffMaxMs: 8_000 }).slice(0, 3)).toEqual([
      5_000, 8_000, 8_000,
    ]);
  });

  it('laneHash: which partition keys share a lane', () => {
    const records = mappingRecords(40).map((record, index) => ({
      ...record,
      partitionKey: `key ${index}`,
    }));
    const lanes = [1, 2, 1].map((laneHash) => {
      const engine = engineOf({ parallelization: 2, batchSize: 40 }, records, { laneHash });
      return engine.step(0).invocations.map(({ batch }) => sequencesOf(batch.records));
    });

    expect(lanes[2]).toEqual(lanes[0]);
    expect(lanes[1]).not.toEqual(lanes[0]);
  });

  it.each([2, 3, 4])(
    'the default spreads the first four partitions over %d lanes',
    (parallelization) => {
      const records = mappingRecords(4).map((record, index) => ({
        ...record,
        partitionKey: `p-${index}`,
      }));
      expect(engineOf({ parallelization }, records).step(0).invocations).toHaveLength(
        parallelization,
      );
    },
  );

  it('readAheadBatches: how much is read before it is wanted', () => {
    const wants = (readAheadBatches: number) =>
      engineOf({ batchSize: 2 }, mappingRecords(4), { readAheadBatches }).wantsRecords(
        'shardId-000000000000',
      );
    expect([wants(1), wants(2), wants(3)]).toEqual([false, false, true]);
  });

  it('unknownIdentifier: what a number of another batch means', () => {
    const between = failureAt('25');
    const records = [10, 20, 30].map((sequence) => ({
      ...mappingRecords(1)[0],
      sequence: String(sequence),
    })) as ReturnType<typeof mappingRecords>;
    const sent = (unknownIdentifier: MappingPolicies['unknownIdentifier']) =>
      drive(engineOf({}, records, { unknownIdentifier }), inTurn([between])).sent[1];

    expect(sent('whole-batch')).toEqual(['10', '20', '30']);
    expect(sent('as-checkpoint')).toEqual(['30']);
  });

  it('mixedIdentifiers: what a malformed one among good ones means', () => {
    const answer = { batchItemFailures: [{ itemIdentifier: '3' }, { id: '2' }] };
    const mixed: Outcome = { type: 'answered', answer };

    expect(under({ mixedIdentifiers: 'whole-batch' }, {}, [mixed]).sent).toEqual(['1234', '1234']);
    expect(under({ mixedIdentifiers: 'valid-only' }, {}, [mixed]).sent).toEqual(['1234', '34']);
  });

  it('partialProgressResetsAttempts: whether what is left starts counting anew', () => {
    const answers = [failureAt('2'), failureAt('3'), failureAt('4'), FAILED];

    expect(under({}, { retriesMax: 1 }, answers)).toEqual({
      sent: ['1234', '234', '34', '4', '4'],
      discards: [],
    });
    expect(under({ partialProgressResetsAttempts: false }, { retriesMax: 1 }, answers)).toEqual({
      sent: ['1234', '234'],
      discards: ['34'],
    });
  });

  it('bisectBeforeAttempts: whether a batch without retries is halved', () => {
    const settings = { retriesMax: 0, bisect: true };

    expect(under({}, settings, [FAILED])).toEqual({ sent: ['1234', '12', '34'], discards: [] });
    expect(under({ bisectBeforeAttempts: false }, settings, [FAILED])).toEqual({
      sent: ['1234'],
      discards: ['1234'],
    });
  });

  it('bisectWithoutProgress: whether an answer that acknowledges nothing halves', () => {
    expect(under({}, { bisect: true }, [failureAt('1')]).sent).toEqual(['1234', '12', '34']);
    expect(
      under({ bisectWithoutProgress: false }, { bisect: true }, [failureAt('1')]).sent,
    ).toEqual(['1234', '1234']);
  });

  it('consolidatedDiscards: whether neighbours that are given up share a document', () => {
    const settings = { retriesMax: 0, bisect: true };
    const given = (...poison: string[]) => {
      const engine = engineOf(settings, mappingRecords(4), { consolidatedDiscards: true });
      return drive(engine, poisonedBy(...poison)).discards.map(({ sequences }) =>
        sequences.join(''),
      );
    };

    expect(drive(engineOf(settings), poisonedBy('2', '3')).discards).toHaveLength(2);
    expect(given('2', '3')).toEqual(['23']);
    expect(given('1', '3')).toEqual(['1', '3']);
    expect(given('4')).toEqual(['4']);
  });
});
