import { describe, expect, it } from 'vitest';
import type { Rates } from '../helpers/faulty-ports.ts';
import { type Mistake, mistakenRun } from '../helpers/mistaken.ts';
import type { simulateRedrive } from '../helpers/redrive-simulation.ts';

const RATES: Rates = { crash: 0.02, refuse: 0.04, loseAnswer: 0.04, applyLate: 0.04, slow: 0.03 };

const ENTRY = `
import { simulateRedrive } from './test/helpers/redrive-simulation.ts';
import { makeConsume } from 'mistaken:src/handlers/consume.ts';
import { makeClose } from 'mistaken:src/handlers/close.ts';
import { makeRedrive } from 'mistaken:src/handlers/redrive.ts';
const handlers = { makeConsume, makeClose, makeRedrive };
export const run = (options) => simulateRedrive({ ...options, handlers });
`;

const LANE = 'src/handlers/redrive-lane.ts';
const PLAN = 'src/handlers/plan-redrive.ts';
const JOBS = 'src/handlers/redrive-jobs.ts';
const REDRIVE = 'src/handlers/redrive.ts';

/** What a tired engineer could write, and the seed that is tried first. */
const MISTAKES: Readonly<Record<string, Mistake & { readonly seed?: number }>> = {
  'events are folded without a note': {
    file: LANE,
    right: 'retryFailed(context, notes, (open)',
    wrong: 'retryFailed(context, notes.slice(0, 0), (open)',
  },
  'a job is planned before the ones before it have ended': {
    file: REDRIVE,
    right: 'job.number <= number && isOpen(job)',
    wrong: 'job.number === number && isOpen(job)',
  },
  'a try goes on with a plan that lost': {
    seed: 23,
    file: JOBS,
    right: ': readJob(ledger, job.number, context);',
    wrong: ': to;',
  },
  'a plan replaces another one': {
    file: JOBS,
    right: "{ type: 'equals', attribute: 's', value: job.state } as const;",
    wrong: "{ type: 'equals', attribute: 'v', value: 1 } as const;",
  },
  'two tries write their plans under one name': {
    seed: 96,
    file: 'src/handlers/redrive-parts.ts',
    right: "Buffer.from(random.bytes(8)).toString('hex')",
    wrong: "'plan'",
  },
  'a job is done although events are left': {
    file: REDRIVE,
    right: 'finished === job.plan?.events;',
    wrong: 'finished >= 0;',
  },
  'positions begin anew in each job': {
    file: LANE,
    right: 'redrivePosition(number, part, line)',
    wrong: 'redrivePosition(1, part, line)',
  },
  'a window is kept or not by the clock': {
    seed: 4,
    file: LANE,
    right: 'redriveLaneProgram(this.#program, createdMs)',
    wrong: 'redriveLaneProgram(this.#program, context.clock.now())',
  },
  'events are too late for their windows again': {
    file: 'src/core/redrive-program.ts',
    right: 'isLive: (span) => span.endMs + aggregate.retentionMs > createdMs,',
    wrong: '',
  },
  'two documents of one event are taken': {
    file: PLAN,
    right: 'if (id === undefined) return true;',
    wrong: 'return true;',
  },
  'two jobs take two documents of one event': {
    file: PLAN,
    right: 'same !== undefined && !isDescendant(document, same)',
    wrong: 'same === null',
  },
  'an event is taken that was counted mended': {
    file: 'src/handlers/counted-ids.ts',
    right: 'for (const one of found) counted.add(one);',
    wrong: '',
  },
  'closed windows are not asked for': {
    seed: 8,
    file: 'src/handlers/revision-requests.ts',
    right: 'isRedriveWriter(context.writer) ? closingThrough(context) : head.closedThroughMs',
    wrong: 'head.closedThroughMs',
  },
};

describe('a mistake is found within 500 schedules', () => {
  it.each(Object.entries(MISTAKES))(
    '%s',
    async (_name, { seed: first = 1, ...mistake }) => {
      const run = await mistakenRun<typeof simulateRedrive>([mistake], ENTRY);
      let found: readonly string[] = [];
      for (let at = 0; at < 500 && found.length === 0; at += 1) {
        const seed = ((first - 1 + at) % 500) + 1;
        found = (await run({ seed, rates: RATES })).violations;
      }
      expect(found).not.toEqual([]);
    },
    900_000,
  );
});
