import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { decodeEntry, ENTRIES } from '../../../src/core/ledger.ts';
import { announceSwitch } from '../../../src/handlers/announce-switch.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { makeKeep } from '../../../src/handlers/keep.ts';
import { changedPipeline, smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const before = compile(smallPipeline);
const after = compile(changedPipeline);
const SWITCH_MS = NOON_MS + 1_000;
const DAY_MS = 86_400_000;

async function announcedWorld(): Promise<World> {
  const world = makeWorld();
  const { clock, random } = world;
  const announcement = { from: before.fingerprint, to: after.fingerprint, atMs: SWITCH_MS };
  const context = { clock, random, deadlineMs: NOON_MS + 60_000 };
  await announceSwitch(world.ledger, { ...announcement, leadMs: 0 }, context);
  return world;
}

/** Records of one writer by their numbers, each arrives so many milliseconds after noon. */
function batchOf(...arrivals: readonly (readonly [number, number])[]) {
  const data = { place: 'ATL', at: NOON_MS, amount: 1 };
  return {
    Records: arrivals.map(([sequence, offMs]) =>
      record({ sequence, data, arrivalMs: NOON_MS + offMs }),
    ),
  };
}

function chain(world: World) {
  return world.ledger
    .items()
    .filter(({ sk }) => sk.startsWith(ENTRIES))
    .map(decodeEntry)
    .map(({ n, position, fingerprint }) => [n, position?.sequence, fingerprint.slice(0, 18)]);
}

const MARKER = `${after.fingerprint}.-`;

describe('a switch', () => {
  it('is met by the version before, which finishes, hands over once and leaves the rest', async () => {
    const world = await announcedWorld();
    const consume = makeConsume(world, before);
    const batch = batchOf([1, 0], [2, 999], [3, 1_000], [4, 1_500]);
    for (let tries = 0; tries < 2; tries += 1) {
      const { response, report } = await consume(batch, invocation(world));
      expect(response.batchItemFailures).toEqual([{ itemIdentifier: '3' }]);
      expect(report).toMatchObject({ unfinished: 2 });
      expect(report.stops.join()).toContain(after.fingerprint);
    }
    expect(chain(world)).toEqual([
      [1, '2', before.fingerprint],
      [2, '2', MARKER],
    ]);
  });

  it('is gone on with by the next version, which has the cells of the one before', async () => {
    const world = await announcedWorld();
    const batch = batchOf([1, 0], [2, 1_000]);
    await makeConsume(world, before)(batch, invocation(world));
    const { response, report } = await makeConsume(world, after)(batch, invocation(world));
    expect(response.batchItemFailures).toEqual([]);
    expect(report).toMatchObject({ accepted: 1, repeated: 1 });
    expect(chain(world).at(-1)).toEqual([3, '2', after.fingerprint]);
  });

  it('is not passed by the next version while something of before is unread', async () => {
    const world = await announcedWorld();
    const { response, report } = await makeConsume(world, after)(
      batchOf([1, 999], [2, 1_000]),
      invocation(world),
    );
    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '1' }]);
    expect(report.stops.join()).toContain(`expected ${before.fingerprint}`);
    expect(chain(world)).toEqual([]);
    expect(world.aggregates.items()).toEqual([]);
  });

  it('takes over a writer that the version before never met at its end', async () => {
    const world = await announcedWorld();
    await makeConsume(world, before)(batchOf([1, 0]), invocation(world));
    await makeConsume(world, after)(batchOf([2, 5_000]), invocation(world));
    expect(chain(world)).toEqual([
      [1, '1', before.fingerprint],
      [2, '1', MARKER],
      [3, '2', after.fingerprint],
    ]);
  });

  it('leaves nothing to a container of the version before that was away', async () => {
    const world = await announcedWorld();
    const away = makeConsume(world, before);
    await away(batchOf([1, 0]), invocation(world));
    await makeConsume(world, after)(batchOf([2, 5_000]), invocation(world));
    const { response } = await away(batchOf([2, 5_000], [3, 6_000]), invocation(world));
    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '3' }]);
    expect(chain(world).length).toBe(3);
  });

  it('is kept by the keeper, whatever version renews the ledger', async () => {
    const world = await announcedWorld();
    await makeConsume(world, before)(batchOf([1, 0], [2, 1_000]), invocation(world));
    world.clock.advance(DAY_MS);
    await makeKeep(world, before.settings)(invocation(world));
    expect(chain(world).at(-1)).toEqual([3, '1', MARKER]);
  });

  it('that nobody announced stops the changed version before it writes', async () => {
    const world = makeWorld();
    await makeConsume(world, before)(batchOf([1, 0]), invocation(world));
    const { report } = await makeConsume(world, after)(batchOf([2, 5_000]), invocation(world));
    expect(report).toMatchObject({ accepted: 0, unfinished: 1 });
    expect(report.stops.join()).toContain('changed without a switch');
    expect(chain(world).length).toBe(1);
  });
});
