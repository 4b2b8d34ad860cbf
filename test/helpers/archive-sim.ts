import { makeSkippingClock } from '../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { type ArchiveGap, gapsOf } from '../../src/core/archive-coverage.ts';
import { type ArchiveObject, hourOf, parseArchiveKey } from '../../src/core/archive-object.ts';
import { decodeTail, tailPartition } from '../../src/core/archive-tail.ts';
import { compareSequences } from '../../src/core/position.ts';
import type { Program } from '../../src/core/program.ts';
import { epochOf } from '../../src/core/writer.ts';
import { type ArchiveResult, makeArchive } from '../../src/handlers/archive.ts';
import type { Consume } from '../../src/handlers/consume.ts';
import type { KinesisBatch } from '../../src/handlers/kinesis-batch.ts';
import type { ArchivePorts, ConsumePorts } from '../../src/handlers/ports.ts';
import { type ArchivedShard, makeReadArchive } from '../../src/handlers/read-archive.ts';
import { emptyReport } from '../../src/handlers/report.ts';
import { ALL_FAULTS } from '../../src/sim/faults.ts';
import type { SimOptions, SimResult } from '../../src/sim/schedule.ts';
import { simulate } from '../../src/sim/simulate.ts';
import type { SimRecord } from '../../src/sim/stream.ts';
import { smallOptions } from './simulate-small.ts';

/** Ten seconds before an hour, so that batches span hours. */
export const START_MS = Date.UTC(2026, 10, 20, 12, 59, 50);

/** How a planted bug changes what the archiver sees of the world. */
export type Bug = (ports: ArchivePorts) => ArchivePorts;

/** Hears how each batch ended, and when, milliseconds since 1970 UTC. */
export type OnArchived = (batch: KinesisBatch, result: ArchiveResult, endMs: number) => void;

/** Puts the archiver where the simulation has its consumer; objects go to the world's one bucket. */
export function archiverWith(bug: Bug = (ports) => ports, onResult?: OnArchived) {
  return (ports: ConsumePorts, program: Program): Consume => {
    const { clock, random, stream, ledger } = ports;
    const archive = makeArchive(
      bug({ clock, random, stream, ledger, archive: ports.quarantine }),
      program.settings,
    );
    return async (batch, invocation) => {
      const result = await archive(batch, invocation);
      onResult?.(batch, result, clock.now());
      return { response: result.response, report: emptyReport() };
    };
  };
}

/** Every fault that loses no record, some more often than usual. */
export const ARCHIVE_FAULTS = {
  ...ALL_FAULTS,
  applyLate: 0.1,
  loseCheckpoint: 0.25,
  recreate: 0,
  retention: 0,
};

/** Archives the small pipeline's events under faults. */
export function simulateArchive(seed: number, over: Partial<SimOptions> = {}): Promise<SimResult> {
  const options = smallOptions(seed, {
    makeHandler: archiverWith(),
    faults: ARCHIVE_FAULTS,
    settings: { batchSize: 12, windowMs: 2_000, parallelization: 1, bisect: seed % 3 > 0 },
    ...over,
  });
  const shift = START_MS - options.startMs;
  const events = options.events.map((event) => ({ ...event, atMs: event.atMs + shift }));
  return simulate({ ...options, startMs: START_MS, events });
}

/** What the names of all objects say. */
export function objectsIn({ world }: SimResult): readonly ArchiveObject[] {
  return [...world.quarantine.objects.keys()].map(parseArchiveKey);
}

/** Everything of a record. Arrivals are whole milliseconds, as Kinesis gives them; the simulation's time is finer. */
export function textOf({
  sequence,
  partitionKey,
  arrivalMs,
  bytes,
}: Pick<SimRecord, 'sequence' | 'partitionKey' | 'arrivalMs' | 'bytes'>): string {
  return `${sequence} ${partitionKey} ${Math.round(arrivalMs)} ${Buffer.from(bytes).toString('base64')}`;
}

/** A shard as it was read back. */
export interface ReadShard extends ArchivedShard {
  readonly texts: readonly string[];
  readonly gaps: readonly ArchiveGap[];
}

/** The whole archive, read back. */
export async function readBack({ world }: SimResult): Promise<readonly ReadShard[]> {
  const clock = makeSkippingClock(START_MS);
  const reader = makeReadArchive({ clock, random: makeSeededRandom(1), archive: world.quarantine });
  const range = { fromMs: START_MS - 3_600_000, toMs: START_MS + 30 * 86_400_000 };
  const read: ReadShard[] = [];
  for (const shard of await reader.shards(range)) {
    const texts: string[] = [];
    const gaps: ArchiveGap[] = [];
    const records = reader.records(shard, range, { onGap: (gap) => gaps.push(gap) });
    for await (const record of records) texts.push(textOf(record));
    read.push({ ...shard, texts, gaps });
  }
  return read;
}

/** What broke of what an archive promises. */
export async function archiveProblems(result: SimResult): Promise<readonly string[]> {
  const stuck = result.violations.filter((text) => /not finished|gave up|threw/.test(text));
  const objects = objectsIn(result);
  const problems = [...stuck];
  const read = await readBack(result);
  for (const [shard, records] of Map.groupBy(result.records, (record) => record.shard)) {
    const own = objects.filter((object) => object.shard === shard);
    const tail = await tailOf(result, shard);
    const [first, last] = [records[0]?.sequence, records.at(-1)?.sequence];
    if (tail?.first !== first || tail?.last !== last) problems.push(`tail of ${shard}`);
    if (gapsOf(own, { first, last }).length > 0) problems.push(`gap in ${shard}`);
    if (own.some((object) => isWrong(object, records))) problems.push(`claim in ${shard}`);
    const { texts = [], gaps = [] } = read.find((one) => one.shard === shard) ?? {};
    if (gaps.length > 0) problems.push(`gap while reading ${shard}`);
    if (texts.join() !== records.map(textOf).join()) problems.push(`records of ${shard}`);
  }
  return problems;
}

async function tailOf({ world, startMs }: SimResult, shard: number) {
  const { arn } = await world.stream.identify({ deadlineMs: Number.POSITIVE_INFINITY });
  const pk = tailPartition(epochOf({ arn, createdMs: startMs - 1_000 }));
  const page = await world.ledger.query({ pk }, { deadlineMs: Number.POSITIVE_INFINITY });
  return page.items.map(decodeTail).find((tail) => tail.shard === shard);
}

/** True when the object's name promises a record that it can't hold: one that arrived in another hour. */
function isWrong(object: ArchiveObject, records: readonly SimRecord[]): boolean {
  const claimed = records.filter(
    ({ sequence }) =>
      compareSequences(sequence, object.after ?? '0') > 0 &&
      compareSequences(sequence, object.last) <= 0 &&
      (object.after !== undefined || compareSequences(sequence, object.first) >= 0),
  );
  const hours = claimed.every(({ arrivalMs }) => hourOf(Math.round(arrivalMs)) === object.hourMs);
  return !hours || claimed[0]?.sequence !== object.first;
}
