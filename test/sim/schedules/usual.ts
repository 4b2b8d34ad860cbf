import { simulateSmall } from '../../helpers/simulate-small.ts';
import type { Schedule } from './schedule.ts';

/** Two partitions, every fault. */
export const SMALL: Schedule = {
  name: 'small',
  seeds: 40,
  tested: 3,
  run: async (seed) => (await simulateSmall(seed)).violations,
};

/** Writers that are shards, which split and merge; every fault. */
export const SHARDS: Schedule = {
  name: 'shards',
  seeds: 30,
  tested: 3,
  run: async (seed) => (await simulateSmall(seed, { variant: 'shards' })).violations,
};

/** Packs of many pages, hopping windows and sessions; every fault. */
export const WIDE: Schedule = {
  name: 'wide',
  seeds: 25,
  tested: 3,
  run: async (seed) => (await simulateSmall(seed, { variant: 'wide' })).violations,
};
