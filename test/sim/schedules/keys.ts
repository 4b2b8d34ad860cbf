import { decodeGroup, encodeGroup } from '../../../src/core/cell.ts';
import { DefinitionError, InvariantError } from '../../../src/core/errors.ts';
import { layoutOf } from '../../../src/core/layout.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../../../src/core/partition.ts';
import { shardId } from '../../../src/core/position.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';
import { murmur3of32 } from './stored/hashes.ts';

/** Where producers send what: were it ever to change, the order of a key's events would be lost. */
export const KEYS: Schedule = {
  name: 'keys',
  scene: true,
  seeds: 1,
  run: async () => [
    ...[1, 2, 3, 30, 1_023, 1_024].flatMap(checkPartitions),
    ...[0, -1, 1.5, 1_025, Number.NaN].flatMap(checkRefused),
    ...['{}', '"a"', '[{}]', '[[1]]', '7', 'null'].flatMap(checkGroup),
    ...checkLayouts(),
    ...['a"b', 'a\\b', '\u001f', ' ', '!', '~', '\u007f', 'é', 'x'.repeat(33)].flatMap(checkName),
    ...differs('a shard', shardId(7), 'shardId-000000000007'),
  ],
};

/** A key's partition is the slice of the hash space that its hash falls into. */
function checkPartitions(count: number): readonly string[] {
  return Array.from({ length: 60 }, (_, index) => `key ${index}`).flatMap((key) => {
    const partition = partitionIn(key, count);
    return [
      ...differs(`partition of ${key}`, partitionOf(key, count), partition),
      ...differs('its name', partitionKey(partition), `p-${partition}`),
      ...differs('its place', explicitHashKey(partition, count), placeOf(partition, count)),
    ];
  });
}

/** The slice of the hashes of 32 bits that a key's falls into. */
export function partitionIn(key: string, count: number): number {
  return Math.trunc((murmur3of32(Buffer.from(key)) / 4_294_967_296) * count);
}

/** The middle of a partition's slice of 2^128 hash keys. */
export function placeOf(partition: number, count: number): string {
  return String((BigInt(2 * partition + 1) * 2n ** 127n) / BigInt(count));
}

/**
 * On both sides of every border: groups and bytes of a cell, retention in starts of windows; and the
 * buckets and windows of a block that follow. They are part of the keys, and so may never change.
 */
const LAYOUTS = [
  [1, 640, 4_000, 1, 48],
  [1, 641, 4_000, 2, 48],
  [3, 640, 4_000, 3, 48],
  [1, 1_921, 4_000, 4, 48],
  [1, 1_920, 4_000, 3, 48],
  [1, 0.5, 4_000, 1, 48],
  [4_096, 640, 4_000, 4_096, 48],
  [4_097, 640, 4_000, 4_096, 48],
  [4_096, 1_365, 4_000, 4_096, 24],
  [4_096, 1_366, 4_000, 4_096, 12],
  [4_096, 4_096, 4_000, 4_096, 8],
  [4_096, 4_097, 4_000, 4_096, 6],
  [4_096, 40_000, 4_000, 4_096, 1],
  ...[48, 24, 12, 8, 6, 4, 3, 2, 1].flatMap((windows, index, all) => [
    [1, 1, 4 * windows, 1, windows] as const,
    [1, 1, 4 * windows - 1, 1, all[index + 1] ?? 1] as const,
  ]),
] as const;

function checkLayouts(): readonly string[] {
  return LAYOUTS.flatMap(([groups, cellBytes, retention, buckets, windows]) =>
    differs(
      `layout of ${groups} cells of ${cellBytes} bytes`,
      layoutOf({ gridMs: 1_000, groups, cellBytes, retentionMs: 1_000 * retention }),
      { gridMs: 1_000, windows, buckets },
    ),
  );
}

/** A group is named by its JSON, whatever is in it. */
function checkName(text: string): readonly string[] {
  return [[text], [text, 'b'], ['b', text]].flatMap((values) =>
    differs(`name of ${values}`, encodeGroup(values), JSON.stringify(values)),
  );
}

/** A text that is no group's. */
function checkGroup(text: string): readonly string[] {
  try {
    return [`group ${text}: got ${decodeGroup(text)}`];
  } catch (error) {
    return error instanceof InvariantError ? [] : [`group ${text}: threw ${error}`];
  }
}

/** A number of partitions that there can't be. */
function checkRefused(count: number): readonly string[] {
  return [() => partitionOf('a', count), () => explicitHashKey(0, count)].flatMap((attempt) => {
    try {
      return [`${count} partitions: got ${attempt()}`];
    } catch (error) {
      return error instanceof DefinitionError ? [] : [`${count} partitions: threw ${error}`];
    }
  });
}
