import type { StagesResult } from '../../../src/sim/stages.ts';
import { LONG_OUTAGE, simulateSmallStages } from '../../helpers/simulate-stages.ts';
import { partitionIn, placeOf } from './keys.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';

/** A pipeline that feeds another one; every fault at both. */
export const FED: Schedule = {
  name: 'fed',
  seeds: 12,
  tested: 2,
  run: async (seed) => checked(await simulateSmallStages(seed)),
};

/** What is sent comes again beyond the deduplication horizon. */
export const FED_OUTAGE: Schedule = {
  name: 'fed outage',
  seeds: 5,
  tested: 1,
  run: async (seed) => checked(await simulateSmallStages(seed, LONG_OUTAGE)),
};

/** Besides the promises: every event lies in the place of its key, computed apart from the core. */
function checked({ first, violations }: StagesResult): readonly string[] {
  const { outlet, partitions } = first.world.outlets.large ?? {};
  if (outlet === undefined || partitions === undefined) return ['the world has no outlet'];
  return [
    ...violations,
    ...outlet.records.flatMap(({ partitionKey, explicitHashKey, bytes }) => {
      const { id, data } = JSON.parse(Buffer.from(bytes).toString());
      const partition = partitionIn(String(data.tens), partitions);
      const expected = [`p-${partition}`, placeOf(partition, partitions)];
      return differs(`place of ${id}`, [partitionKey, explicitHashKey], expected);
    }),
  ];
}
