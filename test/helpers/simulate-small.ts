import { compile } from '../../src/core/compile.ts';
import type { Program } from '../../src/core/program.ts';
import { ALL_FAULTS } from '../../src/sim/faults.ts';
import type { SimOptions, SimResult } from '../../src/sim/schedule.ts';
import { simulate } from '../../src/sim/simulate.ts';
import { type RecordMix, simEvents } from './sim-records.ts';
import { smallPipeline } from './small-pipeline.ts';
import { NOON_MS } from './world.ts';

const program = compile(smallPipeline);

/** The small pipeline, in which an event of the place `killer` ends the process. */
export function deadlyProgram(die: () => void): Program {
  const transform = (event: unknown, arrivalMs: number) => {
    if (typeof event === 'object' && event !== null && Reflect.get(event, 'place') === 'killer') {
      die();
    }
    return program.transform(event, arrivalMs);
  };
  return { ...program, transform };
}

/** What the small pipeline is simulated with; everything comes from the seed. */
export function smallOptions(
  seed: number,
  over: Partial<SimOptions> & { readonly count?: number; readonly mix?: RecordMix } = {},
): SimOptions {
  const { count = 60, mix, ...options } = over;
  return {
    seed,
    startMs: NOON_MS,
    pipeline: smallPipeline,
    program: deadlyProgram,
    events: simEvents(seed, count, mix),
    shards: 1 + (seed % 2),
    settings: {
      batchSize: 12,
      windowMs: 1_000,
      parallelization: 1 + (seed % 2),
      bisect: seed % 3 > 0,
    },
    faults: ALL_FAULTS,
    faultsForMs: 120_000,
    ...options,
  };
}

/** Simulates the small pipeline under all faults. */
export function simulateSmall(
  seed: number,
  over: Parameters<typeof smallOptions>[1] = {},
): Promise<SimResult> {
  return simulate(smallOptions(seed, over));
}
