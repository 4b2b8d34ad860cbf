import { describe, expect, it } from 'vitest';
import { TransientError } from '../../../src/core/errors.ts';
import { makeAggregate } from '../../../src/handlers/aggregate.ts';
import { makeArchive } from '../../../src/handlers/archive.ts';
import { unpackArchive } from '../../../src/handlers/archive-bytes.ts';
import { StreamRecreatedError } from '../../../src/handlers/epoch-watch.ts';
import {
  type ArchiveWorld,
  batchOf,
  EPOCH,
  gapsIn,
  makeArchiveWorld,
  objectsOf,
  SETTINGS,
  storedTail,
} from '../../helpers/archive.ts';
import { NOON_MS, record } from '../../helpers/world.ts';

const HOUR_MS = 3_600_000;
const soon = (world: ArchiveWorld, ms = 60_000) => ({
  requestId: 'r',
  deadlineMs: world.clock.now() + ms,
});

function archiverOf(world: ArchiveWorld) {
  const archive = makeArchive(world, SETTINGS);
  return (batch: ReturnType<typeof batchOf>, ms?: number) => archive(batch, soon(world, ms));
}

const refused = () => Promise.reject(new TransientError('refused'));

describe('a batch', () => {
  it('becomes one object, named by epoch, shard and positions, with everything of its records', async () => {
    const world = makeArchiveWorld();
    const bytes = new Uint8Array([0, 255, 254]);
    const records = [
      record({ sequence: 5, bytes, partitionKey: 'p-é' }),
      record({ sequence: 9, bytes: Buffer.from('{}') }),
    ];
    world.clock.advance(9);

    const { response, report } = await archiverOf(world)({ Records: records });

    expect(response).toEqual({ batchItemFailures: [] });
    expect(report).toMatchObject({ received: 2, archived: 2, objects: 1, timeToArchiveMs: 9 });
    const [object] = objectsOf(world);
    expect(object).toMatchObject({ epoch: EPOCH, shard: 0, first: '5', last: '9' });
    const [stored] = [...world.archive.objects.values()];
    if (object === undefined || stored === undefined) throw new Error('no object');
    expect(unpackArchive(object, stored)).toEqual([
      { sequence: '5', partitionKey: 'p-é', arrivalMs: NOON_MS, bytes: Buffer.from(bytes) },
      { sequence: '9', partitionKey: 'p-0', arrivalMs: NOON_MS, bytes: new Uint8Array([123, 125]) },
    ]);
    expect(report).toMatchObject({ rawBytes: 5, bytes: stored.length });
    expect(await storedTail(world)).toMatchObject({
      first: '5',
      last: '9',
      lastArrivalMs: NOON_MS,
    });
  });

  it('is one object for each hour of arrival, each of which says what it follows', async () => {
    const world = makeArchiveWorld();
    const minutes = [50, 59, 60, 59.999, 61];
    const arrival = (sequence: number) => ({
      arrivalMs: NOON_MS - HOUR_MS + (minutes[sequence - 1] ?? 0) * 60_000,
    });
    world.clock.advance(120_000);

    await archiverOf(world)(batchOf([1, 2, 3, 4, 5], arrival));

    const byPosition = [...objectsOf(world)].sort((a, b) => Number(a.first) - Number(b.first));
    expect(
      byPosition.map(({ hourMs, after, first, last }) => [hourMs, after, first, last]),
    ).toEqual([
      [NOON_MS - HOUR_MS, undefined, '1', '2'],
      [NOON_MS, '2', '3', '3'],
      [NOON_MS - HOUR_MS, '3', '4', '4'],
      [NOON_MS, '4', '5', '5'],
    ]);
    expect(gapsIn(world)).toEqual([]);
  });

  it('without records touches nothing', async () => {
    const world = makeArchiveWorld();
    const { response } = await archiverOf(world)({ Records: [] });
    expect(response).toEqual({ batchItemFailures: [] });
    expect(objectsOf(world)).toEqual([]);
  });

  it('keeps an aggregated record whole, and refuses one that was taken apart on its way', async () => {
    const world = makeArchiveWorld();
    const inner = [1, 2].map((n) => ({ partitionKey: 'p-0', data: Buffer.from(`{"n":${n}}`) }));
    const bytes = makeAggregate(inner);
    await archiverOf(world)({ Records: [record({ sequence: 1, bytes })] });
    const [object] = objectsOf(world);
    const [stored] = [...world.archive.objects.values()];
    if (object === undefined || stored === undefined) throw new Error('no object');
    const [kept] = unpackArchive(object, stored);
    expect(Buffer.compare(kept?.bytes ?? Buffer.of(), bytes)).toBe(0);

    await expect(archiverOf(world)(batchOf([2, 2]))).rejects.toThrow('enhanced fan-out');
  });

  it('of several shards is archived shard by shard', async () => {
    const world = makeArchiveWorld();
    const batch = batchOf([1, 2, 3, 4], (sequence) => ({ shard: sequence % 2 }));
    await archiverOf(world)(batch);
    expect(objectsOf(world).map(({ shard, first, last }) => [shard, first, last])).toEqual([
      [0, '2', '4'],
      [1, '1', '3'],
    ]);
  });

  it('takes the leading zeros off that emulators write, and answers with them', async () => {
    const world = makeArchiveWorld();
    const [one] = batchOf([7]).Records;
    if (one === undefined) throw new Error('no record');
    const zeros = { ...one, kinesis: { ...one.kinesis, sequenceNumber: '0007' } };
    await archiverOf(world)({ Records: [zeros] });
    expect(objectsOf(world)).toMatchObject([{ first: '7' }]);

    const broken = { ...makeArchiveWorld(), ledger: { ...world.ledger, get: refused } };
    const { response } = await archiverOf(broken)({ Records: [zeros] }, 1_000);
    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '0007' }]);
  });
});

