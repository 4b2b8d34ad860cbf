import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { compile } from '../../../src/core/compile.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import { onlyFaults } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { smallOptions } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { envelope, NOON_MS } from '../../helpers/world.ts';
import { observe, type Run } from './observe.ts';
import type { Schedule } from './schedule.ts';
import { outside } from './stored/facts.ts';

const program = compile({
  ...smallPipeline,
  retention: { ...smallPipeline.retention, events: null },
});

const EVENTS = 10_500;
const BATCH = 200;
/** So that the horizon of half an hour holds less than half of them. */
const EVERY_MS = 600;
const HORIZON_EVENTS = 1_800_000 / EVERY_MS;

/**
 * More ids in one writer than a container keeps: those beyond the horizon are forgotten, and repeats are
 * told apart all the same, near the horizon and far beyond.
 */
export const CROWDED: Schedule = {
  name: 'crowded',
  seeds: 1,
  run: async (seed) => {
    const { result, runs } = await observe({
      ...smallOptions(seed, {
        events: eventsOf(seed),
        faults: { ...onlyFaults(['coldStart']), coldStart: 0.005 },
        policies: PLAIN_POLICIES,
        shards: 1,
        settings: { batchSize: BATCH, windowMs: 60_000 },
        timeoutMs: 60_000,
        faultsForMs: EVENTS * EVERY_MS,
      }),
      pipeline: smallPipeline,
      program: () => program,
    });
    return [...result.violations, ...checkHeld(runs)];
  },
};

/** Ids that are kept before some are forgotten, and a batch more. */
const HELD_MAX = 2 * 4_096 + BATCH;

/** Within the horizon, five minutes more, and a batch. */
const HELD_AFTER = HORIZON_EVENTS + 300_000 / EVERY_MS + BATCH;

/** What a container keeps is bounded, and falls to what it needs. */
function checkHeld(runs: readonly Run[]): readonly string[] {
  const held = runs.map(({ container, result }) => ({
    container,
    ids: result?.report.held.ids ?? 0,
  }));
  const least = held.filter(({ container, ids }, index) => {
    const before = held.slice(0, index).findLast((one) => one.container === container);
    return before !== undefined && ids < before.ids;
  });
  return [
    ...held.flatMap(({ ids }) => outside('ids', ids, [0, HELD_MAX])),
    ...(least.length === 0 ? ['no ids were ever forgotten'] : []),
    ...least.flatMap(({ ids }) => outside('ids kept', ids, [HORIZON_EVENTS * 0.8, HELD_AFTER])),
  ];
}

function eventsOf(seed: number): readonly SimEvent[] {
  const random = makeSeededRandom(seed);
  const events: SimEvent[] = [];
  for (let index = 0; index < EVENTS; index += 1) {
    const atMs = NOON_MS + index * EVERY_MS;
    const back = HORIZON_EVENTS + Math.floor(random.next() * 9) - 4;
    const far = Math.floor(random.next() * index);
    const before = events[random.next() < 0.5 ? index - back : far];
    const repeats = before !== undefined && random.next() < 0.1;
    const data = { place: 'ATL', at: atMs - 1_000, amount: index % 7 };
    const bytes = repeats ? before.bytes : envelope({ sequence: index, data });
    events.push({ atMs, partitionKey: 'p-0', explicitHashKey: explicitHashKey(0, 2), bytes });
  }
  return events;
}
