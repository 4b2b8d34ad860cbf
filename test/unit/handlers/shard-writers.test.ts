import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { mergePages } from '../../../src/core/read.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const partitioned = compile(smallPipeline);
const program = {
  ...partitioned,
  settings: { ...partitioned.settings, partitions: 'shard' as const },
};

function total(world: World): unknown {
  const [aggregate] = program.aggregates;
  if (aggregate === undefined) throw new Error('no window');
  const items = world.aggregates.items().filter(({ pk }) => pk.startsWith('1|places|'));
  return mergePages(aggregate, items)[0]?.columns.events;
}

const data = { place: 'ATL', at: NOON_MS, amount: 1 };

describe('writers that are shards', () => {
  it('take any partition key', async () => {
    const world = makeWorld();
    const { report } = await makeConsume(world, program)(
      { Records: [record({ sequence: 1, data, partitionKey: 'a key of somebody else' })] },
      invocation(world),
    );
    expect(report).toMatchObject({ accepted: 1, writers: 1 });
  });

  it('a child knows the ids and the watermark of its parents', async () => {
    const world = makeWorld();
    world.stream.addShard(0, []);
    const parent = record({ sequence: 5, data, id: 'same', shard: 0 });
    await makeConsume(world, program)({ Records: [parent] }, invocation(world));
    world.stream.addShard(1, [0]);

    const late = { ...data, at: NOON_MS - 48 * 3_600_000 };
    const { report } = await makeConsume(world, program)(
      {
        Records: [
          record({ sequence: 1, data, id: 'same', shard: 1 }),
          record({ sequence: 2, data: late, id: 'late', shard: 1 }),
          record({ sequence: 3, data, id: 'new', shard: 1 }),
        ],
      },
      invocation(world),
    );

    expect(report).toMatchObject({ accepted: 1, duplicates: 1, reasons: { late: 1 } });
    expect(total(world)).toBe(2);
  });

  it('a sequence number that is lower than its parent’s is no repeat', async () => {
    const world = makeWorld();
    world.stream.addShard(0, []);
    world.stream.addShard(1, [0]);
    const consume = makeConsume(world, program);
    await consume(
      { Records: [record({ sequence: 900, data, id: 'a', shard: 0 })] },
      invocation(world),
    );
    await consume(
      { Records: [record({ sequence: 1, data, id: 'b', shard: 1 })] },
      invocation(world),
    );
    expect(total(world)).toBe(2);
  });
});
