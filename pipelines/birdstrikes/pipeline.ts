import * as v from 'valibot';
import { definePipeline } from '#millrace';

const Strike = v.object({
  /** Names the report. */
  report: v.string(),
  /** Milliseconds since 1970 UTC; reports know the day only, so that many have the same. */
  day: v.number(),
  airport: v.string(),
  state: v.string(),
  phase: v.string(),
  species: v.string(),
  /** What it did to the aircraft, such as `None` or `Substantial`. */
  damage: v.string(),
  /** Dollars. */
  cost: v.pipe(v.number(), v.minValue(0), v.maxValue(1e9)),
  /** Knots, where known. */
  speed: v.nullable(v.number()),
});

export default definePipeline({
  name: 'birdstrikes',
  schema: Strike,
  /** Reports come bare, without an envelope. */
  format: 'json',
  id: 'report',
  key: 'state',
  time: 'day',
  lateness: '7 days',

  windows: ({ tumbling, count, sum, share, first, last, ...keep }) => ({
    states: tumbling('28 days', {
      by: 'state',
      groups: 30,
      keep: {
        strikes: count(),
        damaging: share((strike) => strike.damage !== 'None'),
        cost: sum('cost'),
        firstAirport: first('airport'),
        lastAirport: last('airport'),
      },
    }),
    phases: tumbling('28 days', {
      by: 'phase',
      groups: 7,
      keep: {
        strikes: count(),
        speed: keep.percentiles('speed', [10, 50, 90]),
        speeds: keep.histogram('speed', [80, 120, 160, 200, 240]),
        spread: keep.stddev('speed', { sample: true }),
      },
    }),
    overall: tumbling('7 days', {
      keep: {
        strikes: count(),
        species: keep.distinct('species'),
        airports: keep.topK('airport', { k: 5 }),
        costliest: keep.topK('species', { k: 5, weight: 'cost' }),
      },
    }),
  }),
});
