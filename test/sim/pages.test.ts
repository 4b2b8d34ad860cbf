import { describe, expect, it } from 'vitest';
import { compile } from '../../src/core/compile.ts';
import { packParts } from '../../src/core/layout.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import type { SimOptions } from '../../src/sim/schedule.ts';
import { witnessed } from '../../src/sim/witness.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';
import { smallPipeline } from '../helpers/small-pipeline.ts';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 150);

function simulateWide(seed: number, over: Partial<SimOptions> = {}) {
  return simulateSmall(seed, { variant: 'wide', ...over });
}

describe('packs of many pages, hopping windows and sessions', () => {
  it(`hold every promise under all faults, for ${SEEDS} seeds`, async () => {
    let chains = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { violations, world } = await simulateWide(seed);
      expect(violations, `seed ${seed}`).toEqual([]);
      const pages = world.aggregates.items().filter(({ sk }) => !sk.endsWith('|00000'));
      chains += pages.filter(({ pk }) => packParts(pk).aggregate === 'labels').length;
    }
    expect(chains).toBeGreaterThan(SEEDS);
  }, 600_000);

  it('are broken by a page that is written before the full ones before it are sealed', async () => {
    let found = false;
    for (let seed = 1; seed <= 500 && !found; seed += 1) {
      const { violations } = await simulateWide(seed, {
        makeHandler: (ports, made) =>
          makeConsume(
            {
              ...ports,
              aggregates: {
                ...ports.aggregates,
                // Seals get lost: the flag of a page is its first byte.
                putIf: (writes, options) =>
                  ports.aggregates.putIf(
                    writes.map(({ item, condition }) => {
                      const bytes = (item.d as Uint8Array).slice();
                      bytes[0] = 0;
                      return { item: { ...item, d: bytes }, condition };
                    }),
                    options,
                  ),
              },
            },
            made,
          ),
      });
      found = violations.length > 0;
    }
    expect(found).toBe(true);
  }, 600_000);
});

it('events that are packed are all there, whatever a late write of another try brings', async () => {
  const pipeline = witnessed(smallPipeline);
  const small = compile(pipeline);
  const settings = { ...small.settings, events: { layout: 'packed', index: true } as const };
  const packed = { ...small, settings };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violations } = await simulateSmall(seed, { pipeline, program: () => packed });
    expect(violations, `seed ${seed}`).toEqual([]);
  }
}, 600_000);
