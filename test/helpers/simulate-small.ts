import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { Program } from '../../src/core/program.ts';
import { ALL_FAULTS } from '../../src/sim/faults.ts';
import type { SimOptions, SimResult } from '../../src/sim/schedule.ts';
import { simulate } from '../../src/sim/simulate.ts';
import { witnessed } from '../../src/sim/witness.ts';
import { type RecordMix, simEvents } from './sim-records.ts';
import { smallPipeline } from './small-pipeline.ts';
import { widePipeline } from './wide-pipeline.ts';
import { withDecoder } from './with-decoder.ts';
import { NOON_MS } from './world.ts';

const HOUR_MS = 3_600_000;

/** The pipelines of the simulation's tests: as it is, of writers that are shards, of many pages. */
const PIPELINES = {
  small: witnessed(smallPipeline),
  shards: witnessed({ ...smallPipeline, partitions: 'shard' as const }),
  wide: witnessed(widePipeline),
} as const satisfies Readonly<Record<string, AnyPipeline>>;

/** Which of them. */
export type Variant = keyof typeof PIPELINES;

const PROGRAMS: Readonly<Record<Variant, Program>> = {
  small: await withDecoder(PIPELINES.small),
  shards: await withDecoder(PIPELINES.shards),
  wide: await withDecoder(PIPELINES.wide),
};

/** The program, in which an event of the place `killer` ends the process. */
function deadly(program: Program, die: () => void): Program {
  const transform = (event: unknown, arrivalMs: number) => {
    if (typeof event === 'object' && event !== null && Reflect.get(event, 'place') === 'killer') {
      die();
    }
    return program.transform(event, arrivalMs);
  };
  return { ...program, transform };
}

/** What a schedule of the tests can differ in. */
export type SmallOptions = Partial<SimOptions> & {
  readonly variant?: Variant;
  readonly count?: number;
  readonly mix?: RecordMix;
};

/** What the small pipeline is simulated with; everything comes from the seed. */
export function smallOptions(seed: number, over: SmallOptions = {}): SimOptions {
  const { count = 60, mix, variant = 'small', ...options } = over;
  const writers = variant === 'shards' ? 'shards' : 'partitions';
  return {
    seed,
    startMs: NOON_MS,
    pipeline: PIPELINES[variant],
    program: (die) => deadly(PROGRAMS[variant], die),
    events: simEvents(seed, count, {
      writers,
      // Every fourth producer packs events into aggregates, every third sends a backlog.
      aggregated: seed % 4 === 0 ? 0.5 : 0,
      pace: seed % 3 === 0 ? 'backlog' : 'live',
      ...mix,
    }),
    shards: 1 + (seed % 2),
    settings: {
      batchSize: 12,
      windowMs: 1_000,
      // A shard that is a writer has one lane.
      parallelization: variant === 'shards' ? 1 : 1 + (seed % 2),
      bisect: seed % 3 > 0,
    },
    faults: ALL_FAULTS,
    faultsForMs: 120_000,
    keepEveryMs: HOUR_MS,
    expireEveryMs: HOUR_MS,
    ...options,
  };
}

/** Simulates the small pipeline under all faults. */
export function simulateSmall(seed: number, over: SmallOptions = {}): Promise<SimResult> {
  return simulate(smallOptions(seed, over));
}
