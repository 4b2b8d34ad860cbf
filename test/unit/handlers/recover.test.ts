import { describe, expect, it } from 'vitest';
import { makeMemoryBucket } from '../../../src/adapters/memory/bucket.ts';
import { FAILURE_PREFIX } from '../../../src/core/contract.ts';
import { liveGeneration, swapGeneration } from '../../../src/handlers/live-generation.ts';
import { makeRecover } from '../../../src/handlers/recover.ts';
import { PROGRAMS } from '../../helpers/replay-pipelines.ts';
import { makeReplayWorld } from '../../helpers/replay-world.ts';
import { invocation } from '../../helpers/world.ts';

function makeRecovery() {
  const world = makeReplayWorld();
  const failures = makeMemoryBucket();
  const enabled: boolean[] = [];
  const mapping = { enable: async () => void enabled.push(true) };
  const ports = { ...world.ports, failures, mapping };
  const recover = makeRecover(ports, PROGRAMS.live, { mappingId: 'm-1', generation: '2' });
  const context = { ...world, deadlineMs: Number.POSITIVE_INFINITY };
  return {
    ...world,
    enabled,
    context,
    recover: () => recover(invocation(world)),
    giveUp: (mappingId: string) =>
      failures.put(
        `${FAILURE_PREFIX}${mappingId}/x`,
        new Uint8Array(),
        'application/json',
        context,
      ),
    live: async () => (await liveGeneration(world.source, context)).live,
  };
}

describe('recovering', () => {
  it('does nothing while nothing was given up, or only by other mappings', async () => {
    const world = makeRecovery();
    await world.store([{ sequence: 1 }]);
    await world.giveUp('m-2');

    expect(await world.recover()).toMatchObject({ state: 'watching', givenUp: 0 });
    expect(world.aggregates.items()).toEqual([]);
  });

  it('rebuilds, switches the mapping on and swaps, once', async () => {
    const world = makeRecovery();
    await world.store([{ sequence: 1 }]);
    await world.giveUp('m-1');

    expect(await world.recover()).toMatchObject({ state: 'live', givenUp: 1 });
    expect(await world.live()).toBe('2');
    expect(world.enabled).toEqual([true]);
    expect(await world.recover()).toMatchObject({ state: 'live', givenUp: 0 });
    expect(world.enabled).toEqual([true]);
  });

  it('waits with both until everything is in', async () => {
    const world = makeRecovery();
    await world.store([{ sequence: 1 }]);
    await world.giveUp('m-1');
    world.clock.advance(86_400_000);

    expect(await world.recover()).toMatchObject({
      state: 'rebuilding',
      replay: { state: 'waiting' },
    });
    expect([await world.live(), ...world.enabled]).toEqual(['1']);
  });

  it.each([['3'], ['2', '1']])(
    'leaves alone what a person has swapped to: %s %s',
    async (...to) => {
      const world = makeRecovery();
      await world.giveUp('m-1');
      for (const name of to) await swapGeneration(world.source, name, world.context);

      expect(await world.recover()).toMatchObject({ state: 'elsewhere' });
      expect(world.enabled).toEqual([]);
    },
  );
});