describe('what comes again', () => {
  it('is dropped when it is archived, whatever the boundaries', async () => {
    const world = makeArchiveWorld();
    const archive = archiverOf(world);
    await archive(batchOf([1, 2, 3]));

    const { report } = await archive(batchOf([2, 3, 4, 5]));
    await archive(batchOf([1, 2]));

    expect(report).toMatchObject({ archived: 2, repeated: 2 });
    expect(objectsOf(world).map(({ after, first, last }) => [after, first, last])).toEqual([
      [undefined, '1', '3'],
      ['3', '4', '5'],
    ]);
  });

  it('is written again when only its object was durable, and overlaps without harm', async () => {
    const world = makeArchiveWorld();
    const broken = {
      ...world,
      ledger: {
        ...world.ledger,
        putIf: async () => [{ status: 'failed', error: new TransientError('refused') } as const],
      },
    };
    const { response } = await makeArchive(broken, SETTINGS)(batchOf([1, 2, 3]), soon(world));
    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '1' }]);

    await archiverOf(world)(batchOf([1, 2]));
    await archiverOf(world)(batchOf([3, 4]));

    expect(
      objectsOf(world)
        .map(({ first, last }) => `${first}-${last}`)
        .sort(),
    ).toEqual(['1-2', '1-3', '3-4']);
    expect(gapsIn(world)).toEqual([]);
  });

  it('never moves a tail back, when another archiver was further', async () => {
    const world = makeArchiveWorld();
    const slow = {
      ...world,
      archive: {
        ...world.archive,
        put: async (...args: Parameters<typeof world.archive.put>) => {
          await world.archive.put(...args);
          await archiverOf(world)(batchOf([1, 2, 3, 4]));
        },
      },
    };

    const { response } = await makeArchive(slow, SETTINGS)(batchOf([1, 2]), soon(world));

    expect(response.batchItemFailures).toEqual([]);
    expect(await storedTail(world)).toMatchObject({ first: '1', last: '4' });
  });

  it('goes on from the tail of another archiver that was not as far', async () => {
    const world = makeArchiveWorld();
    const slow = {
      ...world,
      archive: {
        ...world.archive,
        put: async (...args: Parameters<typeof world.archive.put>) => {
          await world.archive.put(...args);
          await archiverOf(world)(batchOf([1]));
        },
      },
    };

    await makeArchive(slow, SETTINGS)(batchOf([1, 2]), soon(world));

    expect(await storedTail(world)).toMatchObject({ first: '1', last: '2' });
    expect(gapsIn(world)).toEqual([]);
  });
});

describe('a failure', () => {
  it('leaves the first record that is not archived, and keeps the hours before it', async () => {
    const world = makeArchiveWorld(NOON_MS + HOUR_MS);
    const hour = (sequence: number) => ({ arrivalMs: NOON_MS + (sequence > 2 ? HOUR_MS : 0) });
    const broken = {
      ...world,
      archive: {
        ...world.archive,
        put: (...args: Parameters<typeof world.archive.put>) =>
          args[0].includes('hour=13') ? refused() : world.archive.put(...args),
      },
    };

    const { response, report } = await makeArchive(broken, SETTINGS)(
      batchOf([1, 2, 3, 4], hour),
      soon(world),
    );

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '3' }]);
    expect(report).toMatchObject({
      archived: 2,
      unfinished: 2,
      stops: ['TransientError: refused'],
    });
    expect(await storedTail(world)).toMatchObject({ last: '2' });
  });

  it('of the stream’s identity, or of what can’t go through later, fails the invocation', async () => {
    const world = makeArchiveWorld();
    await archiverOf(world)(batchOf([1]));
    const archive = archiverOf(world);
    await archive(batchOf([2]));
    world.clock.advance(61_000);
    world.stream.recreate(1_800_000_000_000);
    await expect(archive(batchOf([3]))).rejects.toThrow(StreamRecreatedError);

    const denied = {
      ...world,
      archive: { ...world.archive, put: () => Promise.reject(new Error('denied')) },
    };
    await expect(makeArchive(denied, SETTINGS)(batchOf([4]), soon(world))).rejects.toThrow(
      'denied',
    );
  });

  it('sends no object when only the time for the tail is left, and nothing after the deadline', async () => {
    const world = makeArchiveWorld();
    const sent: number[] = [];
    const watched = {
      ...world,
      archive: {
        ...world.archive,
        put: async (...args: Parameters<typeof world.archive.put>) => {
          sent.push(args[3].deadlineMs - NOON_MS);
          throw new TransientError('refused');
        },
      },
    };
    const { response } = await makeArchive(watched, SETTINGS)(batchOf([1]), soon(world, 12_000));
    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '1' }]);
    expect(new Set(sent)).toEqual(new Set([9_500]));
    expect(world.clock.now() - NOON_MS).toBeLessThanOrEqual(9_500);
  });
});

describe('an object says what it follows', () => {
  it('unless the stream may have forgotten records since', async () => {
    const world = makeArchiveWorld();
    await archiverOf(world)(batchOf([1, 2]));
    world.clock.advance(22 * HOUR_MS);
    const day = { arrivalMs: world.clock.now() };
    await archiverOf(world)(batchOf([3], day));
    world.clock.advance(23 * HOUR_MS);

    const { report } = await archiverOf(world)(batchOf([4], { arrivalMs: world.clock.now() }));

    expect(report.unconnected).toBe(1);
    expect(gapsIn(world)).toEqual([{ after: '3', until: '4', certain: false }]);
  });
});
