import { hashScalar, type Scalar } from '../core/accumulators/scalar.ts';
import type { ColumnInput, PlainResult } from './columns.ts';
import { nearest, scaled } from './exact-number.ts';

const COST_MAX = 24_000;

interface Key {
  readonly key: Scalar;
  readonly weight: bigint;
  readonly level: number;
}

/**
 * The heaviest keys, from the whole list of events. While all keys fit they are exact; else, as in the
 * pipeline's sketch, keys that were drawn in proportion to their weight, with the least of the four sums that
 * they share with other keys.
 */
export function plainTop(inputs: readonly ColumnInput[], k: number): PlainResult {
  const groups = Map.groupBy(inputs, ({ value }) => value as Scalar);
  const keys = [...groups].map(([key, events]): Key => {
    const weight = events.reduce((sum, event) => sum + scaled(event.weight), 0n);
    return { key, weight, level: Math.max(...events.map(levelOf)) };
  });
  if (costOf(keys) <= COST_MAX) return { value: heaviest(keys, k, 0) };
  const threshold = [...new Set(keys.map(({ level }) => level))]
    .flatMap((level) => [level, level + 1])
    .sort((left, right) => left - right)
    .find((level) => costOf(keys.filter((one) => one.level >= level)) <= COST_MAX);
  const rows = [0, 1, 2, 3].map((row) => sumsOf(keys, row));
  const total = keys.reduce((sum, { weight }) => sum + weight, 0n);
  const kept = keys
    .filter(({ level }) => level >= Number(threshold))
    .map((one) => ({ ...one, weight: leastOf(rows, one.key) }));
  const error = (nearest(total) * Math.E) / 256;
  // A key of this weight is left out once in e^25 times.
  const missing = keys.find(
    ({ level, weight }) =>
      level < Number(threshold) && weight > 25n * scaled(2 ** Number(threshold)),
  );
  return {
    value: heaviest(kept, k, error),
    doubt: missing && `${missing.key} is left out, which weighs ${nearest(missing.weight)}`,
  };
}

/** The exponent of the weight divided by a random number in (0, 1) that event and key give. */
function levelOf({ value, weight, name }: ColumnInput): number {
  const { high, low } = hashScalar(value as Scalar, `\n${name}`);
  const bits = (BigInt(high) << 21n) | (BigInt(low) >> 11n);
  const quotient = weight / (Number(2n * bits + 1n) / 2 ** 54);
  let level = Math.floor(Math.log2(quotient));
  if (quotient < 2 ** level) level -= 1;
  if (quotient >= 2 ** (level + 1)) level += 1;
  return level;
}

function costOf(keys: readonly Key[]): number {
  return keys.reduce(
    (sum, { key }) => sum + 16 + (typeof key === 'string' ? Buffer.byteLength(key) : 8),
    0,
  );
}

/** The sums of one row, by the byte of the hash that picks them. */
function sumsOf(keys: readonly Key[], row: number): ReadonlyMap<number, bigint> {
  const sums = new Map<number, bigint>();
  for (const { key, weight } of keys) {
    const byte = byteOf(key, row);
    sums.set(byte, (sums.get(byte) ?? 0n) + weight);
  }
  return sums;
}

function byteOf(key: Scalar, row: number): number {
  return Math.floor(hashScalar(key).low / 256 ** (3 - row)) % 256;
}

function leastOf(rows: readonly ReadonlyMap<number, bigint>[], key: Scalar): bigint {
  const sums = rows.map((row, index) => row.get(byteOf(key, index)) ?? 0n);
  return sums.reduce((least, sum) => (sum < least ? sum : least));
}

function heaviest(keys: readonly Key[], k: number, error: number): unknown {
  return keys
    .map(({ key, weight }) => ({ key, weight: nearest(weight), error }))
    .sort((left, right) => right.weight - left.weight || inOrder(left.key, right.key))
    .slice(0, k);
}

function inOrder(left: Scalar, right: Scalar): number {
  if (typeof left !== typeof right) return typeof left < typeof right ? -1 : 1;
  return left < right ? -1 : 1;
}
