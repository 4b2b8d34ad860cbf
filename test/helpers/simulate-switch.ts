import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { compile } from '../../src/core/compile.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import { LOSING_FAULTS } from '../../src/sim/faults.ts';
import type { SimOptions, SimResult } from '../../src/sim/schedule.ts';
import { simulate } from '../../src/sim/simulate.ts';
import { witnessed } from '../../src/sim/witness.ts';
import type { Variant } from './simulate-small.ts';
import { smallOptions } from './simulate-small.ts';
import { changedPipeline, smallPipeline } from './small-pipeline.ts';
import { NOON_MS } from './world.ts';

/** How long containers of the simulation believe a list of versions, milliseconds. */
export const BELIEVED_MS = 3_000;

/** Events come so much slower than in the other simulations: there is time for more than one reading. */
const SLOWER = 4;

const PIPELINES: Readonly<Record<'small' | 'shards', readonly [AnyPipeline, AnyPipeline]>> = {
  small: [witnessed(smallPipeline), witnessed(changedPipeline)],
  shards: [
    witnessed({ ...smallPipeline, partitions: 'shard' as const }),
    witnessed({ ...changedPipeline, partitions: 'shard' as const }),
  ],
};

/** What a schedule of a switch can differ in. */
export type SwitchOptions = Partial<SimOptions> & {
  readonly variant?: Variant & keyof typeof PIPELINES;
  readonly count?: number;
  /** Switches back some time after it. */
  readonly back?: boolean;
  /** From an announcement to the first record that arrives after its time, milliseconds; drawn by default. */
  readonly leadMs?: number;
};

/** What a switch of the small pipeline is simulated with; everything comes from the seed. */
export function switchOptions(seed: number, over: SwitchOptions = {}): SimOptions {
  const { variant = 'small', back = seed % 3 === 0, count = 60, leadMs, ...options } = over;
  const random = makeSeededRandom(seed);
  const [before, after] = PIPELINES[variant].map((pipeline) => {
    const program = compile(pipeline);
    return { pipeline, program: () => program };
  });
  if (before === undefined || after === undefined) throw new Error('got no two versions');
  const small = smallOptions(seed, { variant, count });
  const events = small.events.map((event) => ({
    ...event,
    atMs: NOON_MS + (event.atMs - NOON_MS) * SLOWER,
  }));
  const lastMs = (events.at(-1)?.atMs ?? NOON_MS) - NOON_MS;
  // Clocks differ: what is left of the lead may be little more than what is believed.
  const lead = () => leadMs ?? BELIEVED_MS + 100 + Math.floor(random.next() * 5_000);
  const at = (from: number, to: number) =>
    Math.round(NOON_MS + lastMs * (from + random.next() * (to - from)));
  const switching = (version: typeof before, fromMs: number) => ({
    ...version,
    fromMs,
    announceMs: fromMs - lead(),
  });
  return {
    ...small,
    ...before,
    events,
    versions: [switching(after, at(0.2, 0.6)), ...(back ? [switching(before, at(0.8, 1.1))] : [])],
    believedMs: BELIEVED_MS,
    faults: {
      ...small.faults,
      ...Object.fromEntries(LOSING_FAULTS.map((name) => [name, 0])),
    },
    ...options,
  };
}

/** Simulates a switch under faults. */
export function simulateSwitch(seed: number, over: SwitchOptions = {}): Promise<SimResult> {
  return simulate(switchOptions(seed, over));
}
