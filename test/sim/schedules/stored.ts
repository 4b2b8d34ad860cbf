import { compile } from '../../../src/core/compile.ts';
import type { AnyPipeline } from '../../../src/core/pipeline/types.ts';
import { onlyFaults } from '../../../src/sim/faults.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { widePipeline } from '../../helpers/wide-pipeline.ts';
import type { Schedule } from './schedule.ts';
import { checkPackedEvents, checkStoredEvents } from './stored/events.ts';
import { factsOf } from './stored/facts.ts';
import { checkLedger } from './stored/ledger.ts';
import { checkPages, type ExpectedLayout } from './stored/pages.ts';
import { checkStoredQuarantine } from './stored/quarantine.ts';

const HOUR_MS = 3_600_000;
const small = compile(smallPipeline);
const wide = compile(widePipeline);

const FAULTS = onlyFaults([
  'crash',
  'refuse',
  'loseAnswer',
  'coldStart',
  'loseCheckpoint',
  'sendTwice',
]);

const SMALL_LAYOUTS: Readonly<Record<string, ExpectedLayout>> = {
  places: { gridMs: HOUR_MS, windows: 48, buckets: 3 },
  days: { gridMs: 24 * HOUR_MS, windows: 6, buckets: 1 },
};

const WIDE_LAYOUTS: Readonly<Record<string, ExpectedLayout>> = {
  labels: { gridMs: HOUR_MS, windows: 48, buckets: 1 },
  spread: { gridMs: HOUR_MS, windows: 48, buckets: 29 },
  recent: { gridMs: HOUR_MS / 2, windows: 48, buckets: 2 },
  runs: { gridMs: 6 * HOUR_MS, windows: 24, buckets: 4 },
};

/** What is stored is what the formats say, byte by byte, read by code that shares nothing with the core. */
export const STORED: Schedule = {
  name: 'stored',
  seeds: 12,
  run: async (seed) => {
    const result = await simulateSmall(seed, {
      pipeline: smallPipeline,
      program: () => small,
      mix: { strays: 0 },
      faults: FAULTS,
      timeoutMs: 30_000,
    });
    const facts = factsOf(result, smallPipeline, small);
    return [
      ...result.violations,
      ...checkLedger(facts),
      ...checkPages(facts, SMALL_LAYOUTS),
      ...checkStoredEvents(facts),
      ...checkStoredQuarantine(facts),
    ];
  },
};

const packedPipeline: AnyPipeline = { ...smallPipeline, events: { layout: 'packed', index: true } };
const packed = compile(packedPipeline);

/** Events that are kept together, each batch anew, with an index of their ids. */
export const STORED_EVENTS: Schedule = {
  name: 'stored events',
  seeds: 6,
  run: async (seed) => {
    const result = await simulateSmall(seed, {
      pipeline: packedPipeline,
      program: () => packed,
      mix: { strays: 0, late: 0.3 },
      settings: { batchSize: 30, windowMs: 3_000 },
      faults: FAULTS,
      timeoutMs: 30_000,
    });
    const facts = factsOf(result, packedPipeline, packed);
    return [...result.violations, ...checkPackedEvents(facts)];
  },
};

/** The same for packs of many pages, hopping windows and sessions. */
export const STORED_WIDE: Schedule = {
  name: 'stored wide',
  seeds: 8,
  run: async (seed) => {
    const result = await simulateSmall(seed, {
      pipeline: widePipeline,
      program: () => wide,
      mix: { strays: 0 },
      faults: FAULTS,
      timeoutMs: 30_000,
    });
    const facts = factsOf(result, widePipeline, wide);
    return [...result.violations, ...checkLedger(facts), ...checkPages(facts, WIDE_LAYOUTS)];
  },
};
