import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../../src/sim/clock.ts';

it('wakes sleepers by time, and in their order where times are equal', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }), (times) => {
      const clock = new VirtualClock(100);
      const woken: number[] = [];
      for (const [index, ms] of times.entries()) clock.at(100 + ms, () => woken.push(index));
      while (clock.nextMs !== undefined) clock.moveTo(clock.nextMs);

      const expected = times
        .map((ms, index) => ({ ms, index }))
        .sort((left, right) => left.ms - right.ms || left.index - right.index);
      expect(woken).toEqual(expected.map(({ index }) => index));
    }),
  );
});

it('never goes back, and is busy while somebody sleeps whom the end waits for', async () => {
  const clock = new VirtualClock(100);
  const slept = clock.sleep(5);
  clock.at(200, () => undefined, 'background');
  expect(clock.isBusy).toBe(true);
  clock.moveTo(105);
  clock.moveTo(50);
  await slept;
  expect([clock.now(), clock.isBusy, clock.nextMs]).toEqual([105, false, 200]);
});
