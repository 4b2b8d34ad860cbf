import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArchiveObject, archiveObjectKey, hourOf } from '../../../src/core/archive-object.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { packArchive } from '../../../src/handlers/archive-bytes.ts';
import { makeReadArchive } from '../../../src/handlers/read-archive.ts';
import {
  type ArchiveWorld,
  EPOCH,
  makeArchiveWorld,
  objectsOf,
  readAll,
} from '../../helpers/archive.ts';
import { NOON_MS } from '../../helpers/world.ts';

const HOUR_MS = 3_600_000;
const NEVER = { deadlineMs: Number.POSITIVE_INFINITY };

/** Puts an object of these records of shard 0; `after` undefined doesn't say what it follows. */
async function put(
  world: ArchiveWorld,
  sequences: readonly number[],
  over: Partial<ArchiveObject> & { readonly arrivalMs?: number } = {},
): Promise<string> {
  const { arrivalMs = NOON_MS, ...more } = over;
  const [first = '', last = ''] = [sequences[0], sequences.at(-1)].map(String);
  const object = {
    epoch: EPOCH,
    shard: 0,
    hourMs: hourOf(arrivalMs),
    after: undefined,
    first,
    last,
    ...more,
  };
  const records = sequences.map((sequence) => ({
    sequence: String(sequence),
    partitionKey: 'p-0',
    arrivalMs,
    bytes: Buffer.from(`{"n":${sequence}}`),
  }));
  const key = archiveObjectKey(object);
  await world.archive.put(key, packArchive(object.shard, records), 'application/zstd', NEVER);
  return key;
}

