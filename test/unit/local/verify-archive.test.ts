import { beforeEach, describe, expect, it } from 'vitest';
import { makeArchive } from '../../../src/handlers/archive.ts';
import { RecordDigests } from '../../../src/local/record-digests.ts';
import { SentRecords, verifyArchive } from '../../../src/local/verify-archive.ts';
import {
  type ArchiveWorld,
  batchOf,
  EPOCH,
  makeArchiveWorld,
  SETTINGS,
} from '../../helpers/archive.ts';

const SHARD = 'shardId-000000000000';
const invocation = { requestId: 'r', deadlineMs: Number.POSITIVE_INFINITY };
let world: ArchiveWorld;
let nowMs: number;

/** Sequence numbers as the emulator writes them; the archive has them without zeros. */
function sentOf(sequences: readonly number[], over: { readonly bytes?: string } = {}): SentRecords {
  const sent = new SentRecords();
  for (const sequence of sequences) {
    const bytes = Buffer.from(over.bytes ?? `record ${sequence}`);
    const padded = String(sequence).padStart(8, '0');
    sent.add({ shard: SHARD, sequence: padded, partitionKey: 'p-0', bytes });
  }
  return sent;
}

/** Archives these records in batches of 100, one object each. */
async function archive(sequences: readonly number[]): Promise<void> {
  const archiver = makeArchive(world, SETTINGS);
  for (let from = 0; from < sequences.length; from += 100) {
    const batch = batchOf(sequences.slice(from, from + 100), (sequence) => ({
      bytes: Buffer.from(`record ${sequence}`),
      arrivalMs: nowMs,
    }));
    await archiver(batch, invocation);
  }
}

const verify = (sent: SentRecords) =>
  verifyArchive(world.archive, sent, { epoch: EPOCH, startMs: nowMs });
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

beforeEach(() => {
  nowMs = Date.now();
  world = makeArchiveWorld(nowMs);
});

describe('the archive of a run', () => {
  it('equals what was sent', async () => {
    await archive(range(1, 2_500));
    expect(await verify(sentOf(range(1, 2_500)))).toEqual({
      records: 2_500,
      objects: 25,
      gaps: [],
      differences: [],
      equal: true,
    });
  });

  it('leaves out what earlier runs sent into the same stream', async () => {
    await archive(range(1, 900));
    expect(await verify(sentOf(range(301, 900)))).toMatchObject({ records: 600, equal: true });
  });

  it('differs where an object is missing, and says where', async () => {
    await archive(range(1, 2_500));
    const [, , , , , , , , , , , , gone = ''] = [...world.archive.objects.keys()].sort();
    (world.archive.objects as Map<string, Uint8Array>).delete(gone);

    const verdict = await verify(sentOf(range(1, 2_500)));

    expect(verdict).toMatchObject({ records: 2_400, equal: false });
    expect(verdict.gaps).toHaveLength(1);
    expect(verdict.differences).toMatchObject([
      { shard: SHARD, equal: 1_000, sent: { first: '1001', last: '2000', count: 1_000 } },
    ]);
  });

  it.each([
    ['its end is missing', range(1, 90), range(1, 100), {}],
    ['it has a record too many', range(1, 101), range(1, 100), {}],
    ['bytes are others', range(1, 100), range(1, 100), { bytes: 'x' }],
    ['there is nothing', [], range(1, 100), {}],
  ])('differs when %s', async (_, archived, sequences, over) => {
    await archive(archived);
    const verdict = await verify(sentOf(sequences, over));
    expect(verdict.equal).toBe(false);
    expect(verdict.differences).toMatchObject([{ shard: SHARD, equal: 0 }]);
  });
});

it('digests tell where one record ends and the next begins', () => {
  const digest = (...texts: string[]) => {
    const digests = new RecordDigests();
    for (const text of texts) {
      digests.add({ shard: SHARD, sequence: '1', partitionKey: 'p', bytes: Buffer.from(text) });
    }
    return digests.blocks(SHARD)[0]?.digest;
  };
  expect(digest('ab', 'c')).not.toBe(digest('a', 'bc'));
  expect(digest('ab', 'c')).toBe(digest('ab', 'c'));
});
