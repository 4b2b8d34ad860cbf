import { compareSequences } from '../core/position.ts';
import type { Batch } from './batch.ts';

/**
 * How many records from the start of a batch a function's answer acknowledges.
 *
 * Complete success are: no answer, an empty object, an empty or missing list. The lowest failed sequence
 * number is the checkpoint. An identifier that is empty, missing, under another name or of no record of
 * the batch fails the whole batch, as does an answer of another form.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export function acknowledged(batch: Batch, answer: unknown): number {
  const all = batch.records.length;
  if (answer === null || answer === undefined || answer === '') return all;
  if (typeof answer !== 'object' || Array.isArray(answer)) return 0;
  const failures: unknown = Reflect.get(answer, 'batchItemFailures');
  if (failures === null || failures === undefined) return all;
  if (!Array.isArray(failures)) return 0;
  if (failures.length === 0) return all;
  const sequences = failures.map(identifierOf);
  const known = sequences.filter((sequence) => sequence !== undefined);
  if (known.length < sequences.length) return 0;
  const [lowest] = known.sort(compareSequences);
  return Math.max(
    0,
    batch.records.findIndex(({ sequence }) => sequence === lowest),
  );
}

function identifierOf(failure: unknown): string | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const identifier: unknown = Reflect.get(failure, 'itemIdentifier');
  return typeof identifier === 'string' && /^\d+$/.test(identifier) ? identifier : undefined;
}
