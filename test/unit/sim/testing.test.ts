import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { SimulationError, simulatePipeline } from '#millrace/testing';

const schema = v.object({ shop: v.string(), at: v.number(), total: v.number() });

function orders(partitions: number | 'shard', transform?: (total: number) => number) {
  return definePipeline({
    name: 'orders',
    schema,
    key: 'shop',
    time: 'at',
    partitions,
    transform: (events) =>
      events.map((order) => ({ ...order, total: transform?.(order.total) ?? order.total })),
    windows: ({ tumbling, count, sum }) => ({
      shops: tumbling('1 hour', { by: 'shop', keep: { orders: count(), revenue: sum('total') } }),
    }),
  });
}

const start = '1970-01-01T00:00:00.000Z';

describe('simulatePipeline', () => {
  it('gives the same results under faults, and says which happened', async () => {
    const { windows, quarantined, faults } = await simulatePipeline(orders(4), {
      events: [
        { id: '1', data: { shop: 'a', at: 0, total: 2 } },
        { id: '1', data: { shop: 'a', at: 0, total: 2 } },
        { id: '2', data: { shop: 'a', at: 'noon', total: 2 } },
        { data: undefined, bytes: Buffer.from('{"half') },
      ],
      faults: 'all',
    });

    expect(windows.shops).toEqual([{ start, shop: 'a', orders: 1, revenue: 2 }]);
    expect(quarantined).toEqual([
      { reason: 'schema', id: '2' },
      { reason: 'not-decodable', id: '' },
    ]);
    expect(faults.crash).toBeGreaterThan(0);
    expect(faults).not.toHaveProperty('retention');
  }, 60_000);

  it('runs pipelines whose producers choose their partition keys', async () => {
    const events = ['a', 'b', 'c', 'a'].map((shop, index) => ({
      data: { shop, at: 0, total: index },
      partitionKey: `${shop}-${index}`,
    }));
    const { windows } = await simulatePipeline(orders('shard'), {
      events,
      faults: ['crash', 'reshard', 'sendTwice'],
      mapping: { batchSize: 2 },
    });

    expect(windows.shops).toEqual([
      { start, shop: 'a', orders: 2, revenue: 3 },
      { start, shop: 'b', orders: 1, revenue: 1 },
      { start, shop: 'c', orders: 1, revenue: 2 },
    ]);
  }, 60_000);

  it('quarantines what names no partition', async () => {
    const { quarantined } = await simulatePipeline(orders(4), {
      events: [{ data: { shop: 'a', at: 0, total: 2 }, partitionKey: 'a' }],
    });

    expect(quarantined).toEqual([{ reason: 'unknown-partition', id: '' }]);
  });

  it('throws with seed and timeline when a promise is broken', async () => {
    // A transform that is not pure gives something else in every try.
    let calls = 0;
    const impure = orders(1, (total) => {
      calls += 1;
      return total + calls;
    });
    const tried = simulatePipeline(impure, {
      events: [{ data: { shop: 'a', at: 0, total: 2 } }],
      faults: ['crash'],
    });

    await expect(tried).rejects.toThrow(SimulationError);
    await expect(tried).rejects.toThrow(/seed \d+: .*stored[\s\S]*producer +p-0: taken as/);
  }, 60_000);
});
