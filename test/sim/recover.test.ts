import { describe, expect, it } from 'vitest';
import { checkGeneration } from '../helpers/check-generations.ts';
import type { Rates } from '../helpers/faulty-ports.ts';
import { type Mistake, mistakenRun } from '../helpers/mistaken.ts';
import { livePipeline, PROGRAMS } from '../helpers/replay-pipelines.ts';
import {
  type ReplayEnd,
  type ReplaySimulation,
  simulateReplay,
} from '../helpers/replay-simulation.ts';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 15);

const RATES: Rates = { crash: 0.02, refuse: 0.06, loseAnswer: 0.04, applyLate: 0.04, slow: 0.03 };

/** Nothing changes but that everything is there. */
const SAME = { live: PROGRAMS.live, next: PROGRAMS.live } as const;

const simulation = (seed: number): ReplaySimulation => ({
  seed,
  programs: SAME,
  rates: RATES,
  givesUp: 0.5,
});

function problemsOf({ records, next, broken, liveName }: ReplayEnd): readonly string[] {
  const check = { pipeline: livePipeline, program: PROGRAMS.live, records };
  const isLive = liveName === '2' ? [] : [`generation ${liveName} is live`];
  return [...broken, ...isLive, ...checkGeneration({ ...check, tables: next })];
}

describe('a mapping that gives up batches of which some cells were written', () => {
  it('leaves results that are wrong, and a generation that is right goes live by itself', async () => {
    const sums = { wrong: 0, givenUp: 0 };
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const end = await simulateReplay(simulation(seed));
      expect(problemsOf(end), `seed ${seed}`).toEqual([]);
      const { live: tables, records } = end;
      const check = { pipeline: livePipeline, program: PROGRAMS.live, records, tables };
      sums.wrong += checkGeneration(check).length > 0 ? 1 : 0;
      sums.givenUp += end.givenUp;
    }
    expect(sums.wrong).toBeGreaterThan(SEEDS / 2);
    expect(sums.givenUp).toBeGreaterThan(SEEDS);
  }, 600_000);
});

const RECOVER = 'src/handlers/recover.ts';

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'it goes live before it is complete': {
    file: RECOVER,
    right: "if (report.state !== 'complete') return",
    wrong: "if (report.state === 'gap') return",
  },
  'its mapping stays off': {
    file: RECOVER,
    right: 'await retryCall(context, () => ports.mapping.enable(context));',
    wrong: '',
  },
};

const ENTRY = `
import { simulateReplay } from './test/helpers/replay-simulation.ts';
import { makeRecover } from 'mistaken:src/handlers/recover.ts';
export const run = (simulation) => simulateReplay({ ...simulation, handlers: { makeRecover } });
`;

describe('a mistake is found', () => {
  it.each(Object.entries(MISTAKES))(
    '%s',
    async (_, mistake) => {
      const wrong = await mistakenRun<typeof simulateReplay>([mistake], ENTRY);
      let found = false;
      for (let seed = 1; seed <= 500 && !found; seed += 1) {
        found = problemsOf(await wrong(simulation(seed))).length > 0;
      }
      expect(found).toBe(true);
    },
    600_000,
  );
});
