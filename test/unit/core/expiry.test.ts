import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { liveItems, mergePages } from '../../../src/core/read.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';

const program = compile(smallPipeline);
const DAY_MS = 86_400_000;
const [places] = program.aggregates;

async function worldWithOneRecord(at = NOON_MS) {
  const world = makeWorld();
  const data = { place: 'ATL', at, amount: 1 };
  await makeConsume(world, program)(
    { Records: [record({ sequence: 1, data })] },
    invocation(world),
  );
  return world;
}

function rowsAt(world: Awaited<ReturnType<typeof worldWithOneRecord>>, nowMs: number) {
  if (places === undefined) throw new Error('got no window');
  const items = world.aggregates.items().filter(({ pk }) => pk.includes('|places|'));
  return mergePages(places, liveItems(items, nowMs));
}

describe('results whose time has passed', () => {
  it('are not given to readers, although DynamoDB has not deleted them', async () => {
    const world = await worldWithOneRecord();
    const ttlMs = Math.max(...world.aggregates.items().map(({ ttl }) => Number(ttl) * 1000));
    expect(rowsAt(world, ttlMs - 1).length).toBe(1);
    expect(rowsAt(world, ttlMs + 1)).toEqual([]);
    expect(world.aggregates.items().length).toBeGreaterThan(0);
  });

  it('count from the end of their window, not from when they were written', async () => {
    const [early, late] = await Promise.all([
      worldWithOneRecord(NOON_MS - 600_000),
      worldWithOneRecord(NOON_MS),
    ]);
    const ttlOf = ({ aggregates }: typeof early) =>
      Number(aggregates.items().find(({ pk }) => pk.includes('|places|'))?.ttl);
    const endsMs = NOON_MS + (places?.retentionMs ?? 0);
    expect(ttlOf(early) * 1000).toBeGreaterThanOrEqual(endsMs);
    expect(ttlOf(late)).toBeGreaterThanOrEqual(ttlOf(early));
  });

  it('still count for a writer: a late event joins them', async () => {
    const world = await worldWithOneRecord();
    for (const item of world.aggregates.items()) {
      await world.aggregates.putAll([{ ...item, ttl: 1 }], { deadlineMs: NOON_MS + DAY_MS });
    }
    const data = { place: 'ATL', at: NOON_MS, amount: 2 };
    await makeConsume(world, program)(
      { Records: [record({ sequence: 2, data })] },
      invocation(world),
    );
    expect(rowsAt(world, NOON_MS)[0]?.columns).toMatchObject({ events: 2, total: 3 });
  });
});
