import { makeMemoryBucket } from '../../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { makeMemoryShards } from '../../src/adapters/memory/shards.ts';
import { makeMemoryStream } from '../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import { type ArchiveGap, gapsOf } from '../../src/core/archive-coverage.ts';
import { type ArchiveObject, parseArchiveKey } from '../../src/core/archive-object.ts';
import { decodeTail, tailPartition } from '../../src/core/archive-tail.ts';
import { compile } from '../../src/core/compile.ts';
import { epochOf } from '../../src/core/writer.ts';
import { type ArchiveRange, makeReadArchive } from '../../src/handlers/read-archive.ts';
import { smallPipeline } from './small-pipeline.ts';
import { NOON_MS, type RecordOptions, record } from './world.ts';

/** The small pipeline's settings: a stream of one day. */
export const { settings: SETTINGS } = compile(smallPipeline);

const IDENTITY = {
  arn: 'arn:aws:kinesis:eu-west-1:111122223333:stream/test',
  createdMs: 1_700_000_000_000,
};

/** The epoch of the archive's world. */
export const EPOCH = epochOf(IDENTITY);

/** Everything that the archiver, its check and its reader need, in memory. */
export function makeArchiveWorld(nowMs = NOON_MS) {
  return {
    clock: makeSkippingClock(nowMs),
    random: makeSeededRandom(1),
    stream: makeMemoryStream(IDENTITY),
    shards: makeMemoryShards(),
    ledger: makeMemoryTable(),
    archive: makeMemoryBucket(),
  };
}

/** The archive's world. */
export type ArchiveWorld = ReturnType<typeof makeArchiveWorld>;

/** A batch of records with these sequence numbers. */
export function batchOf(
  sequences: readonly number[],
  over: Partial<RecordOptions> | ((sequence: number) => Partial<RecordOptions>) = {},
) {
  const more = typeof over === 'function' ? over : () => over;
  return { Records: sequences.map((sequence) => record({ sequence, ...more(sequence) })) };
}

/** What the names of all objects say, in the order of keys. */
export function objectsOf({ archive }: ArchiveWorld): readonly ArchiveObject[] {
  return [...archive.objects.keys()].sort().map(parseArchiveKey);
}

/** The tail of a shard as it is stored. */
export async function storedTail({ ledger }: ArchiveWorld, shard = 0) {
  const page = await ledger.query(
    { pk: tailPartition(EPOCH) },
    { deadlineMs: Number.POSITIVE_INFINITY },
  );
  return page.items.map(decodeTail).find((tail) => tail.shard === shard);
}

/** The gaps of a shard by the names of its objects. */
export function gapsIn(world: ArchiveWorld, shard = 0): readonly ArchiveGap[] {
  return gapsOf(objectsOf(world).filter((object) => object.shard === shard));
}

/** Everything that the reader gives of a range: `shard:sequence`, and the gaps. */
export async function readAll(
  world: ArchiveWorld,
  range: ArchiveRange = { fromMs: NOON_MS - 86_400_000, toMs: NOON_MS + 86_400_000 },
) {
  const reader = makeReadArchive(world);
  const records: string[] = [];
  const gaps: ArchiveGap[] = [];
  for (const shard of await reader.shards(range)) {
    const read = reader.records(shard, range, { onGap: (gap) => gaps.push(gap) });
    for await (const { sequence } of read) records.push(`${shard.shard}:${sequence}`);
  }
  return { records, gaps };
}
