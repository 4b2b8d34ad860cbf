import { packArchive } from '../handlers/archive-bytes.ts';
import { ASSUMED } from './assumptions.ts';
import type { Deployment } from './deployment.ts';
import { type BatchShape, batchShape, type WriterShare } from './lanes.ts';
import type { Sample } from './sample.ts';

/** What the archive uses, a second. */
export interface ArchiveUse {
  readonly calls: number;
  readonly callSeconds: number;
  readonly puts: number;
  /** Units of the tails in the ledger table. */
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Bytes of the objects, and of one on average. */
  readonly storedBytes: number;
  readonly objectBytes: number;
  /** The busiest shard. */
  readonly busiest: BatchShape & { readonly share: number };
}

/** What an archive is used with. */
export interface ArchiveTraffic {
  readonly rate: number;
  readonly writers: readonly WriterShare[];
}

/** One batch of a shard at a time, an object each, and one more where an hour turns; undefined without archive. */
export function archiveUse(
  sample: Sample,
  archive: Deployment['archive'],
  { rate, writers }: ArchiveTraffic,
): ArchiveUse | undefined {
  if (archive === false) return undefined;
  const core = Math.min(1, archive.memoryMb / ASSUMED.coreMb);
  const shapes = [...Map.groupBy(writers, ({ shard }) => shard).values()].flatMap((own) => {
    const share = own.reduce((sum, one) => sum + one.share, 0);
    if (share === 0) return [];
    const shape = batchShape(rate * share, {
      batchSize: archive.batchSize,
      windowS: archive.batchingWindowSeconds,
      eventBytes: sample.eventBytes,
      takesS: (events) =>
        (events * ASSUMED.archiverUs) / 1e6 / core +
        (ASSUMED.bucketPutMs + 2 * ASSUMED.tableRequestMs) / 1000,
    });
    return [{ ...shape, share }];
  });
  const calls = shapes.reduce((sum, { everyS }) => sum + 1 / everyS, 0);
  const puts = calls + shapes.length / 3_600;
  const [busiest] = [...shapes].sort((left, right) => right.share - left.share);
  const storedBytes = rate * archivedBytes(sample);
  return {
    calls,
    callSeconds: shapes.reduce((sum, { everyS, takesS }) => sum + takesS / everyS, 0),
    puts,
    writeUnits: puts,
    readUnits: calls,
    storedBytes,
    objectBytes: storedBytes / puts,
    busiest: busiest ?? { events: 0, everyS: 1, takesS: 0, overloaded: false, share: 0 },
  };
}

/** Records that are compressed to know how small they get. */
const RECORDS_MAX = 2_000;

/** Share of its bytes that a record of unknown content has in the archive. A guess. */
const COMPRESSED_SHARE = 0.3;

const SEQUENCE_BASE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;

/** Bytes of a record in an object. */
function archivedBytes({ events, eventBytes }: Sample): number {
  if (events.length === 0) return eventBytes * COMPRESSED_SHARE;
  const records = events.slice(0, RECORDS_MAX).map(({ bytes, timeMs }, index) => ({
    sequence: String(SEQUENCE_BASE + BigInt(index) * 4_096n * 1_000_003n),
    partitionKey: 'p-12',
    arrivalMs: timeMs,
    bytes,
  }));
  return packArchive(12, records).length / records.length;
}
