import { describe, expect, it } from 'vitest';
import { makeMemoryShardScaler } from '../../../src/adapters/memory/shard-scaler.ts';
import { SCALING_KEY, SHARD_LIMITS } from '../../../src/core/scaling.ts';
import { makeScale } from '../../../src/handlers/scale.ts';
import { invocation, makeWorld, NOON_MS } from '../../helpers/world.ts';

const RANGE = { least: 1, most: 8, partitions: 8, readers: 2, limits: SHARD_LIMITS } as const;

function setUp(shards: number) {
  const world = makeWorld();
  const scaler = makeMemoryShardScaler(shards);
  const ports = { clock: world.clock, random: world.random, ledger: world.ledger, scaler };
  return { world, scaler, ports, run: () => makeScale(ports, RANGE)(invocation(world)) };
}

/** The last minute, full of refused records. */
const FULL = [{ startMs: NOON_MS - 60_000, records: 60_000, bytes: 6_000_000, throttled: 9 }];

describe('the scaler', () => {
  it('asks for twice the shards, and notes when', async () => {
    const { world, scaler, run } = setUp(1);
    scaler.minutes = FULL;
    expect(await run()).toMatchObject({ shards: 1, to: 2, because: 'throttled' });
    expect(scaler.resized).toEqual([2]);
    expect(world.ledger.items()).toMatchObject([{ ...SCALING_KEY, n: 1 }]);
  });

  it('remembers its changes: the next run waits', async () => {
    const { scaler, run } = setUp(1);
    scaler.minutes = FULL;
    await run();
    expect(await run()).toMatchObject({ shards: 2, to: 2, because: 'waits' });
    expect(scaler.resized).toEqual([2]);
  });

  it('does nothing while a change is under way', async () => {
    const { scaler, run } = setUp(1);
    scaler.minutes = FULL;
    scaler.changing = true;
    expect(await run()).toMatchObject({ to: 1, because: 'changing' });
    expect(scaler.resized).toEqual([]);
  });

  it('asks once where two runs look at the same time', async () => {
    const { scaler, run } = setUp(2);
    scaler.minutes = FULL.map((one) => ({ ...one, records: 120_000 }));
    const reports = await Promise.all([run(), run()]);
    expect(scaler.resized).toEqual([4]);
    expect(reports.map(({ because }) => because).sort()).toEqual(['changing', 'throttled']);
  });

  it('writes nothing where the number fits', async () => {
    const { world, scaler, run } = setUp(1);
    expect(await run()).toMatchObject({ to: 1, because: 'fits' });
    expect(scaler.resized).toEqual([]);
    expect(world.ledger.items()).toEqual([]);
  });
});
