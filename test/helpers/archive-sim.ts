import { makeSkippingClock } from '../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import type { ArchiveGap } from '../../src/core/archive-coverage.ts';
import { type ArchiveObject, parseArchiveKey } from '../../src/core/archive-object.ts';
import type { Program } from '../../src/core/program.ts';
import { makeArchive } from '../../src/handlers/archive.ts';
import type { Consume } from '../../src/handlers/consume.ts';
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

/** Puts the archiver where the simulation has its consumer; objects go to the world's one bucket. */
export function archiverWith(bug: Bug = (ports) => ports) {
  return (ports: ConsumePorts, program: Program): Consume => {
    const { clock, random, stream, ledger } = ports;
    const archive = makeArchive(
      bug({ clock, random, stream, ledger, archive: ports.quarantine }),
      program.settings,
    );
    return async (batch, invocation) => {
      const { response } = await archive(batch, invocation);
      return { response, report: emptyReport() };
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
