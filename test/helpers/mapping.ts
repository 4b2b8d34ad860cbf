import type { MappingRecord, Outcome } from '../../src/mapping/batch.ts';
import { MappingEngine } from '../../src/mapping/engine.ts';
import type { MappingPolicies } from '../../src/mapping/policies.ts';
import { DEFAULT_POLICIES } from '../../src/mapping/policies.ts';
import { type MappingSettings, mappingSettings } from '../../src/mapping/settings.ts';

/** The shard of `engineOf`. */
export const SHARD = 'shardId-000000000000';

/** Outcomes: all acknowledged, and a function that threw. */
export const OK: Outcome = { type: 'answered', answer: { batchItemFailures: [] } };
export const FAILED: Outcome = { type: 'failed' };

/** An answer that reports these sequence numbers. */
export function failureAt(...sequences: (string | number)[]): Outcome {
  const batchItemFailures = sequences.map((one) => ({ itemIdentifier: String(one) }));
  return { type: 'answered', answer: { batchItemFailures } };
}

/** Records 1 to count of one partition key, each of 100 bytes, that arrived at time 0. */
export function mappingRecords(count: number, over: Partial<MappingRecord> = {}): MappingRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    sequence: String(index + 1),
    partitionKey: 'p-0',
    arrivalMs: 0,
    sizeBytes: 100,
    payload: undefined,
    ...over,
  }));
}

/** The sequence numbers of records, to compare. */
export function sequencesOf(records: readonly MappingRecord[]): string[] {
  return records.map(({ sequence }) => sequence);
}

/** An engine with one shard that holds the records, at time 0; it reads partial responses. */
export function engineOf(
  settings: Partial<MappingSettings>,
  records = mappingRecords(4),
  policies: Partial<MappingPolicies> = {},
): MappingEngine {
  const engine = new MappingEngine(mappingSettings({ reportsFailures: true, ...settings }), {
    ...DEFAULT_POLICIES,
    ...policies,
  });
  engine.addShard({ id: SHARD, parents: [] }, 0);
  engine.addRecords(SHARD, records);
  return engine;
}

/** What a function does with a batch: the sequence numbers in, an outcome out. */
export type Behaviour = (sequences: readonly string[]) => Outcome;

/** Answers in turn, then with success. */
export function inTurn(outcomes: readonly Outcome[]): Behaviour {
  let next = 0;
  return () => {
    next += 1;
    return outcomes[next - 1] ?? OK;
  };
}

/** Throws at a batch with one of these records. */
export function poisonedBy(...sequences: string[]): Behaviour {
  return (batch) => (batch.some((one) => sequences.includes(one)) ? FAILED : OK);
}

/** Steps until nothing is left, at the times that the engine names; what was sent and given up, in order. */
export function drive(engine: MappingEngine, behaviour: Behaviour) {
  const sent: string[][] = [];
  const sentAtMs: number[] = [];
  const discards: { sequences: string[]; condition: string; attempts: number }[] = [];
  let nowMs = 0;
  for (let steps = 0; steps < 1000; steps += 1) {
    const step = engine.step(nowMs);
    for (const { batch, condition } of step.discards) {
      discards.push({ sequences: sequencesOf(batch.records), condition, attempts: batch.attempts });
    }
    for (const { id, batch } of step.invocations) {
      const sequences = sequencesOf(batch.records);
      sent.push(sequences);
      sentAtMs.push(nowMs);
      engine.finish(id, behaviour(sequences), nowMs);
    }
    if (step.invocations.length > 0) continue;
    if (engine.backlog === 0) break;
    nowMs = Math.max(nowMs, step.wakeMs ?? nowMs);
  }
  return { sent, sentAtMs, discards };
}
