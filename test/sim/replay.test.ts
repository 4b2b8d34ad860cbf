import { describe, expect, it } from 'vitest';
import { checkGeneration } from '../helpers/check-generations.ts';
import { HEALED, type Rates } from '../helpers/faulty-ports.ts';
import { type Mistake, mistakenRun } from '../helpers/mistaken.ts';
import { livePipeline, nextPipeline, PROGRAMS } from '../helpers/replay-pipelines.ts';
import {
  type ReplayEnd,
  type ReplaySimulation,
  simulateReplay,
} from '../helpers/replay-simulation.ts';
import { NOON_MS } from '../helpers/world.ts';

const HOUR_MS = 3_600_000;

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 12);

const RATES: Rates = { crash: 0.01, refuse: 0.04, loseAnswer: 0.04, applyLate: 0.04, slow: 0.03 };

const run = (seed: number, more: Partial<ReplaySimulation> = {}) =>
  simulateReplay({ seed, programs: PROGRAMS, rates: RATES, ...more });

/** What is wrong at the end, of the live generation and of the rebuilt one. */
function problemsOf(
  { live, next, records, broken }: ReplayEnd,
  fromMs?: number,
): readonly string[] {
  const from = fromMs === undefined ? {} : { fromMs };
  return [
    ...broken,
    ...checkGeneration({ pipeline: livePipeline, program: PROGRAMS.live, tables: live, records }),
    ...checkGeneration({
      pipeline: nextPipeline,
      program: PROGRAMS.next,
      tables: next,
      records,
      ...from,
    }),
  ];
}

describe('a generation that is rebuilt beside live traffic under faults', () => {
  it('equals the batch computation under the changed pipeline, and the live one its own', async () => {
    const sums = { doubled: 0, repeated: 0, shards: 0, objects: 0, calls: 0 };
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const end = await run(seed);
      expect(problemsOf(end), `seed ${seed}`).toEqual([]);
      for (const name of ['doubled', 'repeated', 'shards', 'objects', 'calls'] as const) {
        sums[name] += end[name];
      }
    }
    expect(sums.doubled).toBeGreaterThan(SEEDS / 2);
    expect(sums.shards).toBeGreaterThan(4 * SEEDS);
    expect(sums.repeated).toBeGreaterThan(10 * SEEDS);
  }, 600_000);

  it('equals it in the windows that are whole, where it begins in the midst', async () => {
    for (let seed = 1; seed <= SEEDS / 3; seed += 1) {
      const fromMs = NOON_MS + (5 + (seed % 20)) * HOUR_MS + 12_345;
      const end = await run(seed, { job: { name: 'part', fromMs } });
      expect(problemsOf(end, fromMs), `seed ${seed}`).toEqual([]);
    }
  }, 600_000);

  it('counts in the live one what its consumer missed while it stood still, and nothing twice', async () => {
    let missed = 0;
    for (let seed = 1; seed <= SEEDS / 2; seed += 1) {
      const { live: tables, records, broken, repeated } = await run(seed, { standsStill: true });
      const check = { pipeline: livePipeline, program: PROGRAMS.live, tables, records };
      expect([...broken, ...checkGeneration(check)], `seed ${seed}`).toEqual([]);
      missed += repeated;
    }
    expect(missed).toBeGreaterThan(10 * SEEDS);
  }, 600_000);

  it('holds without faults too, and the same seed gives the same run', async () => {
    const end = await run(1, { rates: HEALED });
    expect(problemsOf(end)).toEqual([]);
    const [one, other] = [await run(2), await run(2)];
    expect(one.next.ledger.items()).toEqual(other.next.ledger.items());
  }, 60_000);
});

const REPLAY = 'src/handlers/replay.ts';

/** What would be wrong, and what it does. */
const MISTAKES: Readonly<Record<string, Mistake | readonly Mistake[]>> = {
  // Left out in one place only, the other one mends it.
  'records at or before the head are not skipped': [
    {
      file: 'src/handlers/process-writer.ts',
      right:
        'const records = batch.records.filter(({ position }) => isAfter(position, batch.head.position));',
      wrong: 'const records = batch.records;',
    },
    {
      file: 'src/handlers/write-packs.ts',
      right: 'return record !== undefined && isAfter(record.position, position);',
      wrong: 'return record !== undefined;',
    },
  ],
  'children are read before their parents': {
    file: REPLAY,
    right: 'left.shard - right.shard',
    wrong: 'right.shard - left.shard',
  },
  'the next shard is begun although one is not through': {
    file: REPLAY,
    right: 'if (!isThrough) return;',
    wrong: '',
  },
  'a cursor passes what is unfinished': {
    file: REPLAY,
    right: 'const finished = failure === undefined ? last : all[failed - 1];',
    wrong: 'const finished = last;',
  },
  'reading goes on after a batch of which something is left': {
    file: REPLAY,
    right:
      'if (!(await this.#flush(share, batch)) || ports.clock.now() >= this.#stopMs) return false;',
    wrong: 'await this.#flush(share, batch); if (ports.clock.now() >= this.#stopMs) return false;',
  },
  'records arrive now': {
    file: 'src/handlers/replay-batch.ts',
    right: 'approximateArrivalTimestamp: arrivalMs / 1000',
    wrong: 'approximateArrivalTimestamp: arrivalMs / 1000 + 7200',
  },
  'records have the position of another shard': {
    file: 'src/handlers/replay-batch.ts',
    right: '{shardId(shard)}:',
    wrong: '{shardId(1)}:',
  },
  'what is behind the cursor is read again, and what is before it is not': {
    file: 'src/handlers/read-archive.ts',
    right: 'compareSequences(sequence, reached) > 0) &&',
    wrong: 'compareSequences(sequence, reached) < 0) &&',
  },
};

const ENTRY = `
import { simulateReplay } from './test/helpers/replay-simulation.ts';
import { makeConsume } from 'mistaken:src/handlers/consume.ts';
import { makeReplay } from 'mistaken:src/handlers/replay.ts';
export const run = (simulation) =>
  simulateReplay({ ...simulation, handlers: { makeConsume, makeReplay } });
`;

/** The first seed of 500 that shows that something is wrong. */
async function firstSeed(simulate: typeof run): Promise<number | undefined> {
  for (let seed = 1; seed <= 500; seed += 1) {
    if (problemsOf(await simulate(seed)).length > 0) return seed;
  }
  return undefined;
}

describe('a mistake is found', () => {
  it.each(Object.entries(MISTAKES))(
    '%s',
    async (_, mistake) => {
      const wrong = await mistakenRun<typeof simulateReplay>([mistake].flat(), ENTRY);
      const found = await firstSeed((seed) => wrong({ seed, programs: PROGRAMS, rates: RATES }));
      expect(found).toBeGreaterThan(0);
    },
    600_000,
  );

  it('the mapping is started before the archive is through', async () => {
    const found = await firstSeed((seed) => run(seed, { startsMapping: () => true }));
    expect(found).toBeGreaterThan(0);
  }, 600_000);
});
