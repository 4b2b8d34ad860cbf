import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { compile } from '../../../src/core/compile.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import { envelope, NOON_MS } from '../../helpers/world.ts';
import type { Schedule } from './schedule.ts';

const pipeline = definePipeline({
  name: 'columns',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.number() }),
  key: 'place',
  time: 'at',
  partitions: 2,
  lateness: '1 day',
  windows: ({ tumbling, sum, mean, percentiles, variance, topK, distinct, first, last }) => ({
    places: tumbling('1 hour', {
      by: 'place',
      keep: {
        total: sum('amount'),
        mean: mean('amount'),
        spread: percentiles('amount', [0, 50, 99]),
        variance: variance('amount'),
        top: topK('place', { k: 2 }),
        amounts: distinct('amount'),
        first: first('amount'),
        last: last('amount'),
      },
    }),
  }),
});

const program = compile(pipeline);

/** Columns whose states are bytes and sketches, over numbers of every size; every fault. */
export const COLUMNS: Schedule = {
  name: 'columns',
  seeds: 6,
  run: async (seed) => {
    const events = eventsOf(seed);
    return (await simulateSmall(seed, { pipeline, program: () => program, events })).violations;
  },
};

function eventsOf(seed: number): readonly SimEvent[] {
  const random = makeSeededRandom(seed);
  return Array.from({ length: 50 }, (_, index) => {
    const partition = index % 2;
    const size = 10 ** (random.next() * 600 - 300);
    const amount = random.next() < 0.1 ? 0 : (random.next() - 0.5) * size;
    const at = NOON_MS - Math.floor(random.next() * 7_200_000);
    const data = { place: ['ATL', 'ORD'][Math.floor(random.next() * 2)], at, amount };
    return {
      atMs: NOON_MS + index * 200,
      partitionKey: `p-${partition}`,
      explicitHashKey: explicitHashKey(partition, 2),
      bytes: envelope({ sequence: index, data }),
    };
  });
}
