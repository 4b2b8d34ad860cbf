import * as v from 'valibot';
import { definePipeline } from '#millrace';

/** Events as the small pipeline has them, in so many long groups that packs grow to several pages. */
export const widePipeline = definePipeline({
  name: 'wide',
  schema: v.object({ place: v.string(), at: v.number(), amount: v.nullable(v.number()) }),
  key: 'place',
  time: 'at',
  partitions: 2,
  lateness: '1 hour',
  deduplication: '30 minutes',
  transform: (events) =>
    events.map((event) => {
      if (event.place === 'nowhere') throw new Error('no such place');
      const label = `${event.place} ${Math.floor(event.amount ?? 0)} `.padEnd(120, '.');
      return { ...event, label };
    }),
  windows: ({ tumbling, hopping, session, count, sum, max }) => ({
    labels: tumbling('1 hour', {
      by: 'label',
      groups: 20,
      keep: { events: count(), total: sum('amount') },
    }),
    spread: tumbling('1 hour', {
      by: ['label', 'place'],
      groups: 2_000,
      keep: { events: count(), most: max('amount') },
    }),
    recent: hopping('2 hours', {
      every: '30 minutes',
      by: 'place',
      keep: { events: count(), total: sum('amount') },
    }),
    runs: session('3 minutes', {
      max: '3 hours',
      by: 'place',
      where: ({ amount }) => amount !== null && amount > 20,
      keep: { events: count(), total: sum('amount') },
    }),
  }),
});
