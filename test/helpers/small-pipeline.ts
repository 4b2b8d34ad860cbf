import * as v from 'valibot';
import { definePipeline } from '#millrace';

/** A pipeline that is small enough to compute by hand: amounts per place and hour. */
export const smallPipeline = definePipeline({
  name: 'small',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.nullable(v.number()) }),
  key: 'place',
  time: 'at',
  partitions: 2,
  lateness: '1 hour',
  deduplication: '30 minutes',
  transform: (events) =>
    events.map((event) => {
      if (event.place === 'nowhere') throw new Error('no such place');
      return event;
    }),
  windows: ({ tumbling, count, sum, mean, min, max }) => ({
    places: tumbling('1 hour', {
      by: 'place',
      keep: {
        events: count(),
        total: sum('amount'),
        mean: mean('amount'),
        least: min('amount'),
        most: max('amount'),
      },
    }),
    days: tumbling('1 day', { keep: { events: count(), total: sum('amount') } }),
  }),
  retention: { events: '1 day' },
});

/** The same, changed in what a switch allows: validation, transform, lateness, a column's function, windows. */
export const changedPipeline = definePipeline({
  name: 'small',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.nullable(v.number()) }),
  key: 'place',
  time: 'at',
  partitions: 2,
  lateness: '2 hours',
  deduplication: '30 minutes',
  transform: (events) =>
    events
      .map((event) => {
        if (event.place === 'SFO') throw new Error('no longer served');
        return { ...event, cents: event.amount === null ? null : Math.round(event.amount * 100) };
      })
      .filter((event) => event.cents === null || event.cents > 0),
  windows: ({ tumbling, count, sum, mean, min, max }) => ({
    places: tumbling('1 hour', {
      by: 'place',
      keep: {
        events: count(),
        total: sum('cents'),
        mean: mean('cents'),
        least: min('amount'),
        most: max('amount'),
      },
    }),
    weeks: tumbling('7 days', { keep: { events: count(), total: sum('cents') } }),
  }),
  retention: { events: '1 day' },
});
