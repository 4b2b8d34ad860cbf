import { ALL_FAULTS, NO_FAULTS } from '../../../src/sim/faults.ts';
import type { SimResult } from '../../../src/sim/schedule.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import type { Schedule } from './schedule.ts';

/** Events that end the function's process: each is found, and no other is taken for one. */
export const KILLERS: Schedule = {
  name: 'killers',
  seeds: 12,
  run: async (seed) => {
    const mix = { killers: 0.05 };
    const result = await simulateSmall(seed, { mix, faults: NO_FAULTS });
    const places = crashedPlaces(result);
    return [
      ...result.violations,
      ...places
        .filter((one) => one !== 'killer')
        .map((one) => `an event of ${one} is taken for a killer`),
    ];
  },
};

/** The same while everything else goes wrong: killers end in quarantine, and nothing is lost. */
export const KILLERS_AND_FAULTS: Schedule = {
  name: 'killers and faults',
  seeds: 12,
  run: async (seed) => {
    const faults = { ...ALL_FAULTS, crash: 0.005 };
    return (await simulateSmall(seed, { mix: { killers: 0.04 }, faults })).violations;
  },
};

/** The places of the events that were quarantined as `crash`. */
function crashedPlaces({ world }: SimResult): readonly string[] {
  const crashed = world.quarantineIndex.items().filter(({ r }) => r === 'crash');
  return crashed.map(({ o, l }) => {
    const text = Buffer.from(world.quarantine.objects.get(String(o)) ?? []).toString();
    const { bytes } = JSON.parse(text.split('\n')[Number(l)] ?? '{}');
    return JSON.parse(Buffer.from(bytes, 'base64').toString()).data.place;
  });
}
