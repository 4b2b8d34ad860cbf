import * as v from 'valibot';
import { definePipeline } from '#millrace';

const Earthquake = v.object({
  properties: v.object({
    mag: v.nullable(v.number()),
    time: v.number(),
    place: v.string(),
    net: v.string(),
    type: v.string(),
    tsunami: v.number(),
  }),
  geometry: v.object({
    coordinates: v.tuple([v.number(), v.number(), v.number()]),
  }),
});

export default definePipeline({
  name: 'earthquakes',
  schema: Earthquake,
  key: (quake) => quake.properties.net,
  time: (quake) => quake.properties.time,
  lateness: '1 hour',

  transform: (quakes) =>
    quakes
      .filter((quake) => quake.properties.type === 'earthquake')
      .map(({ properties, geometry }) => ({
        net: properties.net,
        magnitude: properties.mag,
        depth: geometry.coordinates[2],
        size: (properties.mag ?? 0) >= 4.5 ? ('large' as const) : ('small' as const),
      })),

  windows: ({ tumbling, count, max, mean, min, sum }) => ({
    networks: tumbling('1 day', {
      by: 'net',
      keep: { quakes: count(), strongest: max('magnitude'), depth: mean('depth') },
    }),
    sizes: tumbling('6 hours', {
      by: 'size',
      keep: {
        quakes: count(),
        weakest: min('magnitude'),
        /** Seismic energy in joules: log10 E = 1.5 M + 4.8 (Gutenberg and Richter). */
        energy: sum((quake) =>
          quake.magnitude === null ? null : 10 ** (1.5 * quake.magnitude + 4.8),
        ),
      },
    }),
  }),

  retention: { windows: '30 days' },
  objectives: { latency: { p99: '5 seconds' } },
});
