import { describe, expect, it } from 'vitest';
import { archiveObjectKey } from '../../../src/core/archive-object.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { makeArchive } from '../../../src/handlers/archive.ts';
import { makeCheckArchive } from '../../../src/handlers/check-archive.ts';
import {
  type ArchiveWorld,
  batchOf,
  gapsIn,
  makeArchiveWorld,
  objectsOf,
  SETTINGS,
  storedTail,
} from '../../helpers/archive.ts';
import { NOON_MS } from '../../helpers/world.ts';

const HOUR_MS = 3_600_000;
const NEVER = { requestId: 'r', deadlineMs: Number.POSITIVE_INFINITY };

/** Sends a record each ten minutes from now on, each archived on its own. */
async function archiveHours(world: ArchiveWorld, hours: number, from = 1): Promise<void> {
  const archive = makeArchive(world, SETTINGS);
  for (let index = 0; index < hours * 6; index += 1) {
    const arrivalMs = world.clock.now();
    world.shards.put(0, String(from + index), arrivalMs);
    await archive(batchOf([from + index], { arrivalMs }), NEVER);
    world.clock.advance(600_000);
  }
}

const check = (world: ArchiveWorld) => makeCheckArchive(world, SETTINGS)(NEVER);

/** Takes the objects away whose first record this is. */
function remove(world: ArchiveWorld, ...firsts: readonly number[]): void {
  for (const object of objectsOf(world)) {
    if (!firsts.includes(Number(object.first))) continue;
    (world.archive.objects as Map<string, Uint8Array>).delete(archiveObjectKey(object));
  }
}

describe('the check of the archive', () => {
  it('finds nothing wrong with a whole archive, however old', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 30);
    expect(await check(world)).toMatchObject({ shards: 1, gapCount: 0, gaps: [], lagMs: 0 });
  });

  it('finds what was deleted, also the first and the last objects', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 3);
    remove(world, 1, 7, 8, 12, 18);

    const { gapCount, gaps } = await check(world);

    expect(gapCount).toBe(4);
    expect(gaps).toEqual([
      { shard: 0, after: undefined, until: '1', certain: true },
      { shard: 0, after: '6', until: '8', certain: true },
      { shard: 0, after: '11', until: '12', certain: true },
      { shard: 0, after: '17', until: '18', certain: true },
    ]);
  });

  it('finds that everything was deleted', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    remove(world, 1, 2, 3, 4, 5, 6);
    expect((await check(world)).gaps).toEqual([
      { shard: 0, after: undefined, until: '6', certain: true },
    ]);
  });

  it('looks as far back as the stream keeps records, and no further', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 48);
    remove(world, 10, 200);
    expect((await check(world)).gaps).toEqual([
      { shard: 0, after: '199', until: '200', certain: true },
    ]);
  });

  it('takes no hour for a gap whose neighbour is out of sight', async () => {
    const world = makeArchiveWorld();
    const archive = makeArchive(world, SETTINGS);
    // At each hour, arrival times go back over it by a moment.
    for (let hour = 1; hour <= 40; hour += 1) {
      const atMs = NOON_MS + hour * HOUR_MS;
      world.clock.advance(atMs + 10 - world.clock.now());
      const times = [atMs - 2, atMs + 1, atMs - 1, atMs + 2];
      const sequences = times.map((_, index) => hour * 4 + index);
      const arrival = (sequence: number) => ({ arrivalMs: times[sequence % 4] ?? atMs });
      await archive(batchOf(sequences, arrival), NEVER);
      expect((await check(world)).gaps).toEqual([]);
    }
    expect(gapsIn(world)).toEqual([]);
  });

  it('notes in the tail that nothing came, so that what comes says what it follows', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    for (let hour = 0; hour < 60; hour += 1) {
      world.clock.advance(HOUR_MS);
      expect(await check(world)).toMatchObject({ renewed: 1, lagMs: 0, gapCount: 0 });
    }
    expect(await storedTail(world)).toMatchObject({ last: '6', knownMs: world.clock.now() });

    await archiveHours(world, 1, 7);

    expect(gapsIn(world)).toEqual([]);
  });

  it('tells how long the oldest record waits, of shards without any object too', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    world.shards.put(0, '7', world.clock.now());
    world.shards.put(1, '8', world.clock.now());
    world.clock.advance(2 * HOUR_MS);

    const report = await check(world);

    expect(report).toMatchObject({ shards: 1, lagMs: 2 * HOUR_MS, renewed: 0 });
  });

  it('doesn’t bother the stream about a shard that was archived a moment ago', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    const silent = {
      ...world,
      shards: { ...world.shards, next: () => Promise.reject(new Error('asked')) },
    };
    expect(await check(silent)).toMatchObject({ renewed: 0, unknown: 0 });
  });

  it('counts shards of which the stream doesn’t tell, and notes nothing', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    world.clock.advance(HOUR_MS);
    const unknown = {
      ...world,
      shards: { ...world.shards, next: async () => ({ type: 'unknown' }) as const },
    };
    expect(await check(unknown)).toMatchObject({ renewed: 0, unknown: 1, lagMs: 0 });
  });

  it('takes what is archived while it looks for no gap', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    const busy = {
      ...world,
      ledger: {
        ...world.ledger,
        query: async (...args: Parameters<typeof world.ledger.query>) => {
          await archiveHours(world, 1, 7);
          return world.ledger.query(...args);
        },
      },
    };
    expect(await check(busy)).toMatchObject({ gapCount: 0 });
  });

  it('leaves the tail alone when the archiver was faster', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    world.clock.advance(HOUR_MS);
    const racing = {
      ...world,
      shards: {
        ...world.shards,
        next: async () => {
          await archiveHours(world, 1, 7);
          return { type: 'none' } as const;
        },
      },
    };
    expect(await check(racing)).toMatchObject({ renewed: 0 });
    expect(await storedTail(world)).toMatchObject({ last: '12' });
  });

  it('passes over the objects of another stream of the same name', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    world.stream.recreate(1_800_000_000_000);
    await archiveHours(world, 1, 50);
    expect(await check(world)).toMatchObject({ shards: 1, objects: 6, gapCount: 0 });
  });

  it('fails when the services don’t answer: its error is an alarm', async () => {
    const world = makeArchiveWorld();
    await archiveHours(world, 1);
    const refused = () => Promise.reject(new TransientError('refused'));
    const broken = { ...world, archive: { ...world.archive, list: refused } };
    const soon = { requestId: 'r', deadlineMs: world.clock.now() + 5_000 };
    await expect(makeCheckArchive(broken, SETTINGS)(soon)).rejects.toThrow('refused');
  });
});
