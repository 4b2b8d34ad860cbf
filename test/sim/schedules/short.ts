import { makeConsume } from '../../../src/handlers/consume.ts';
import type { Table } from '../../../src/ports/table.ts';
import { ALL_FAULTS } from '../../../src/sim/faults.ts';
import type { SimOptions } from '../../../src/sim/schedule.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import type { Schedule } from './schedule.ts';

/** A table whose queries answer few items at a time, as DynamoDB's do where items are large. */
function short(table: Table, limit: number): Table {
  return { ...table, query: (query, options) => table.query({ ...query, limit }, options) };
}

/** Every query takes several pages; every fault, and containers that know nothing more often. */
export const SHORT: Schedule = {
  name: 'short',
  seeds: 12,
  run: async (seed) => {
    const limit = 1 + (seed % 3);
    const makeHandler: SimOptions['makeHandler'] = (ports, program, options) => {
      const ledger = short(ports.ledger, limit);
      const aggregates = short(ports.aggregates, limit);
      return makeConsume({ ...ports, ledger, aggregates }, program, options);
    };
    const faults = { ...ALL_FAULTS, coldStart: 0.5 };
    const variant = seed % 2 === 0 ? 'wide' : 'shards';
    return (await simulateSmall(seed, { variant, faults, makeHandler })).violations;
  },
};
