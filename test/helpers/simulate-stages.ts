import { compile } from '../../src/core/compile.ts';
import { ALL_FAULTS } from '../../src/sim/faults.ts';
import { type StagesOptions, type StagesResult, simulateStages } from '../../src/sim/stages.ts';
import { type RecordMix, simEvents } from './sim-records.ts';
import { fedPipeline, feedingPipeline } from './stage-pipelines.ts';
import { NOON_MS } from './world.ts';

const feeding = compile(feedingPipeline);
const fed = compile(fedPipeline);
const MINUTE_MS = 60_000;

/** What the two small stages are simulated with; everything comes from the seed. */
export function stagesOptions(
  seed: number,
  over: Partial<StagesOptions> & { readonly count?: number; readonly mix?: RecordMix } = {},
): StagesOptions {
  const { count = 60, mix, ...options } = over;
  const settings = {
    batchSize: 12,
    windowMs: 1_000,
    parallelization: 1 + (seed % 2),
    bisect: seed % 3 > 0,
  };
  return {
    seed,
    startMs: NOON_MS,
    events: simEvents(seed, count, mix),
    first: { pipeline: feedingPipeline, program: () => feeding, settings, shards: 1 + (seed % 2) },
    second: { pipeline: fedPipeline, program: () => fed, settings, shards: 2 - (seed % 2) },
    output: 'large',
    faults: ALL_FAULTS,
    faultsForMs: 2 * MINUTE_MS,
    ...options,
  };
}

/** An outage between sending and appending that is longer than the second stage’s horizon. */
export const LONG_OUTAGE = {
  appendOutage: { fromMs: NOON_MS + 5_000, untilMs: NOON_MS + 22 * MINUTE_MS },
} as const;

/** Simulates two small stages under all faults. */
export function simulateSmallStages(
  seed: number,
  over: Parameters<typeof stagesOptions>[1] = {},
): Promise<StagesResult> {
  return simulateStages(stagesOptions(seed, over));
}
