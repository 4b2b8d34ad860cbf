import { describe, expect, it } from 'vitest';
import { type ArchiveGap, gapsOf } from '../../src/core/archive-coverage.ts';
import { compareSequences } from '../../src/core/position.ts';
import { epochStartMs } from '../../src/core/writer.ts';
import { ALL_FAULTS } from '../../src/sim/faults.ts';
import type { SimResult } from '../../src/sim/schedule.ts';
import type { SimRecord } from '../../src/sim/stream.ts';
import {
  ARCHIVE_FAULTS,
  objectsIn,
  readBack,
  simulateArchive,
  textOf,
} from '../helpers/archive-sim.ts';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const HOUR_MS = 3_600_000;

/** The keeper has nothing to keep here, but without it the stream never forgets. */
const forgetful = {
  faults: { ...ARCHIVE_FAULTS, retention: ALL_FAULTS.retention * 1e6 },
  keepEveryMs: HOUR_MS,
  makeKeeper: () => async () => ({ writers: 0, renewed: 0, retired: 0 }),
};

function isIn(gap: ArchiveGap, { sequence }: SimRecord): boolean {
  const order = compareSequences(sequence, gap.until);
  return compareSequences(sequence, gap.after ?? '0') > 0 && (gap.certain ? order <= 0 : order < 0);
}

/** Records of a shard that are not archived although some before and after them are, and the gaps told. */
async function lossesOf(result: SimResult) {
  const read = await readBack(result);
  return [...Map.groupBy(result.records, ({ shard }) => shard)].map(([shard, records]) => {
    const archived = new Set(read.find((one) => one.shard === shard)?.texts);
    const isArchived = (record: SimRecord) => archived.has(textOf(record));
    const [first, last] = [records.findIndex(isArchived), records.findLastIndex(isArchived)];
    const lost = records.slice(Math.max(0, first), last + 1).filter((one) => !isArchived(one));
    const gaps = gapsOf(objectsIn(result).filter((object) => object.shard === shard));
    return { lost, gaps, read: read.find((one) => one.shard === shard)?.gaps ?? [] };
  });
}

describe('a stream that forgot records before they were archived', () => {
  it('leaves gaps that may be some, and each lost record lies in one', async () => {
    let lostInAll = 0;
    for (const seed of SEEDS) {
      for (const { lost, gaps, read } of await lossesOf(await simulateArchive(seed, forgetful))) {
        lostInAll += lost.length;
        expect(gaps.filter(({ certain }) => certain)).toEqual([]);
        expect(read).toEqual(gaps);
        const untold = lost.filter((record) => !gaps.some((gap) => isIn(gap, record)));
        expect(untold, `seed ${seed}`).toEqual([]);
      }
    }
    expect(lostInAll).toBeGreaterThan(20);
  }, 120_000);
});

describe('a stream that is deleted and made again', () => {
  it('has an archive of its own each time, whole up to what was read before its end', async () => {
    const faults = { ...ARCHIVE_FAULTS, recreate: ALL_FAULTS.recreate * 1e6 };
    let again = 0;
    for (const seed of SEEDS) {
      const result = await simulateArchive(seed, { faults });
      const read = await readBack(result);
      const epochs = [...new Set(read.map(({ epoch }) => epoch))].sort(
        (left, right) => epochStartMs(left) - epochStartMs(right),
      );
      const incarnations = [...new Set(result.records.map(({ incarnation }) => incarnation))];
      if (epochs.length < incarnations.length) continue;
      again += incarnations.length - 1;
      for (const { epoch, shard, texts, gaps } of read) {
        const incarnation = incarnations.sort()[epochs.indexOf(epoch)];
        const records = result.records.filter(
          (record) => record.incarnation === incarnation && record.shard === shard,
        );
        const isLast = epochs.indexOf(epoch) === epochs.length - 1;
        expect(gaps).toEqual([]);
        expect(texts).toEqual(records.slice(0, texts.length).map(textOf));
        if (isLast) expect(texts).toHaveLength(records.length);
      }
    }
    expect(again).toBeGreaterThan(10);
  }, 120_000);
});
