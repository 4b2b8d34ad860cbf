import { ALL_FAULTS } from '../../../src/sim/faults.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { simEvents } from '../../helpers/sim-records.ts';
import { simulateSmall, smallOptions } from '../../helpers/simulate-small.ts';
import { NOON_MS } from '../../helpers/world.ts';
import { observe } from './observe.ts';
import type { Schedule } from './schedule.ts';
import { checkSeen } from './seen.ts';

/** Tries of the same records side by side: checkpoints get lost, requests hang, writes land late. */
export const CONTENDED: Schedule = {
  name: 'contended',
  seeds: 25,
  tested: 3,
  run: async (seed) => {
    const faults = {
      ...ALL_FAULTS,
      crash: 0.01,
      slow: 0.15,
      applyLate: 0.12,
      loseAnswer: 0.1,
      coldStart: 0.5,
      loseCheckpoint: 0.5,
    };
    const observed = await observe(smallOptions(seed, { faults, count: 40 }));
    return [...observed.result.violations, ...checkSeen(observed)];
  },
};

/** The same where packs have many pages, which are sealed one after the other. */
export const CONTENDED_WIDE: Schedule = {
  name: 'contended wide',
  seeds: 20,
  tested: 3,
  run: async (seed) => {
    const faults = {
      ...ALL_FAULTS,
      crash: 0.01,
      slow: 0.1,
      applyLate: 0.2,
      loseAnswer: 0.1,
      coldStart: 0.5,
      loseCheckpoint: 0.5,
    };
    return (await simulateSmall(seed, { variant: 'wide', faults })).violations;
  },
};

/** Hundreds of small batches over hours: chains of several pages, repeats near and beyond the horizon. */
export const LONG: Schedule = {
  name: 'long',
  seeds: 4,
  tested: 3,
  run: async (seed) => {
    const everyMs = [10_000, 40_000, 40_000, 200][seed % 4] ?? 200;
    const variant = seed % 2 === 0 ? 'shards' : 'small';
    const writers = seed % 2 === 0 ? 'shards' : 'partitions';
    const mix = { repeats: 0.3, bad: 0.02, writers } as const;
    const events = stretched(simEvents(seed, 260, mix), everyMs / 200);
    const { violations } = await simulateSmall(seed, {
      variant,
      events,
      faults: { ...ALL_FAULTS, loseCheckpoint: 0.01, reshard: 0.01, outage: 0.005 },
      faultsForMs: 260 * everyMs,
      settings: { batchSize: 2, windowMs: 0, parallelization: 1 },
    });
    return violations;
  },
};

function stretched(events: readonly SimEvent[], factor: number): readonly SimEvent[] {
  return events.map((event) => ({ ...event, atMs: NOON_MS + (event.atMs - NOON_MS) * factor }));
}
