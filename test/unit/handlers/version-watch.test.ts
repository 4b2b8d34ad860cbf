import { expect, it } from 'vitest';
import { TransientError } from '../../../src/core/errors.ts';
import { decodeVersions, LEAD_MS } from '../../../src/core/version.ts';
import {
  abortSwitch,
  announceSwitch,
  SwitchRefusedError,
} from '../../../src/handlers/announce-switch.ts';
import { VersionWatch } from '../../../src/handlers/version-watch.ts';
import type { Table } from '../../../src/ports/table.ts';
import { makeWorld, type World } from '../../helpers/world.ts';

const BELIEVED_MS = 20_000;

function contextOf({ clock, random }: World) {
  return { clock, random, deadlineMs: clock.now() + 10_000 };
}

async function announced(world: World, to = 'two', inMs = LEAD_MS) {
  const atMs = world.clock.now() + inMs;
  await announceSwitch(world.ledger, { from: 'one', to, atMs }, contextOf(world));
  return atMs;
}

it('begins the list with the first version that asks', async () => {
  const world = makeWorld();
  const list = await new VersionWatch(world.ledger).current('one', 0, contextOf(world));
  const again = await new VersionWatch(world.ledger).current('two', 0, contextOf(world));

  expect(list.versions).toEqual([{ fromMs: 0, print: 'one' }]);
  expect(again).toEqual(list);
});

it('asks again for a record that arrived after what is believed, and for no older one', async () => {
  const world = makeWorld();
  const watch = new VersionWatch(world.ledger, BELIEVED_MS);
  const startMs = world.clock.now();
  await watch.current('one', startMs, contextOf(world));
  await announced(world);
  world.clock.advance(3_600_000);

  const old = await watch.current('one', startMs + BELIEVED_MS - 1, contextOf(world));
  expect(old.versions.length).toBe(1);
  const young = await watch.current('one', startMs + BELIEVED_MS, contextOf(world));
  expect(young.versions.length).toBe(2);
});

it('counts what it believes from the request, however late the answer comes', async () => {
  const world = makeWorld();
  await new VersionWatch(world.ledger).current('one', 0, contextOf(world));
  const slow: Table = {
    ...world.ledger,
    get: async (keys, options) => {
      const answer = await world.ledger.get(keys, options);
      world.clock.advance(BELIEVED_MS / 2);
      return answer;
    },
  };
  const watch = new VersionWatch(slow, BELIEVED_MS);
  const askedMs = world.clock.now();
  await watch.current('one', askedMs, contextOf(world));
  await announced(world);

  const list = await watch.current('one', askedMs + BELIEVED_MS, contextOf(world));
  expect(list.versions.length).toBe(2);
});

it('keeps what the younger of two requests told', async () => {
  const world = makeWorld();
  await new VersionWatch(world.ledger).current('one', 0, contextOf(world));
  const gate = Promise.withResolvers<void>();
  let calls = 0;
  const first: Table = {
    ...world.ledger,
    get: async (keys, options) => {
      calls += 1;
      const answer = await world.ledger.get(keys, options);
      if (calls === 1) await gate.promise;
      return answer;
    },
  };
  const watch = new VersionWatch(first, BELIEVED_MS);
  const late = watch.current('one', world.clock.now(), contextOf(world));
  await announced(world);
  world.clock.advance(BELIEVED_MS);
  const nowMs = world.clock.now();
  await watch.current('one', nowMs, contextOf(world));
  gate.resolve();
  await late;

  expect((await watch.current('one', nowMs, contextOf(world))).versions.length).toBe(2);
});

it('says that the ledger does not answer', async () => {
  const world = makeWorld();
  const error = new TransientError('down');
  const down: Table = { ...world.ledger, get: async () => [{ status: 'failed', error }] };
  const asking = new VersionWatch(down).current('one', 0, contextOf(world));
  await expect(asking).rejects.toThrow('records come again');
});

it('announces once, however often it is told', async () => {
  const world = makeWorld();
  const atMs = await announced(world);
  await announceSwitch(world.ledger, { from: 'one', to: 'two', atMs }, contextOf(world));
  world.clock.advance(2 * LEAD_MS);
  const again = { from: 'one', to: 'two', atMs: world.clock.now() + LEAD_MS };
  const list = await announceSwitch(world.ledger, again, contextOf(world));

  expect(list).toEqual({
    revision: 1,
    versions: [
      { fromMs: 0, print: 'one' },
      { fromMs: atMs, print: 'two' },
    ],
  });
});

it('believes a lost answer only when the list is the announced one', async () => {
  const world = makeWorld();
  const lossy: Table = {
    ...world.ledger,
    putIf: async (writes, options) => {
      await world.ledger.putIf(writes, options);
      return writes.map(() => ({ status: 'conflict', current: undefined }));
    },
  };
  const atMs = world.clock.now() + LEAD_MS;
  const announcement = { from: 'one', to: 'two', atMs };
  await expect(announceSwitch(lossy, announcement, contextOf(world))).resolves.toBeDefined();

  const lost: Table = {
    ...world.ledger,
    putIf: async (writes) => writes.map(() => ({ status: 'conflict', current: undefined })),
  };
  await expect(abortSwitch(lost, contextOf(world))).rejects.toThrow('run it again');
});

it('refuses an announcement that some functions could miss', async () => {
  const world = makeWorld();
  await expect(announced(world, 'two', LEAD_MS - 1)).rejects.toThrow('120 s from now');
  expect(world.ledger.items()).toEqual([]);
});

it('refuses a second switch while one is to come, and from a version that is not in force', async () => {
  const world = makeWorld();
  const atMs = await announced(world);
  await expect(announced(world, 'three')).rejects.toThrow(SwitchRefusedError);
  world.clock.advance(atMs - world.clock.now());
  await expect(announced(world, 'three')).rejects.toThrow('expected two');
});

it('takes a switch back as long as every function can learn of it', async () => {
  const world = makeWorld();
  await announced(world, 'two', LEAD_MS + 1_000);
  await abortSwitch(world.ledger, contextOf(world));
  const [item] = world.ledger.items();
  expect(item && decodeVersions(item).versions).toEqual([{ fromMs: 0, print: 'one' }]);

  await announced(world, 'two', LEAD_MS);
  world.clock.advance(1);
  await expect(abortSwitch(world.ledger, contextOf(world))).rejects.toThrow('switch back');
  world.clock.advance(LEAD_MS);
  await expect(abortSwitch(world.ledger, contextOf(world))).rejects.toThrow('no switch');
});
