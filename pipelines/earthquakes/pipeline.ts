import * as v from 'valibot';
import { type Accumulator, definePipeline } from '#millrace';

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

/**
 * Seismic energy in joules, log10 E = 1.5 M + 4.8 (Gutenberg and Richter), of magnitudes. Each quake counts
 * in whole joules: a sum of doubles would depend on their order.
 */
const energy: Accumulator<number, bigint, number> = {
  name: 'energy-1',
  size: { typical: 10, max: 64 },
  empty: () => 0n,
  add: (joules, magnitude) => joules + BigInt(Math.round(10 ** (1.5 * magnitude + 4.8))),
  merge: (left, right) => left + right,
  encode: (joules) => joules.toString(36),
  decode: (encoded) => {
    if (typeof encoded !== 'string' || !/^[0-9a-z]+$/.test(encoded)) {
      throw new TypeError('energy: expected a number in base 36');
    }
    return [...encoded].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
  },
  result: Number,
};

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
        place: properties.place,
        /** What stands after the last comma, such as `Alaska` of `12 km N of Willow, Alaska`. */
        region: properties.place.split(', ').at(-1) ?? properties.place,
        depth: geometry.coordinates[2],
        size: (properties.mag ?? 0) >= 4.5 ? ('large' as const) : ('small' as const),
      })),

  windows: ({ tumbling, count, max, mean, min, last, topK, variance, histogram, use }) => ({
    networks: tumbling('1 day', {
      by: 'net',
      groups: 15,
      keep: {
        quakes: count(),
        strongest: max('magnitude'),
        depth: mean('depth'),
        place: last('place'),
      },
    }),
    sizes: tumbling('6 hours', {
      by: 'size',
      groups: 2,
      keep: {
        quakes: count(),
        weakest: min('magnitude'),
        spread: variance('magnitude'),
        energy: use(energy, 'magnitude'),
        regions: topK('region', { k: 5 }),
        /** Shallow, intermediate and deep, in kilometres. */
        depths: histogram('depth', [70, 300]),
      },
    }),
  }),

  retention: { windows: '30 days' },
  objectives: { latency: { p99: '5 seconds' } },
});
