import { describe, expect, it } from 'vitest';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { readRows } from '../../../src/handlers/generation-rows.ts';
import { makeReplay, type ReplayJob } from '../../../src/handlers/replay.ts';
import { generationJob, liveJob } from '../../../src/handlers/replay-job.ts';
import { resultRows } from '../../../src/sim/stored-items.ts';
import { PROGRAMS } from '../../helpers/replay-pipelines.ts';
import { makeReplayWorld, replayRecord } from '../../helpers/replay-world.ts';
import { invocation, NOON_MS } from '../../helpers/world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ALL: ReplayJob = { name: 'all', fromMs: 0 };
const { live: PROGRAM } = PROGRAMS;

type ReplayWorld = ReturnType<typeof makeReplayWorld>;

function replay(
  world: ReplayWorld,
  {
    job = ALL,
    ...request
  }: { job?: ReplayJob; acceptGaps?: boolean; rate?: number; batchRecords?: number } = {},
) {
  return makeReplay(
    world.ports,
    PROGRAM,
    job,
  )({ seconds: 60, ...request }, invocation(world, 900_000));
}

/** Events by place, over all hours. */
function counted({ aggregates }: ReplayWorld): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { group, columns } of resultRows(PROGRAM, aggregates.items())) {
    counts[String(group[0])] = (counts[String(group[0])] ?? 0) + Number(columns.events);
  }
  return counts;
}

describe('replaying', () => {
  it('counts each archived record once, however often it is done', async () => {
    const world = makeReplayWorld();
    await world.store([{ sequence: 1 }, { sequence: 2, partition: 1, place: 'ORD' }]);
    await world.store([{ sequence: 3 }]);

    const first = await replay(world);
    const second = await replay(world);
    const other = await replay(world, { job: { name: 'other', fromMs: 0 } });

    expect(first).toMatchObject({
      state: 'complete',
      read: 3,
      accepted: 3,
      repeated: 0,
      fraction: 1,
    });
    expect(second).toMatchObject({ state: 'complete', read: 0 });
    expect(other).toMatchObject({ state: 'complete', read: 3, accepted: 0, repeated: 3 });
    expect(counted(world)).toEqual({ ATL: 2, ORD: 1 });
  });

  it('ends where its time is over, and goes on from there', async () => {
    const world = makeReplayWorld();
    await world.store([1, 2, 3, 4, 5, 6].map((sequence) => ({ sequence })));
    let calls = 0;

    let report = await replay(world, { rate: 1, batchRecords: 2 });
    for (calls = 1; report.state === 'more' && calls < 20; calls += 1) {
      report = await makeReplay(
        world.ports,
        PROGRAM,
        ALL,
      )({ seconds: 2, rate: 1, batchRecords: 2 }, invocation(world));
    }

    expect(report.state).toBe('complete');
    expect(counted(world)).toEqual({ ATL: 6 });
  });

  it('reads no more a second than it is asked to', async () => {
    const world = makeReplayWorld();
    await world.store(Array.from({ length: 40 }, (_, index) => ({ sequence: index + 1 })));
    const startMs = world.clock.now();

    await replay(world, { rate: 2, batchRecords: 4 });

    expect(world.clock.now() - startMs).toBeGreaterThanOrEqual(19_000);
  });

  it('stops before records that are missing, unless that is accepted', async () => {
    const world = makeReplayWorld();
    for (const sequence of [1, 2, 3]) await world.store([{ sequence }]);
    const [, missing = ''] = [...world.archive.objects.keys()].sort();
    const without = new Map(world.archive.objects);
    without.delete(missing);
    const list: ReplayWorld['archive']['list'] = async (query, options) => {
      const page = await world.archive.list(query, options);
      return { ...page, keys: page.keys.filter((key) => without.has(key)) };
    };
    const broken = { ...world, ports: { ...world.ports, archive: { ...world.archive, list } } };

    const refused = await replay(broken);
    const again = await replay(broken);
    expect(refused).toMatchObject({ state: 'gap', accepted: 1 });
    expect(refused.gaps).toMatchObject([{ shard: 0, after: '1', until: '2', certain: true }]);
    expect(again).toMatchObject({ state: 'gap', read: 0 });

    expect(await replay(broken, { acceptGaps: true })).toMatchObject({ state: 'complete' });
    expect(counted(world)).toEqual({ ATL: 2 });
  });

  it.each([
    ['first', 0, { after: undefined, until: '2' }],
    ['last', 2, { after: '2', until: '3' }],
  ])('tells that the %s object is missing, by the tail', async (_, index, gap) => {
    const world = makeReplayWorld();
    for (const sequence of [1, 2, 3]) await world.store([{ sequence }]);
    const missing = [...world.archive.objects.keys()].sort()[index];
    const list: ReplayWorld['archive']['list'] = async (query, options) => {
      const page = await world.archive.list(query, options);
      return { ...page, keys: page.keys.filter((key) => key !== missing) };
    };

    const report = await replay({
      ...world,
      ports: { ...world.ports, archive: { ...world.archive, list } },
    });

    expect(report.state).toBe('gap');
    expect(report.gaps).toMatchObject([gap]);
  });

  it('waits where the stream may have forgotten what is not archived yet', async () => {
    const world = makeReplayWorld();
    await world.store([{ sequence: 1 }]);
    world.clock.advance(DAY_MS - HOUR_MS + 1_000);

    expect((await replay(world)).state).toBe('waiting');
    world.shards.addShard(1);
    expect((await replay(world)).state).toBe('waiting');
  });

  it('reads no further than the tails, and children after their parents', async () => {
    const world = makeReplayWorld();
    await world.store([{ sequence: 5, shard: 2 }]);
    await world.store([{ sequence: 1 }]);

    expect(await replay(world)).toMatchObject({ state: 'complete', accepted: 2, repeated: 0 });
    expect(counted(world)).toEqual({ ATL: 2 });
  });

  it('takes one partition, or events that fit, where that is asked', async () => {
    const world = makeReplayWorld();
    await world.store([
      { sequence: 1, partition: 0, place: 'ATL', amount: 5 },
      { sequence: 2, partition: 1, place: 'ORD', amount: 5 },
      { sequence: 3, partition: 0, place: 'ATL', amount: 6 },
    ]);
    await replay(world, { job: { name: 'part', fromMs: 0, partitionKey: 'p-0' } });
    expect(counted(world)).toEqual({ ATL: 2 });

    const other = makeReplayWorld();
    await other.store([
      { sequence: 1, amount: 5 },
      { sequence: 2, amount: 6 },
    ]);
    const { job, filtered } = generationJob(PROGRAM, { fromMs: 0, filter: 'amount > 5' });
    const report = await makeReplay(other.ports, filtered, job)({ seconds: 9 }, invocation(other));
    expect(report).toMatchObject({ accepted: 2 });
    expect(counted(other)).toEqual({ ATL: 1 });
    expect(generationJob(PROGRAM, { fromMs: 0, key: 'ATL' }).job.partitionKey).toMatch(/^p-\d$/);
  });

  it('takes only arrivals of the range', async () => {
    const world = makeReplayWorld();
    for (const at of [0, 1, 2, 3]) {
      await world.store([{ sequence: at + 1, arrivalMs: NOON_MS + at * HOUR_MS }]);
    }
    const job = { name: 'part', fromMs: NOON_MS + HOUR_MS, toMs: NOON_MS + 3 * HOUR_MS };

    expect(await replay(world, { job })).toMatchObject({ state: 'complete', accepted: 2 });
  });
});

