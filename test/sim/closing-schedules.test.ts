import { describe, expect, it } from 'vitest';
import { makeMemoryPublisher } from '../../src/adapters/memory/publisher.ts';
import { compile } from '../../src/core/compile.ts';
import { makeClose } from '../../src/handlers/close.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import { REQUEST_FAULTS } from '../../src/sim/faults.ts';
import type { SimOptions } from '../../src/sim/schedule.ts';
import { witnessed } from '../../src/sim/witness.ts';
import type { ClosingPorts } from '../helpers/faulty-ports.ts';
import { PLANTED } from '../helpers/planted-closing.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';
import { widePipeline } from '../helpers/wide-pipeline.ts';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 60);
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1);
const SEEDS_MAX = 500;

const pipeline = witnessed({
  ...widePipeline,
  closing: { windows: ['recent', 'runs', 'spread'], idle: '5 minutes' },
});
const program = compile(pipeline);

function run(seed: number, over: Partial<SimOptions> = {}) {
  const options = { pipeline, program: () => program, closeEveryMs: 60_000, ...over };
  return simulateSmall(seed, options);
}

describe('schedules in which windows are closed', () => {
  it(`hold every promise under all faults, for ${SEEDS} seeds, and each fault hits the closer`, async () => {
    const hits: Record<string, number> = {};
    const counts: Record<string, number> = {};
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const result = await run(seed);
      expect(result.violations, `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`).toEqual([]);
      for (const [all, some] of [
        [hits, result.hits],
        [counts, result.counts],
      ] as const) {
        for (const [name, count] of Object.entries(some)) all[name] = (all[name] ?? 0) + count;
      }
    }
    if (SEEDS < 60) return;
    expect(counts['window.closed']).toBeGreaterThan(SEEDS);
    expect(counts['window.corrected']).toBeGreaterThan(SEEDS);
    for (const fault of REQUEST_FAULTS) {
      expect(hits[`publisher.publish ${fault}`], fault).toBeGreaterThan(0);
    }
  }, 600_000);

  it('give the same trace for the same seed', async () => {
    const [one, same, other] = [await run(3), await run(3), await run(4)];
    expect(same.hash).toBe(one.hash);
    expect(other.hash).not.toBe(one.hash);
  });

  it.each([
    'no request for a window that was closed without the writer',
    'requests done when they are read, whether the window is closed or not',
    'marked as published before it is',
  ])(
    'find a planted bug: %s',
    async (name) => {
      const plant = PLANTED[name];
      if (plant === undefined) throw new Error(`no bug is called ${name}`);
      const publisher = makeMemoryPublisher();
      const planted: Partial<SimOptions> = {
        makeCloser: (ports, made) => makeClose(plant(ports as ClosingPorts, 'closer'), made),
        makeHandler: (ports, made, options) =>
          makeConsume(plant({ ...ports, publisher }, 'consumer'), made, options),
      };
      let found: readonly string[] = [];
      for (let seed = 1; seed <= SEEDS_MAX && found.length === 0; seed += 1) {
        found = (await run(seed, planted)).violations;
      }
      expect(found).not.toEqual([]);
    },
    600_000,
  );
});
