import { partitionKey, partitionOf } from '../core/partition.ts';
import type { Difference } from './compare.ts';
import type { BatchDerived } from './derived.ts';

/** A record of a stream that is fed. */
export interface FedRecord {
  readonly partitionKey: string;
  readonly bytes: Uint8Array;
}

/**
 * Compares what came into the stream of a fed pipeline with what a batch computation derives: each event
 * at least once, every copy with the same data in the partition of its key, and nothing else.
 *
 * @param partitions logical partitions of the pipeline that is fed
 * @returns what is stored in the stream and what was computed, where they differ
 */
export function compareDerived(
  records: readonly FedRecord[],
  computed: readonly BatchDerived[],
  partitions: number,
): readonly Difference[] {
  const expected = new Map(computed.map((event) => [event.name, event]));
  const seen = new Set<string>();
  const wrong = records.flatMap((record): Difference[] => {
    const { source, id, data } = JSON.parse(Buffer.from(record.bytes).toString());
    const name = `${source} ${id}`;
    seen.add(name);
    const event = expected.get(name);
    if (event === undefined) return [{ where: name, stored: data, computed: undefined }];
    const computed = {
      partition: partitionKey(partitionOf(event.key, partitions)),
      data: JSON.parse(event.data),
    };
    const stored = { partition: record.partitionKey, data };
    const isEqual = JSON.stringify(stored) === JSON.stringify(computed);
    return isEqual ? [] : [{ where: name, stored, computed }];
  });
  const missing = [...expected].filter(([name]) => !seen.has(name));
  return [
    ...wrong,
    ...missing.map(([where, { data }]) => ({ where, stored: undefined, computed: data })),
  ];
}
