import { expect, it } from 'vitest';
import { makeConsume } from '../../src/handlers/consume.ts';
import { onlyFaults } from '../../src/sim/faults.ts';
import type { SimOptions } from '../../src/sim/schedule.ts';
import { shrink } from '../../src/sim/shrink.ts';
import { simulate } from '../../src/sim/simulate.ts';
import { timelineHtml, timelineText } from '../../src/sim/timeline.ts';
import { smallOptions } from '../helpers/simulate-small.ts';

/** A handler that counts a refused or lost cell as written. */
const careless: NonNullable<SimOptions['makeHandler']> = (ports, program) =>
  makeConsume(
    {
      ...ports,
      aggregates: {
        ...ports.aggregates,
        putIf: async (writes, options) => {
          await ports.aggregates.putIf(writes, options);
          return writes.map(() => ({ status: 'written' }));
        },
      },
    },
    program,
  );

it('a failing schedule gets much shorter, still fails, and replays to the same trace', async () => {
  const failing = { ...smallOptions(3, { makeHandler: careless }), keepTrace: true };
  const { options, result, runs } = await shrink(failing);
  const again = await simulate(options);

  expect(options.events.length).toBeLessThan(12);
  expect(result.violations.length).toBeGreaterThan(0);
  expect(again.hash).toBe(result.hash);
  expect(runs).toBeLessThanOrEqual(300);
  expect(Object.values(options.faults).filter((rate) => rate > 0).length).toBeLessThan(6);
}, 60_000);

it('its timeline tells what happened, as text and as a picture', async () => {
  const failing = { ...smallOptions(3, { makeHandler: careless }), keepTrace: true };
  const { result } = await shrink(failing);
  const text = timelineText(result);
  const html = timelineHtml('a <schedule>', result);

  expect(text).toMatch(/ {2}stream +put \d+:\d+/);
  expect(text).toMatch(/aggregates\.putIf/);
  expect(html).toContain('a &#60;schedule&#62;');
  expect(html).toContain('promises were broken');
  expect(html.match(/<circle/g)?.length).toBe(result.trace.length);
}, 60_000);

it('only the named faults occur', () => {
  expect(onlyFaults(['crash']).crash).toBeGreaterThan(0);
  expect(onlyFaults(['crash']).refuse).toBe(0);
});
