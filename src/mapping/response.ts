import { compareSequences } from '../core/position.ts';
import type { Batch } from './batch.ts';
import { DEFAULT_POLICIES, type MappingPolicies } from './policies.ts';

/**
 * How many records from the start of a batch a function's answer acknowledges.
 *
 * Complete success are: no answer, an empty object, an empty or missing list. The lowest failed sequence
 * number is the checkpoint. An identifier that is empty, missing or under another name fails the whole batch,
 * as does an answer of another form.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export function acknowledged(
  batch: Batch,
  answer: unknown,
  policies: MappingPolicies = DEFAULT_POLICIES,
): number {
  const all = batch.records.length;
  if (answer === null || answer === undefined || answer === '') return all;
  if (typeof answer !== 'object' || Array.isArray(answer)) return 0;
  const failures: unknown = Reflect.get(answer, 'batchItemFailures');
  if (failures === null || failures === undefined) return all;
  if (!Array.isArray(failures)) return 0;
  if (failures.length === 0) return all;
  const known = failures.map(identifierOf).filter((sequence) => sequence !== undefined);
  const isMixed = known.length < failures.length && known.length > 0;
  if (known.length === 0 || (isMixed && policies.mixedIdentifiers === 'whole-batch')) return 0;
  return recordsBefore(batch, lowestOf(known), policies);
}

function recordsBefore(batch: Batch, lowest: string, policies: MappingPolicies): number {
  const found = batch.records.findIndex(({ sequence }) => sequence === lowest);
  if (found >= 0) return found;
  if (policies.unknownIdentifier === 'whole-batch') return 0;
  const next = batch.records.findIndex(({ sequence }) => compareSequences(sequence, lowest) > 0);
  return next < 0 ? batch.records.length : next;
}

function lowestOf(sequences: readonly string[]): string {
  return sequences.reduce((low, next) => (compareSequences(next, low) < 0 ? next : low));
}

function identifierOf(failure: unknown): string | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const identifier: unknown = Reflect.get(failure, 'itemIdentifier');
  return typeof identifier === 'string' && /^\d+$/.test(identifier) ? identifier : undefined;
}
