import { systemClock } from '../adapters/aws/clock.ts';
import { systemRandom } from '../adapters/aws/random.ts';
import type { ArchiveGap } from '../core/archive-coverage.ts';
import { hourOf } from '../core/archive-object.ts';
import { compareSequences, shardId, shardNumber, withoutLeadingZeros } from '../core/position.ts';
import { listFromHour } from '../handlers/list-archive.ts';
import { makeReadArchive } from '../handlers/read-archive.ts';
import type { Bucket } from '../ports/bucket.ts';
import {
  compareDigests,
  type PlacedRecord,
  type RecordDifference,
  RecordDigests,
} from './record-digests.ts';

/** What the archive of a run is, read back. */
export interface ArchiveVerdict {
  /** Records that were read back. */
  readonly records: number;
  /** Objects since the run's first hour began. */
  readonly objects: number;
  readonly gaps: readonly ShardGap[];
  /** Where it begins to differ from what was sent. */
  readonly differences: readonly RecordDifference[];
  /** The same records in the same order, and no gap. */
  readonly equal: boolean;
}

/** A gap and whose it is. */
export interface ShardGap extends ArchiveGap {
  readonly shard: number;
}

const HOUR_MS = 3_600_000;

/** The records that the stream took in one run. */
export class SentRecords {
  readonly digests = new RecordDigests();
  readonly #first = new Map<number, string>();

  /** Adds what a shard took next; its sequence number as the stream wrote it. */
  add(record: PlacedRecord): void {
    const sequence = withoutLeadingZeros(record.sequence);
    this.digests.add({ ...record, sequence });
    const shard = shardNumber(record.shard);
    if (!this.#first.has(shard)) this.#first.set(shard, sequence);
  }

  /** True for a position of this run: before the shard's first one are earlier runs. */
  isOfThisRun(shard: number, sequence: string): boolean {
    const first = this.#first.get(shard);
    return first !== undefined && compareSequences(sequence, first) >= 0;
  }
}

/** Reads a run's archive back and compares it with what was sent, record by record. */
export async function verifyArchive(
  archive: Bucket,
  sent: SentRecords,
  run: { readonly epoch: string; readonly startMs: number },
): Promise<ArchiveVerdict> {
  const archived = new RecordDigests();
  const gaps: ShardGap[] = [];
  const range = { fromMs: run.startMs - HOUR_MS, toMs: Date.now() + HOUR_MS };
  const reader = makeReadArchive({ clock: systemClock, random: systemRandom, archive });
  const shards = await reader.shards(range);
  for (const found of shards.filter(({ epoch }) => epoch === run.epoch)) {
    const { shard } = found;
    const onGap = (gap: ArchiveGap) => {
      if (sent.isOfThisRun(shard, gap.until)) gaps.push({ shard, ...gap });
    };
    for await (const record of reader.records(found, range, { onGap })) {
      if (!sent.isOfThisRun(shard, record.sequence)) continue;
      archived.add({ shard: shardId(shard), ...record });
    }
  }
  const differences = compareDigests(sent.digests, archived);
  return {
    records: archived.count,
    objects: await countObjects(archive, run),
    gaps,
    differences,
    equal: differences.length === 0 && gaps.length === 0,
  };
}

async function countObjects(
  archive: Bucket,
  run: { readonly epoch: string; readonly startMs: number },
): Promise<number> {
  const context = () => ({
    clock: systemClock,
    random: systemRandom,
    deadlineMs: Date.now() + HOUR_MS,
  });
  let count = 0;
  for await (const { epoch } of listFromHour(archive, hourOf(run.startMs), context)) {
    if (epoch === run.epoch) count += 1;
  }
  return count;
}
