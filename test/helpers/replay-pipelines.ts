import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { compile } from '../../src/core/compile.ts';

const common = {
  name: 'replayed',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.number() }),
  key: 'place',
  time: 'at',
  partitions: 4,
  lateness: '1 hour',
  deduplication: '30 minutes',
} as const;

/** The pipeline that runs. */
export const livePipeline = definePipeline({
  ...common,
  transform: (events) =>
    events.map((event) => {
      if (event.place === 'nowhere') throw new Error('no such place');
      return event;
    }),
  windows: ({ tumbling, count, sum }) => ({
    places: tumbling('1 hour', { by: 'place', keep: { events: count(), total: sum('amount') } }),
  }),
});

/** The changed one: other rows, another lateness, another refusal, and one more window. */
export const nextPipeline = definePipeline({
  ...common,
  lateness: '2 hours',
  transform: (events) =>
    events
      .filter(({ place }) => place !== 'nowhere')
      .map((event) => {
        if (event.amount % 10 === 0) throw new Error('no round amounts');
        return { ...event, amount: event.amount * 2 };
      }),
  windows: ({ tumbling, count, sum, max }) => ({
    places: tumbling('1 hour', { by: 'place', keep: { events: count(), total: sum('amount') } }),
    days: tumbling('1 day', { keep: { most: max('amount') } }),
  }),
});

/** Both, compiled. */
export const PROGRAMS = { live: compile(livePipeline), next: compile(nextPipeline) } as const;
