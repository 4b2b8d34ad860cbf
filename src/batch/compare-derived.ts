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
 * at least once, every copy with the same data in the partition of its key, and nothing else. A source event
 * whose id comes again after the horizon, with other data, gives two events of one name.
 *
 * @param partitions logical partitions of the pipeline that is fed
 * @returns what is stored in the stream and what was computed, where they differ
 */
export function compareDerived(
  records: readonly FedRecord[],
  computed: readonly BatchDerived[],
  partitions: number,
): readonly Difference[] {
  const expected = Map.groupBy(computed, ({ name }) => name);
  const sent = Map.groupBy(records.map(sentOf), ({ name }) => name);
  return [...new Set([...expected.keys(), ...sent.keys()])].flatMap((where) => {
    const due = (expected.get(where) ?? []).map((event) => dueOf(event, partitions));
    const came = (sent.get(where) ?? []).map(({ content }) => content);
    return [
      ...without(came, due).map((stored) => ({ where, stored, computed: due[0] })),
      ...without(due, came).map((missing) => ({ where, stored: undefined, computed: missing })),
    ];
  });
}

/** Where an event belongs, and what it says. */
interface Content {
  readonly partition: string;
  readonly data: unknown;
}

function sentOf({ partitionKey: partition, bytes }: FedRecord): {
  readonly name: string;
  readonly content: Content;
} {
  const { source, id, data } = JSON.parse(Buffer.from(bytes).toString());
  return { name: `${source} ${id}`, content: { partition, data } };
}

function dueOf({ key, data }: BatchDerived, partitions: number): Content {
  return { partition: partitionKey(partitionOf(key, partitions)), data: JSON.parse(data) };
}

/** Those of the first that are not among the second. */
function without(all: readonly Content[], others: readonly Content[]): readonly Content[] {
  const known = new Set(others.map((one) => JSON.stringify(one)));
  return all.filter((one) => !known.has(JSON.stringify(one)));
}
