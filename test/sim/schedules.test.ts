import { expect, it } from 'vitest';
import { SCHEDULES } from './schedules/index.ts';

it.each(SCHEDULES.map((schedule) => [schedule.name, schedule] as const))(
  'every promise holds in the schedule "%s"',
  async (_name, { seeds, tested = seeds, run }) => {
    for (let seed = 1; seed <= tested; seed += 1) {
      expect(await run(seed), `seed ${seed}`).toEqual([]);
    }
  },
  60_000,
);