describe('replaying where producers choose their partition keys', () => {
  const program = { ...PROGRAM, settings: { ...PROGRAM.settings, partitions: 'shard' as const } };
  const replayShards = (world: ReplayWorld, fromMs = 0) =>
    makeReplay(world.ports, program, { name: 'all', fromMs })({ seconds: 60 }, invocation(world));

  it('goes by shards, as long as the stream lists them', async () => {
    const world = makeReplayWorld();
    await world.store([{ sequence: 1 }]);
    await world.store([{ sequence: 2, shard: 1, arrivalMs: NOON_MS + 1 }]);
    world.stream.addShard(1, [0]);

    expect(await replayShards(world)).toMatchObject({ state: 'complete', accepted: 2 });
  });

  it('is refused for shards whose parents nobody knows any more', async () => {
    const world = makeReplayWorld();
    await world.store([{ sequence: 1 }]);
    const gone = { ...world.shards, list: async () => [1] };

    await expect(
      replayShards({ ...world, ports: { ...world.ports, shards: gone } }),
    ).rejects.toThrow("which the stream doesn't list any more");
    const later = await replayShards(
      { ...world, ports: { ...world.ports, shards: gone } },
      NOON_MS + 1,
    );
    expect(later).toMatchObject({ state: 'complete', read: 0 });
  });
});

describe('replaying into the live generation', () => {
  it('begins before every head, and counts only what lies after them', async () => {
    const world = makeReplayWorld();
    const events = [1, 2, 3, 4].map((sequence) => ({
      sequence,
      partition: sequence % 4,
      arrivalMs: NOON_MS + sequence * HOUR_MS,
    }));
    await world.store(events);
    world.clock.advance(6 * HOUR_MS);
    const consume = makeConsume(world, PROGRAM);
    await consume({ Records: events.slice(0, 3).map(replayRecord) }, invocation(world));

    const unknown = await liveJob(world.ports, PROGRAM, world.clock.now() + 9_000);
    const report = await replay(world, { job: unknown });

    expect(unknown.fromMs).toBe(NOON_MS + HOUR_MS);
    expect(report).toMatchObject({ state: 'complete', accepted: 1, repeated: 3 });
    const known = await liveJob(world.ports, PROGRAM, world.clock.now() + 9_000);
    expect(known.fromMs).toBe(NOON_MS);
    expect(await replay(world, { job: { ...known, name: 'again' } })).toMatchObject({
      accepted: 0,
      repeated: 4,
    });
  });
});

describe('the rows of a generation', () => {
  it('come in pages, in the order of windows, each once', async () => {
    const world = makeReplayWorld();
    const events = Array.from({ length: 300 }, (_, at) => ({
      sequence: at + 1,
      arrivalMs: NOON_MS + Math.floor(at / 3) * HOUR_MS,
      place: ['ATL', 'ORD', 'DEN'][at % 3] ?? '',
    }));
    await world.store(events);
    world.clock.advance(300 * HOUR_MS);
    await replay(world);
    const context = { ...world, deadlineMs: world.clock.now() + 9_000 };

    const starts: number[] = [];
    let after: number | undefined;
    let pages = 0;
    for (;;) {
      const query = { window: 'places', ...(after === undefined ? {} : { after }) };
      const page = await readRows(world, { program: PROGRAM, query, rowsMax: 50 }, context);
      starts.push(...page.rows.map(({ startMs }) => startMs));
      pages += 1;
      if (page.next === null) break;
      after = page.next;
    }

    expect(pages).toBeGreaterThan(2);
    expect(starts).toHaveLength(300);
    expect(starts).toEqual([...starts].sort((left, right) => left - right));
    const wrong = readRows(world, { program: PROGRAM, query: { window: 'x' } }, context);
    await expect(wrong).rejects.toThrow("got 'x', expected one of places");
  });
});