describe('reading the archive', () => {
  it('gives each record once, in order, whatever the boundaries and overlaps', async () => {
    const tries = fc.array(
      fc.record({ back: fc.integer({ min: 0, max: 5 }), count: fc.integer({ min: 1, max: 7 }) }),
      { minLength: 1, maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(tries, fc.integer({ min: 0, max: 9 }), async (steps, shift) => {
        const world = makeArchiveWorld();
        let reached = 0;
        for (const { back, count } of steps) {
          const from = Math.max(0, reached - back);
          const some = Array.from({ length: count }, (_, index) => from + index + 1);
          // Ten records an hour; an object holds those of one hour.
          for (const [hour, part] of Map.groupBy(some, (n) => Math.floor((n + shift) / 10))) {
            const first = part[0] ?? 1;
            const after = first === 1 ? undefined : String(first - 1);
            await put(world, part, { after, arrivalMs: NOON_MS + hour * HOUR_MS });
          }
          reached = Math.max(reached, from + count);
        }

        const { records, gaps } = await readAll(world, { fromMs: NOON_MS, toMs: NOON_MS + 1e9 });

        expect(records).toEqual(Array.from({ length: reached }, (_, index) => `0:${index + 1}`));
        expect(gaps).toEqual([]);
      }),
    );
  });

  it('keeps the order of positions where arrival times go back over the hour', async () => {
    const world = makeArchiveWorld();
    await put(world, [1, 2], { arrivalMs: NOON_MS - 1 });
    await put(world, [3], { after: '2' });
    await put(world, [4], { after: '3', arrivalMs: NOON_MS - 2 });
    await put(world, [5, 6], { after: '4' });

    expect(await readAll(world)).toEqual({
      records: ['0:1', '0:2', '0:3', '0:4', '0:5', '0:6'],
      gaps: [],
    });
    const first = await readAll(world, { fromMs: NOON_MS - HOUR_MS, toMs: NOON_MS });
    expect(first).toEqual({ records: ['0:1', '0:2', '0:4'], gaps: [] });
    const second = await readAll(world, { fromMs: NOON_MS, toMs: NOON_MS + HOUR_MS });
    expect(second).toEqual({ records: ['0:3', '0:5', '0:6'], gaps: [] });
  });

  it('gives what arrived within the range, its end left out', async () => {
    const world = makeArchiveWorld();
    for (const minute of [0, 10, 20]) {
      await put(world, [minute + 1], { arrivalMs: NOON_MS + minute * 60_000 });
    }
    const range = { fromMs: NOON_MS + 600_000, toMs: NOON_MS + 1_200_000 };
    expect((await readAll(world, range)).records).toEqual(['0:11']);
  });

  it('reads older epochs first, and parents before their children', async () => {
    const world = makeArchiveWorld();
    const older = 'aaaaaa-00000001';
    await put(world, [7], { shard: 10 });
    await put(world, [8], { shard: 2 });
    await put(world, [9], { shard: 3, epoch: older });
    expect((await readAll(world)).records).toEqual(['3:9', '2:8', '10:7']);
  });

  it('tells of a gap before what comes after it, and where one may be', async () => {
    const world = makeArchiveWorld();
    await put(world, [1, 2]);
    await put(world, [5, 6], { after: '4', arrivalMs: NOON_MS + 3 * HOUR_MS });
    await put(world, [9], { arrivalMs: NOON_MS + 6 * HOUR_MS });

    const { records, gaps } = await readAll(world);

    expect(records).toEqual(['0:1', '0:2', '0:5', '0:6', '0:9']);
    expect(gaps).toEqual([
      { after: '2', until: '4', certain: true },
      { after: '6', until: '9', certain: false },
    ]);
    // Only of those that reach into the range.
    const late = await readAll(world, {
      fromMs: NOON_MS + 6 * HOUR_MS,
      toMs: NOON_MS + 7 * HOUR_MS,
    });
    expect(late).toEqual({ records: ['0:9'], gaps: [] });
    const middle = await readAll(world, { fromMs: NOON_MS + HOUR_MS, toMs: NOON_MS + 3 * HOUR_MS });
    expect(middle).toEqual({ records: [], gaps: [{ after: '2', until: '4', certain: true }] });
  });

  it('opens no object of which everything was read', async () => {
    const world = makeArchiveWorld();
    await put(world, [1, 2, 3, 4]);
    // Of objects that start alike, the one that reaches further is read.
    for (const key of [await put(world, [2, 3], { after: '1' }), await put(world, [1, 2])]) {
      await world.archive.put(key, new Uint8Array([1]), 'application/zstd', NEVER);
    }
    expect((await readAll(world)).records).toEqual(['0:1', '0:2', '0:3', '0:4']);
  });

  it('refuses an object whose bytes are not those of its name, naming it', async () => {
    const world = makeArchiveWorld();
    const key = await put(world, [1, 2]);
    const whole = world.archive.objects.get(key) ?? new Uint8Array();
    await world.archive.put(key, whole.slice(0, -1), 'application/zstd', NEVER);
    await expect(readAll(world)).rejects.toThrow(`${key}: got ${whole.length - 1} bytes`);

    const flipped = whole.map((byte, index) => (index === whole.length - 6 ? byte ^ 1 : byte));
    await world.archive.put(key, flipped, 'application/zstd', NEVER);
    await expect(readAll(world)).rejects.toThrow(key);
  });

  it('refuses an object that holds records from before a gap that was told', async () => {
    const world = makeArchiveWorld();
    await put(world, [1]);
    await put(world, [5], { after: '4', arrivalMs: NOON_MS + HOUR_MS });
    await put(world, [6], { after: '5', arrivalMs: NOON_MS + 3 * HOUR_MS });
    await put(world, [3, 4], { after: '2', arrivalMs: NOON_MS + 5 * HOUR_MS });
    await expect(readAll(world)).rejects.toThrow('by less than an hour');

    const last = makeArchiveWorld();
    await put(last, [1]);
    await put(last, [5], { after: '4', arrivalMs: NOON_MS + HOUR_MS });
    await put(last, [6], { after: '5', arrivalMs: NOON_MS + 3 * HOUR_MS });
    await put(last, [4], { arrivalMs: NOON_MS + 5 * HOUR_MS });
    await expect(readAll(last)).rejects.toThrow('by less than an hour');

    const other = makeArchiveWorld();
    await put(other, [5]);
    await put(other, [6], { after: '5', arrivalMs: NOON_MS + 2 * HOUR_MS });
    await put(other, [3], { arrivalMs: NOON_MS + 5 * HOUR_MS });
    await expect(readAll(other)).rejects.toThrow('by less than an hour');
  });

  it('refuses a foreign object below the archive', async () => {
    const world = makeArchiveWorld();
    await put(world, [1]);
    await world.archive.put(
      'archive/v1/day=2026-11-20/hour=12/notes.txt',
      new Uint8Array(),
      '',
      NEVER,
    );
    await expect(readAll(world)).rejects.toThrow('nothing else may stand below');
  });

  it('says so when an object goes while it is read', async () => {
    const world = makeArchiveWorld();
    await put(world, [1]);
    const gone = { ...world, archive: { ...world.archive, get: async () => undefined } };
    await expect(readAll(gone)).rejects.toThrow('as it was listed a moment ago');
  });

  it('tries again what was refused, page by page', async () => {
    const world = makeArchiveWorld();
    for (let n = 1; n <= 25; n += 1) await put(world, [n], { after: String(n - 1) });
    let calls = 0;
    const flaky = {
      ...world,
      archive: {
        ...world.archive,
        list: (...[query, options]: Parameters<typeof world.archive.list>) => {
          calls += 1;
          if (calls % 2 === 1) throw new TransientError('refused');
          return world.archive.list({ ...query, limit: 4 }, options);
        },
      },
    };
    expect((await readAll(flaky)).records).toHaveLength(25);
    expect(calls).toBeGreaterThan(20);
    expect(objectsOf(world)).toHaveLength(25);
  });

  it('gives nothing of an empty archive', async () => {
    const reader = makeReadArchive(makeArchiveWorld());
    expect(await reader.shards({ fromMs: 0, toMs: NOON_MS })).toEqual([]);
  });
});
