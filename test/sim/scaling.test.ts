import { describe, expect, it } from 'vitest';
import type { ScalingRange } from '../../src/core/scaling.ts';
import { FAULT_NAMES, NO_FAULTS, onlyFaults } from '../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../src/sim/policies.ts';
import type { SimOptions, SimResult } from '../../src/sim/schedule.ts';
import { simulate } from '../../src/sim/simulate.ts';
import type { SimEvent } from '../../src/sim/stream.ts';
import { scaledEvents, scaledPipeline, scaledProgram } from '../helpers/scaled.ts';
import { NOON_MS } from '../helpers/world.ts';

/**
 * A provisioned stream under bursts: the scaler runs each minute beside the real consumer, shards take three
 * records a second each, so that a burst of twenty is what thousands are to real ones.
 */

const MINUTE_MS = 60_000;

const RANGE: ScalingRange = {
  least: 1,
  most: 16,
  partitions: 16,
  readers: 1,
  limits: { records: 3, bytesIn: 1_048_576, bytesOut: 2_097_152 },
};

/** Minutes of so many events a second. */
const BURST = [
  { minutes: 4, rate: 1 },
  { minutes: 18, rate: 20 },
  { minutes: 2, rate: 1 },
] as const;

function run(seed: number, events: readonly SimEvent[], over: Partial<SimOptions> = {}) {
  return simulate({
    seed,
    startMs: NOON_MS,
    pipeline: scaledPipeline,
    program: () => scaledProgram,
    events,
    shards: 1,
    scaling: RANGE,
    settings: { batchSize: 100, windowMs: 2_000, parallelization: 2 },
    policies: PLAIN_POLICIES,
    faults: NO_FAULTS,
    faultsForMs: 20 * MINUTE_MS,
    ...over,
  });
}

function inMinutes({ resizes }: SimResult) {
  return resizes.map(({ atMs, shards }) => [Math.round((atMs - NOON_MS) / MINUTE_MS), shards]);
}

describe('a stream that is scaled', () => {
  it('doubles in a burst until all is taken, and loses none', async () => {
    const result = await run(1, scaledEvents(BURST));

    expect(result.violations).toEqual([]);
    expect(result.resizes.map(({ shards }) => shards)).toEqual([2, 4, 8, 16]);
    // One shard would take two hours for it.
    const taken = result.minutes.filter(({ records }) => records > 0);
    expect(taken.at(-1)?.startMs).toBeLessThan(NOON_MS + 30 * MINUTE_MS);
    expect(inMinutes(result).every(([minute = 0]) => minute >= 4)).toBe(true);
  }, 120_000);

  it('stays as it is where the traffic fits', async () => {
    const result = await run(2, scaledEvents([{ minutes: 20, rate: 1.5 }]));
    expect(result.violations).toEqual([]);
    expect(result.resizes).toEqual([]);
  }, 60_000);

  it('shrinks slowly: an hour of quiet for each halving', async () => {
    const quiet = [...BURST, { minutes: 150, rate: 0.1 }];
    const result = await run(3, scaledEvents(quiet));
    expect(result.violations).toEqual([]);
    const down = inMinutes(result).slice(4);
    expect(down.map(([, shards]) => shards)).toEqual([8, 4]);
    const [first = [0], second = [0]] = down;
    expect((second[0] ?? 0) - (first[0] ?? 0)).toBeGreaterThanOrEqual(58);
  }, 120_000);

  it.each([4, 5, 6])(
    'keeps every promise under faults as well (seed %s)',
    async (seed) => {
      const faults = onlyFaults(FAULT_NAMES.filter((name) => !OTHER_SHARDS.includes(name)));
      const result = await run(seed, scaledEvents(BURST), { faults });
      expect(result.violations).toEqual([]);
      expect(result.resizes.length).toBeGreaterThan(1);
    },
    120_000,
  );
});

/** Faults that change the shards themselves, or the stream. */
const OTHER_SHARDS: readonly string[] = ['reshard', 'recreate', 'retention'];
