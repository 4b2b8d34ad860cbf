import { describe, expect, it } from 'vitest';
import { HEALED, type Rates } from '../helpers/faulty-ports.ts';
import { simulateRedrive } from '../helpers/redrive-simulation.ts';

const RATES: Rates = { crash: 0.02, refuse: 0.04, loseAnswer: 0.04, applyLate: 0.04, slow: 0.03 };

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 40);

describe('refused events under faults', () => {
  it('are brought back once each, whatever jobs run at the same time, and the results are right', async () => {
    let corrections = 0;
    let redriven = 0;
    let jobs = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = await simulateRedrive({ seed, rates: RATES });
      expect(result.violations).toEqual([]);
      corrections += result.corrections;
      redriven += result.redriven;
      jobs += result.jobs;
    }
    expect(redriven).toBeGreaterThan(SEEDS * 10);
    expect(jobs).toBeGreaterThan(SEEDS * 2);
    expect(corrections).toBeGreaterThan(SEEDS * 2);
  }, 600_000);

  it('are brought back without faults too, and the same seed gives the same run', async () => {
    const result = await simulateRedrive({ seed: 1, rates: HEALED });
    expect(result.violations).toEqual([]);
    expect(result).toEqual(await simulateRedrive({ seed: 1, rates: HEALED }));
    expect(await simulateRedrive({ seed: 2, rates: RATES })).toEqual(
      await simulateRedrive({ seed: 2, rates: RATES }),
    );
  }, 60_000);
});
