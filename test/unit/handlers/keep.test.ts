import { expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { decodeEntry } from '../../../src/core/ledger.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { makeKeep } from '../../../src/handlers/keep.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const program = compile(smallPipeline);
const DAY_MS = 86_400_000;

async function worldWithOneRecord(): Promise<World> {
  const world = makeWorld();
  const data = { place: 'ATL', at: NOON_MS, amount: 1 };
  await makeConsume(world, program)(
    { Records: [record({ sequence: 1, data })] },
    invocation(world),
  );
  return world;
}

function entries(world: World) {
  return world.ledger
    .items()
    .filter(({ sk }) => sk.startsWith('e#'))
    .map(decodeEntry);
}

it('leaves young entries alone, and renews an old one with the same position and watermark', async () => {
  const world = await worldWithOneRecord();
  const keep = makeKeep(world, program.settings);

  expect(await keep(invocation(world))).toEqual({ writers: 1, renewed: 0, retired: 0 });
  world.clock.advance(DAY_MS);
  expect(await keep(invocation(world))).toEqual({ writers: 1, renewed: 1, retired: 0 });
  expect(await keep(invocation(world))).toMatchObject({ renewed: 0 });

  const [first, marker] = entries(world);
  expect(marker).toMatchObject({ n: 2, position: first?.position, watermarkMs: NOON_MS, ids: [] });
  expect(marker?.ttlSeconds).toBeGreaterThan(first?.ttlSeconds ?? 0);
});

it('keeps the watermark of an idle writer alive as long as it is idle', async () => {
  const world = await worldWithOneRecord();
  const keep = makeKeep(world, program.settings);
  for (let hours = 0; hours < 24 * 10; hours += 6) {
    world.clock.advance(6 * 3_600_000);
    await keep(invocation(world));
    world.ledger.expire(world.clock.now());
  }
  const late = { place: 'ATL', at: NOON_MS - 2 * DAY_MS, amount: 1 };
  const { report } = await makeConsume(world, program)(
    { Records: [record({ sequence: 2, data: late, arrivalMs: world.clock.now() })] },
    invocation(world),
  );

  expect(entries(world).length).toBeGreaterThan(0);
  expect(report.reasons).toEqual({ late: 1 });
});

it('lets the ledgers of a stream that is gone expire', async () => {
  const world = await worldWithOneRecord();
  world.stream.recreate(1_800_000_000_000);
  world.clock.advance(DAY_MS);
  const report = await makeKeep(world, program.settings)(invocation(world));
  expect(report).toEqual({ writers: 0, renewed: 0, retired: 1 });
});
