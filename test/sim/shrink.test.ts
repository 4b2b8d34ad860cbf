import { expect, it } from 'vitest';
import { makeConsume } from '../../src/handlers/consume.ts';
import { onlyFaults } from '../../src/sim/faults.ts';
import { timelineHtml } from '../../src/sim/picture.ts';
import type { SimOptions } from '../../src/sim/schedule.ts';
import { restricted, shrink } from '../../src/sim/shrink.ts';
import { simulate } from '../../src/sim/simulate.ts';
import { timelineText } from '../../src/sim/timeline.ts';
import { smallOptions } from '../helpers/simulate-small.ts';

/** A handler that counts a refused or lost page of cells as written. */
const careless: NonNullable<SimOptions['makeHandler']> = (ports, program, options) =>
  makeConsume(
    {
      ...ports,
      aggregates: {
        ...ports.aggregates,
        putIf: async (writes, send) => {
          await ports.aggregates.putIf(writes, send);
          return writes.map(() => ({ status: 'written' }));
        },
      },
    },
    program,
    options,
  );

async function failing(): Promise<SimOptions> {
  for (let seed = 1; seed < 100; seed += 1) {
    const options = smallOptions(seed, { makeHandler: careless });
    if ((await simulate(options)).violations.length > 0) return options;
  }
  throw new Error('got no failing schedule, expected one');
}

it('a failing schedule gets much shorter, still fails, and replays to the same trace', async () => {
  const whole = await failing();
  const { options, result, kept, runs } = await shrink(whole);
  const again = await simulate(options);
  const replayed = await simulate(restricted({ ...whole, faults: options.faults }, kept));

  expect(options.events.length).toBeLessThan(6);
  expect(kept.hits?.length).toBeLessThan(6);
  expect(result.violations.length).toBeGreaterThan(0);
  expect(again.hash).toBe(result.hash);
  expect(replayed.hash).toBe(result.hash);
  expect(runs).toBeLessThanOrEqual(402);
}, 60_000);

it('its timeline tells each record, its tries and what happened, as text and as a picture', async () => {
  const { result } = await shrink(await failing());
  const text = timelineText(result);
  const html = timelineHtml('a <schedule>', result);

  expect(text).toMatch(/^\d+:\d+ {2}p-\d {2}e\d+ \{"place"/);
  expect(text).toMatch(/ {4}r-\d+ (answered|died)/);
  expect(text).toMatch(/ {2}producer +p-\d: taken as \d+:\d+/);
  expect(text).toMatch(/aggregates\.putIf/);
  expect(html).toContain('a &#60;schedule&#62;');
  expect(html).toContain('promises were broken');
  for (const lane of ['shard 0', 'writer p', 'cells places', 'container c1']) {
    expect(html).toContain(`>${lane}`);
  }
}, 60_000);

it('only the named faults occur', () => {
  expect(onlyFaults(['crash']).crash).toBeGreaterThan(0);
  expect(onlyFaults(['crash']).refuse).toBe(0);
});
