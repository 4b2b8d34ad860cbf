import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { type ClosingSimulation, simulateClosing } from '../helpers/closing-simulation.ts';
import { HEALED, type Rates } from '../helpers/faulty-ports.ts';
import { PLANTED } from '../helpers/planted-closing.ts';

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

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 60);

const run = (seed: number, more: Partial<ClosingSimulation> = {}) =>
  simulateClosing({ seed, pipeline, partitions: PARTITIONS, rates: RATES, ...more });

describe('closing under faults', () => {
  it('publishes every window, each change once by its id, and in the end what is right', async () => {
    let corrections = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = await run(seed);
      expect(result.violations).toEqual([]);
      corrections += result.corrections;
    }
    expect(corrections).toBeGreaterThan(SEEDS);
  }, 600_000);

  it('holds without faults too, and the same seed gives the same run', async () => {
    const result = await run(1, { rates: HEALED });
    expect(result.violations).toEqual([]);
    expect(result).toEqual(await run(1, { rates: HEALED }));
    expect(await run(2)).toEqual(await run(2));
  }, 60_000);
});

/** Seeds that are tried first: these bugs need a rare order of things. */
const KNOWN: Readonly<Record<string, number>> = {
  'a request done although a newer one came': 186,
  'published before it is stored': 23,
};

describe('a planted bug', () => {
  for (const [name, plant] of Object.entries(PLANTED)) {
    it(`is found: ${name}`, async () => {
      let found: readonly string[] = [];
      const known = KNOWN[name] ?? 1;
      for (let at = 0; at < 500 && found.length === 0; at += 1) {
        const seed = ((known - 1 + at) % 500) + 1;
        found = (await run(seed, { plant })).violations;
      }
      expect(found).not.toEqual([]);
    }, 600_000);
  }
});
