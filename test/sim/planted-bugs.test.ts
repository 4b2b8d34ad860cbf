import { expect, it } from 'vitest';
import { makeConsume } from '../../src/handlers/consume.ts';
import type { ConsumePorts } from '../../src/handlers/ports.ts';
import type { Table } from '../../src/ports/table.ts';
import type { SimOptions } from '../../src/sim/simulate.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';

/** Each turns a right handler into a wrong one, by what it sees or what is believed of it. */
const BUGS: Readonly<Record<string, (ports: ConsumePorts) => ConsumePorts>> = {
  'cells are written without their condition': (ports) => ({
    ...ports,
    aggregates: {
      ...ports.aggregates,
      putIf: (writes, options) =>
        ports.aggregates.putAll(
          writes.map(({ item }) => item),
          options,
        ),
    },
  }),
  'a lost answer of a cell counts as written': (ports) => ({
    ...ports,
    aggregates: mapped(ports.aggregates, () => ({ status: 'written' })),
  }),
  'a warm container trusts its memory': (ports) => ({
    ...ports,
    ledger: {
      ...ports.ledger,
      get: async (keys, options) => {
        const results = await ports.ledger.get(keys, options);
        return keys.map(({ sk }, index) =>
          sk.startsWith('e#')
            ? { status: 'read', item: undefined }
            : (results[index] ?? { status: 'read', item: undefined }),
        );
      },
    },
  }),
  'the ledger forgets which ids were counted': (ports) => ({
    ...ports,
    ledger: {
      ...ports.ledger,
      putIf: (writes, options) =>
        ports.ledger.putIf(
          writes.map(({ item: { i: _ids, ...item }, ...rest }) => ({ ...rest, item })),
          options,
        ),
    },
  }),
  'a refused append to the ledger counts as done': (ports) => ({
    ...ports,
    ledger: mapped(ports.ledger, (result) =>
      result.status === 'failed' ? { status: 'written' } : result,
    ),
  }),
  'documents of the quarantine are not waited for': (ports) => ({
    ...ports,
    quarantine: {
      ...ports.quarantine,
      put: async (...args) => {
        await ports.quarantine.put(...args).catch(() => undefined);
      },
    },
  }),
};

function mapped(
  table: Table,
  map: (
    result: Awaited<ReturnType<Table['putIf']>>[number],
  ) => Awaited<ReturnType<Table['putIf']>>[number],
): Table {
  return {
    ...table,
    putIf: async (writes, options) => (await table.putIf(writes, options)).map(map),
  };
}

async function firstSeedThatFails(over: Partial<SimOptions>): Promise<number | undefined> {
  for (let seed = 1; seed <= 60; seed += 1) {
    const { violations } = await simulateSmall(seed, over);
    if (violations.length > 0) return seed;
  }
  return undefined;
}

it.each(Object.entries(BUGS))('the simulation finds it when %s', async (_name, plant) => {
  const seed = await firstSeedThatFails({
    makeHandler: (ports, program) => makeConsume(plant(ports), program),
  });

  expect(seed).toBeDefined();
});

it('the simulation finds it when the function acknowledges everything', async () => {
  const seed = await firstSeedThatFails({
    makeHandler: (ports, program) => {
      const consume = makeConsume(ports, program);
      return async (batch, invocation) => {
        const result = await consume(batch, invocation);
        return { ...result, response: { batchItemFailures: [] } };
      };
    },
  });

  expect(seed).toBeDefined();
});
