import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { compile } from '../../../src/core/compile.ts';
import { DeadlineError, TransientError } from '../../../src/core/errors.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { SendOptions, Table } from '../../../src/ports/table.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const program = compile(smallPipeline);

function batchOf(count: number) {
  return {
    Records: Array.from({ length: count }, (_, index) =>
      record({ sequence: index + 1, data: { place: `P${index % 7}`, at: NOON_MS, amount: 1 } }),
    ),
  };
}

/** A table each of whose requests takes so long, and that keeps to deadlines as the AWS adapter does. */
function slow(table: Table, world: World, ms: number): Table {
  const missed = async ({ deadlineMs }: SendOptions) => {
    if (world.clock.now() >= deadlineMs) return new DeadlineError('sent too late');
    await world.clock.sleep(ms);
    return world.clock.now() >= deadlineMs ? new TransientError('no answer') : undefined;
  };
  return {
    get: async (keys, options) => {
      const error = await missed(options);
      return error === undefined
        ? table.get(keys, options)
        : keys.map(() => ({ status: 'failed', error }));
    },
    query: async (query, options) => {
      const error = await missed(options);
      if (error !== undefined) throw error;
      return table.query(query, options);
    },
    putIf: async (writes, options) => {
      const error = await missed(options);
      return error === undefined
        ? table.putIf(writes, options)
        : writes.map(() => ({ status: 'failed', error }));
    },
    putAll: async (items, options) => {
      const error = await missed(options);
      return error === undefined
        ? table.putAll(items, options)
        : items.map(() => ({ status: 'failed', error }));
    },
  };
}

describe('time', () => {
  it('runs out: the rest is reported, and the next try finishes', async () => {
    const world = makeWorld();
    const tired = {
      ...world,
      aggregates: slow(world.aggregates, world, 20_000),
      events: slow(world.events, world, 1),
      ledger: slow(world.ledger, world, 1),
    };
    const call = invocation(world, 30_000);

    const { response, report } = await makeConsume(tired, program)(batchOf(20), call);
    const endedMs = world.clock.now();
    const again = await makeConsume(world, program)(batchOf(20), invocation(world));

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '1' }]);
    expect(report.unfinished).toBe(20);
    expect(endedMs).toBeLessThan(call.deadlineMs + 20_000);
    expect(report.stops.length).toBeGreaterThan(0);
    expect(again.response.batchItemFailures).toEqual([]);
  });

  it('that writing took is measured, not that of planning', async () => {
    const world = makeWorld();
    const planned = definePipeline({
      name: 'slow',
      schema: v.object({ at: v.number() }),
      key: () => 'one',
      time: 'at',
      partitions: 2,
      transform: (events) =>
        events.map((event) => {
          world.clock.advance(100);
          return event;
        }),
      windows: ({ tumbling, count }) => ({ hours: tumbling('1 hour', { keep: { n: count() } }) }),
    });
    const slowed = { ...world, ledger: slow(world.ledger, world, 10) };

    const { report } = await makeConsume(slowed, compile(planned))(batchOf(20), invocation(world));

    expect(report.accepted).toBe(20);
    expect(report.latencyMs).toBeGreaterThanOrEqual(2_000);
    expect(report.writeMs).toBeGreaterThanOrEqual(10);
    expect(report.writeMs).toBeLessThan(100);
  });

  it('is not wasted on a batch without records', async () => {
    const world = makeWorld();
    const { response } = await makeConsume(world, program)({ Records: [] }, invocation(world));
    expect(response).toEqual({ batchItemFailures: [] });
    expect(world.ledger.usage.requests).toBe(0);
  });
});

describe('cost', () => {
  it('a warm batch reads the ledger once for all its writers, and no cell', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);
    const both = (from: number) => ({
      Records: Array.from({ length: 10 }, (_, index) =>
        record({
          sequence: from + index,
          partitionKey: `p-${index % 2}`,
          data: { place: 'ATL', at: NOON_MS, amount: 1 },
        }),
      ),
    });
    await consume(both(1), invocation(world));
    const before = {
      ledger: world.ledger.usage.readUnits,
      cells: world.aggregates.usage.readUnits,
    };
    await consume(both(100), invocation(world));

    expect(world.ledger.usage.readUnits - before.ledger).toBe(2);
    expect(world.aggregates.usage.readUnits).toBe(before.cells);
  });

  it('a thousand bad events make one quarantine object', async () => {
    const world = makeWorld();
    const bad = {
      Records: Array.from({ length: 1_000 }, (_, index) =>
        record({ sequence: index + 1, bytes: Buffer.from('{') }),
      ),
    };
    const { report } = await makeConsume(world, program)(bad, invocation(world));
    expect(report.quarantined).toBe(1_000);
    expect(world.quarantine.objects.size).toBe(1);
    expect(world.quarantineIndex.items()).toHaveLength(1_000);
  });
});

describe('what the function says', () => {
  it('holds no value of an event', async () => {
    const world = makeWorld();
    const failing: World = {
      ...world,
      aggregates: {
        ...world.aggregates,
        putIf: async (writes) =>
          writes.map(() => ({ status: 'failed', error: new Error('throttled') })),
      },
    };
    const secret = { place: 'SECRET', at: NOON_MS, amount: 1 };
    const { report } = await makeConsume(failing, program)(
      {
        Records: [
          record({ sequence: 1, data: secret }),
          record({ sequence: 2, data: { place: 7, at: 'SECRET' } }),
        ],
      },
      invocation(world, 5_000),
    );
    expect(JSON.stringify(report)).not.toContain('SECRET');
  });

  it('a record that is not as Lambda documents it is refused as a whole', async () => {
    const world = makeWorld();
    const [good] = batchOf(1).Records;
    if (good === undefined) throw new Error('no record');
    const wrong = { ...good, kinesis: { ...good.kinesis, sequenceNumber: 'x' } };
    const consume = makeConsume(world, program);
    await expect(consume({ Records: [wrong] }, invocation(world))).rejects.toThrow(
      'sequence number',
    );
  });
});
