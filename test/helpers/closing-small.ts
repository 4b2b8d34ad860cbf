import * as v from 'valibot';
import { definePipeline } from '#millrace';
import {
  type ClosingResult,
  type ClosingSimulation,
  simulateClosing,
} from './closing-simulation.ts';
import type { Rates } from './faulty-ports.ts';

const PARTITIONS = 3;

const pipeline = definePipeline({
  name: 'closing',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.number() }),
  key: 'place',
  time: 'at',
  partitions: PARTITIONS,
  lateness: '2 minutes',
  deduplication: '30 minutes',
  windows: ({ tumbling, session, count, sum }) => ({
    tens: tumbling('10 minutes', { by: 'place', keep: { events: count(), total: sum('amount') } }),
    runs: session('3 minutes', { max: '1 hour', by: 'place', keep: { events: count() } }),
  }),
  closing: { idle: '5 minutes' },
});

const RATES: Rates = { crash: 0.01, refuse: 0.04, loseAnswer: 0.04, applyLate: 0.04, slow: 0.03 };

/** Closes the windows of a small pipeline under faults. */
export function simulateClosingSmall(
  seed: number,
  more: Partial<ClosingSimulation> = {},
): Promise<ClosingResult> {
  return simulateClosing({ seed, pipeline, partitions: PARTITIONS, rates: RATES, ...more });
}
