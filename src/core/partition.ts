import { DefinitionError } from './errors.ts';
import { murmur3Text } from './hash.ts';

/** Partitions of one pipeline: 1 to this many. */
export const PARTITIONS_MAX = 1024;

const HASH_SPACE = 2n ** 128n;
const PREFIX = 'p-';

/**
 * The logical partition of a key, 0 to partitions - 1: the slice of the 32-bit MurmurHash3 of its
 * UTF-8 bytes. Never changes, as the order of a key's events hangs on it.
 */
export function partitionOf(key: string, partitions: number): number {
  checkPartitions(partitions);
  return Math.floor((murmur3Text(key) * partitions) / 2 ** 32);
}

/** The Kinesis partition key that names partition i: `p-0`, `p-1` and so on. */
export function partitionKey(partition: number): string {
  return `${PREFIX}${partition}`;
}

/** The partition that a Kinesis partition key names, or undefined when it names none of them. */
export function partitionOfKey(key: string, partitions: number): number | undefined {
  if (!/^p-(0|[1-9]\d{0,3})$/.test(key)) return undefined;
  const partition = Number(key.slice(PREFIX.length));
  return partition < partitions ? partition : undefined;
}

/**
 * The middle of the i-th of equal slices of Kinesis' 128-bit hash space, as a decimal number: with
 * it as the explicit hash key, any even split into shards gets an even share of the partitions.
 */
export function explicitHashKey(partition: number, partitions: number): string {
  checkPartitions(partitions);
  return String(((2n * BigInt(partition) + 1n) * HASH_SPACE) / (2n * BigInt(partitions)));
}

function checkPartitions(partitions: number): void {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
    throw new DefinitionError(
      'partitions',
      partitions,
      `a whole number from 1 to ${PARTITIONS_MAX}`,
    );
  }
}
