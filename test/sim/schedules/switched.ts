import { simulateSwitch } from '../../helpers/simulate-switch.ts';
import type { Schedule } from './schedule.ts';

/** From one version of a pipeline to the next while events come; every fault. */
export const SWITCHED: Schedule = {
  name: 'switched',
  seeds: 12,
  tested: 2,
  run: async (seed) => (await simulateSwitch(seed, { variant: 'small' })).violations,
};

/** The same where writers are shards, which split and merge. */
export const SWITCHED_SHARDS: Schedule = {
  name: 'switched shards',
  seeds: 12,
  tested: 2,
  run: async (seed) => (await simulateSwitch(seed, { variant: 'shards' })).violations,
};
