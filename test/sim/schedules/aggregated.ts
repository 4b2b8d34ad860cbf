import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { compile } from '../../../src/core/compile.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import { onlyFaults } from '../../../src/sim/faults.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { simEvents } from '../../helpers/sim-records.ts';
import { simulateSmall } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { NOON_MS } from '../../helpers/world.ts';
import { AGGREGATE_CASES, type AggregateCase, innerEvent } from './aggregates.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';

const FAULTS = onlyFaults(['crash', 'refuse', 'loseAnswer', 'coldStart', 'loseCheckpoint']);
const program = compile(smallPipeline);

/** Records that producers packed into one, in every form, among usual ones and under faults. */
export const AGGREGATED: Schedule = {
  name: 'aggregated',
  seeds: 8,
  run: async (seed) => {
    const result = await simulateSmall(seed, {
      pipeline: smallPipeline,
      program: () => program,
      events: [...simEvents(seed, 30), ...aggregates(seed)],
      faults: FAULTS,
    });
    const ids = AGGREGATE_CASES.flatMap(({ expected }) =>
      typeof expected === 'string' ? [] : Object.keys(expected),
    );
    const kept = result.world.events.items().map(({ pk }) => pk.split(' ')[1] ?? '');
    const taken = new Set(kept.filter((id) => /^[a-z]$/.test(id)));
    return [
      ...result.violations,
      ...differs('taken out of aggregates', [...taken].sort(), ids.sort()),
    ];
  },
};

/** Each case once, in some order. */
function aggregates(seed: number): readonly SimEvent[] {
  const random = makeSeededRandom(seed);
  return AGGREGATE_CASES.map((one) => ({
    atMs: NOON_MS + Math.floor(random.next() * 6_000),
    partitionKey: 'p-0',
    explicitHashKey: explicitHashKey(0, 2),
    bytes: one.bytes,
    ...innerOf(one),
  }));
}

/** What a producer knows that it packed; nothing where the record isn't an aggregate, or is a broken one. */
function innerOf({ expected }: AggregateCase): Pick<SimEvent, 'inner'> {
  if (expected === 'unknown-partition') {
    return { inner: [{ partitionKey: 'p-1', bytes: innerEvent('m') }] };
  }
  if (expected === 'not-decodable') return {};
  const length = 1 + Math.max(...Object.values(expected));
  const ids = Object.fromEntries(Object.entries(expected).map(([id, index]) => [index, id]));
  const inner = Array.from({ length }, (_, index) => {
    const id = ids[index];
    const bytes = id === undefined ? Buffer.from('{') : innerEvent(id);
    return { partitionKey: 'p-0', bytes };
  });
  return { inner };
}
