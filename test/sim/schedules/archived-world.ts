import { makeMemoryBucket } from '../../../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../../src/adapters/memory/table.ts';
import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { type ArchiveResult, makeArchive } from '../../../src/handlers/archive.ts';
import type { Item } from '../../../src/ports/table.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { record } from '../../helpers/world.ts';
import { differs } from './stored/facts.ts';
import { sipHash24 } from './stored/hashes.ts';

/** An hour in milliseconds. */
export const HOUR_MS = 3_600_000;
/** A tenth of a second before an hour. */
export const START_MS = Date.UTC(2026, 10, 20, 12, 59, 59, 900);
const ARN = 'arn:aws:kinesis:eu-west-1:111122223333:stream/archived';
const CREATED_MS = 1_700_000_000_000;
const { settings } = compile(smallPipeline);

/** How long the stream keeps records, milliseconds. */
export const STREAM_MS = settings.retention.streamMs;

/** How long an object takes, milliseconds. */
export const PUT_MS = 30;

/** A world with one archiver. */
export function setUp() {
  const clock = makeSkippingClock(START_MS);
  const ledger = makeMemoryTable();
  const archive = makeMemoryBucket();
  const stream = makeMemoryStream({ arn: ARN, createdMs: CREATED_MS });
  const deadlines: Record<string, number> = {};
  /** What stands between the archiver and its world; a test may put something there. */
  const trouble = { put: 0, after: Number.POSITIVE_INFINITY, overtaken: 0, lost: 0 };
  const ports = {
    clock,
    random: makeSeededRandom(1),
    stream,
    ledger: {
      ...ledger,
      putIf: async (
        writes: Parameters<typeof ledger.putIf>[0],
        options: { deadlineMs: number },
      ) => {
        deadlines.ledger = options.deadlineMs;
        for (const { item } of writes) {
          if (trouble.overtaken > 0)
            await ledger.putAll([aheadOf(item, trouble.overtaken)], options);
        }
        trouble.overtaken -= 1;
        const results = await ledger.putIf(writes, options);
        trouble.lost -= 1;
        if (trouble.lost < 0) return results;
        return writes.map(() => ({ status: 'failed' as const, error: new TransientError('lost') }));
      },
    },
    archive: {
      ...archive,
      put: async (key: string, body: Uint8Array, type: string, options: { deadlineMs: number }) => {
        if (type !== 'application/zstd') throw new RangeError(`type of an object: got ${type}`);
        deadlines.archive = options.deadlineMs;
        if (trouble.after <= 0 || key.includes(`-${trouble.put}.`))
          throw new TransientError('refused');
        trouble.after -= 1;
        clock.advance(PUT_MS);
        return archive.put(key, body, type, options);
      },
    },
  };
  const handler = makeArchive(ports, settings);
  const run = (sequences: readonly number[], ms = 30_000, stepMs = 100) => {
    const Records = sequences.map((sequence, index) =>
      record({
        sequence,
        shard: 3,
        arrivalMs: clock.now() + index * stepMs,
        bytes: Buffer.from(`r${sequence}`),
      }),
    );
    return handler({ Records }, { requestId: 'r', deadlineMs: clock.now() + ms });
  };
  return { clock, ledger, archive, deadlines, trouble, handler, run };
}

/** The world's type. */
export type ArchivedWorld = ReturnType<typeof setUp>;

/** Another archiver's tail, a little further each time, which still is before the last record of these. */
function aheadOf(item: Item, left: number): Item {
  return { ...item, p: String(100 - left), k: 1 };
}

/** The name of the stream's epoch. */
export function epoch(): string {
  const hash = sipHash24(Buffer.from('millrace epoch 1'), Buffer.from(`${ARN} ${CREATED_MS}`));
  const high = (hash >> 32n).toString(16).padStart(8, '0');
  return `${Math.floor(CREATED_MS / 1000).toString(36)}-${high}`;
}

/** The key of an object of shard 3. */
export function keyOf(
  hour: string,
  [first, last, after]: readonly [string, string, string],
): string {
  return `archive/v1/day=2026-11-20/hour=${hour}/${epoch()}.000000000003.${first}.${last}.${after}.jsonl.zst`;
}

/** The tail of shard 3, as it is stored. */
export function tailOf({ ledger }: ArchivedWorld): Item | undefined {
  return ledger.items().find(({ pk }) => pk === `archive|${epoch()}`);
}

/** What a report says otherwise than expected; sizes and times are left out. */
export function reportOf({ report }: ArchiveResult, over: Partial<ArchiveResult['report']>) {
  const plain = { archived: 0, repeated: 0, unfinished: 0, objects: 0, unconnected: 0, stops: [] };
  const {
    received: _received,
    rawBytes: _raw,
    bytes: _bytes,
    timeToArchiveMs: _time,
    ...told
  } = report;
  return differs(
    'report',
    Object.entries(told).sort(),
    Object.entries({ ...plain, ...over }).sort(),
  );
}
