import * as v from 'valibot';
import { definePipeline } from '#millrace';

/** Events as the small pipeline has them; large amounts feed `fedPipeline`, twice where they are very large. */
export const feedingPipeline = definePipeline({
  name: 'feeding',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.nullable(v.number()) }),
  key: 'place',
  time: 'at',
  partitions: 2,
  lateness: '1 hour',
  deduplication: '30 minutes',
  transform: (events) =>
    events.flatMap((event) => {
      if (event.place === 'nowhere') throw new Error('no such place');
      const row = { ...event, amount: event.amount ?? 0 };
      return row.amount > 60 ? [row, { ...row, place: 'all' }] : [row];
    }),
  outputs: ({ to }) => ({
    large: to('fed', {
      where: ({ amount }) => amount > 20,
      key: ({ amount }) => Math.floor(amount / 10),
      event: ({ place, at, amount }) => ({ place, at, tens: Math.floor(amount / 10), amount }),
    }),
  }),
  windows: ({ tumbling, count, sum }) => ({
    places: tumbling('1 hour', { by: 'place', keep: { events: count(), total: sum('amount') } }),
  }),
});

/** What the feeding pipeline feeds. The lateness lets nothing be late, in whatever order it comes. */
export const fedPipeline = definePipeline({
  name: 'fed',
  schema: v.object({ place: v.string(), at: v.number(), tens: v.number(), amount: v.number() }),
  key: 'tens',
  time: 'at',
  partitions: 3,
  lateness: '7 days',
  deduplication: '10 minutes',
  fedBy: ['feeding'],
  windows: ({ tumbling, count, sum, max }) => ({
    tens: tumbling('2 hours', {
      by: 'tens',
      keep: { events: count(), total: sum('amount'), most: max('amount') },
    }),
    places: tumbling('1 day', { by: 'place', keep: { events: count() } }),
  }),
});
