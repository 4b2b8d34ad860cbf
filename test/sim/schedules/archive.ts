import { type ArchiveGap, gapsOf } from '../../../src/core/archive-coverage.ts';
import { compareSequences } from '../../../src/core/position.ts';
import { epochStartMs } from '../../../src/core/writer.ts';
import type { ArchiveResult } from '../../../src/handlers/archive.ts';
import type { KinesisBatch } from '../../../src/handlers/kinesis-batch.ts';
import { ALL_FAULTS } from '../../../src/sim/faults.ts';
import type { SimOptions, SimResult } from '../../../src/sim/schedule.ts';
import type { SimRecord } from '../../../src/sim/stream.ts';
import {
  ARCHIVE_FAULTS,
  archiveProblems,
  archiverWith,
  objectsIn,
  readBack,
  simulateArchive,
  textOf,
} from '../../helpers/archive-sim.ts';
import type { Schedule } from './schedule.ts';
import { checkArchive } from './stored/archive.ts';
import { differs, outside } from './stored/facts.ts';

/** The archiver under faults: names leave no gap, and what is read back equals the stream. */
export const ARCHIVE: Schedule = {
  name: 'archive',
  seeds: 12,
  run: async (seed) => {
    const reports: Reported[] = [];
    const result = await simulateArchive(seed, { makeHandler: reporting(reports) });
    return [
      ...(await archiveProblems(result)),
      ...checkArchive(result),
      ...reports.flatMap(checkReport),
    ];
  },
};

/** A stream that forgot records before they were archived: each lost one lies in a gap that is told. */
export const ARCHIVE_LOSSES: Schedule = {
  name: 'archive losses',
  seeds: 8,
  run: async (seed) => {
    const result = await simulateArchive(seed, {
      faults: { ...ARCHIVE_FAULTS, retention: ALL_FAULTS.retention * 1e6 },
      keepEveryMs: 3_600_000,
      makeKeeper: () => async () => ({ writers: 0, renewed: 0, retired: 0 }),
    });
    const read = await readBack(result);
    return [...Map.groupBy(result.records, ({ shard }) => shard)].flatMap(([shard, records]) =>
      lossesOf(
        result,
        records,
        read.find((one) => one.shard === shard),
      ),
    );
  },
};

/** A stream that is deleted and made again has an archive of its own each time. */
export const ARCHIVE_RECREATED: Schedule = {
  name: 'archive recreated',
  seeds: 6,
  run: async (seed) => {
    const faults = { ...ARCHIVE_FAULTS, recreate: ALL_FAULTS.recreate * 1e6 };
    const result = await simulateArchive(seed, { faults });
    const read = await readBack(result);
    const epochs = [...new Set(read.map(({ epoch }) => epoch))].sort(
      (left, right) => epochStartMs(left) - epochStartMs(right),
    );
    const incarnations = [...new Set(result.records.map(({ incarnation }) => incarnation))].sort();
    if (epochs.length < incarnations.length) return [];
    return read.flatMap(({ epoch, shard, texts, gaps }) => {
      const place = epochs.indexOf(epoch);
      const records = result.records.filter(
        (record) => record.incarnation === incarnations[place] && record.shard === shard,
      );
      const isWhole = place < epochs.length - 1 || texts.length === records.length;
      const expected = records.slice(0, texts.length).map(textOf);
      return [
        ...(gaps.length > 0 ? [`gap in shard ${shard} of ${epoch}`] : []),
        ...(isWhole ? [] : [`shard ${shard} of the last stream is not whole`]),
        ...(texts.join() === expected.join() ? [] : [`records of shard ${shard} of ${epoch}`]),
      ];
    });
  },
};

type ReadShard = Awaited<ReturnType<typeof readBack>>[number];

/** What is lost and not told, told as certain, or told otherwise by the reader. */
function lossesOf(
  result: SimResult,
  records: readonly SimRecord[],
  read: ReadShard | undefined,
): readonly string[] {
  const archived = new Set(read?.texts);
  const isArchived = (record: SimRecord) => archived.has(textOf(record));
  const [first, last] = [records.findIndex(isArchived), records.findLastIndex(isArchived)];
  const lost = records.slice(Math.max(0, first), last + 1).filter((one) => !isArchived(one));
  const shard = records[0]?.shard;
  const gaps = gapsOf(objectsIn(result).filter((object) => object.shard === shard));
  const untold = lost.filter((record) => !gaps.some((gap) => isIn(gap, record)));
  return [
    ...(gaps.some(({ certain }) => certain) ? [`shard ${shard}: a gap is certain`] : []),
    ...(JSON.stringify(read?.gaps ?? []) === JSON.stringify(gaps)
      ? []
      : [`shard ${shard}: other gaps`]),
    ...untold.map(({ sequence }) => `record ${shard}:${sequence} is lost, and not told`),
  ];
}

function isIn(gap: ArchiveGap, { sequence }: SimRecord): boolean {
  const order = compareSequences(sequence, gap.until);
  return compareSequences(sequence, gap.after ?? '0') > 0 && (gap.certain ? order <= 0 : order < 0);
}

/** A batch that was archived, and how. */
interface Reported extends ArchiveResult {
  readonly batch: KinesisBatch;
  readonly endMs: number;
}

/** The archiver, whose reports are noted. */
function reporting(reports: Reported[]): SimOptions['makeHandler'] {
  return archiverWith(
    (ports) => ports,
    (batch, result, endMs) => {
      reports.push({ ...result, batch, endMs });
    },
  );
}

/** Each record is counted once, and what is answered is the first one that isn't done. */
function checkReport({ batch, response, report, endMs }: Reported): readonly string[] {
  const { Records } = batch;
  const { received, archived, repeated, unfinished, stops } = report;
  const first = Records[Records.length - unfinished];
  const oldest = Records[repeated];
  const answer = unfinished === 0 ? [] : [{ itemIdentifier: first?.kinesis.sequenceNumber }];
  const waitedMs = endMs - Math.round((oldest?.kinesis.approximateArrivalTimestamp ?? 0) * 1000);
  return [
    ...differs(
      'received',
      [received, archived + repeated + unfinished],
      [Records.length, received],
    ),
    ...differs('answer', response.batchItemFailures, answer),
    ...differs('stops', stops.length > 0, unfinished > 0),
    ...differs('objects', report.objects > 0, report.bytes > 0),
    ...outside(
      'time',
      report.timeToArchiveMs,
      archived > 0 ? [waitedMs - 1_000, waitedMs] : [0, 0],
    ),
  ];
}
