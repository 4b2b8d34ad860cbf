import * as z from 'zod';
import { definePipeline, reference } from '#millrace';

const Flight = z.object({
  /** Departure, ISO 8601 with its zone: without one the result would depend on the machine. */
  date: z.iso.datetime().transform((text) => new Date(text)),
  /** Minutes; early flights have negative ones. */
  delay: z.number(),
  /** Miles. */
  distance: z.number().nonnegative(),
  origin: z.string().length(3),
  destination: z.string().length(3),
});

const airports = reference({
  name: 'airports',
  file: '../../node_modules/vega-datasets/data/airports.csv',
  key: 'iata',
  schema: z.object({ iata: z.string(), city: z.string(), state: z.string() }),
});

export default definePipeline({
  name: 'flights',
  schema: Flight,
  key: 'origin',
  time: 'date',
  lateness: '6 hours',

  transform: (flights) =>
    flights.enrich('from', airports, { on: 'origin' }).map(({ from, ...flight }) => ({
      ...flight,
      state: from.state,
      route: `${flight.origin}-${flight.destination}`,
      late: flight.delay > 15,
    })),

  /** Late flights, for the pipeline that looks at where they arrive. */
  outputs: ({ to }) => ({
    late: to('delays', {
      where: (flight) => flight.late,
      key: 'destination',
      event: ({ date, origin, destination, delay }) => ({
        departed: date,
        origin,
        destination,
        delay,
      }),
    }),
  }),

  windows: ({ tumbling, session, count, mean, max, sum, percentiles, distinct, topK }) => {
    const keep = {
      flights: count(),
      meanDelay: mean('delay'),
      delay: percentiles('delay', [50, 95, 99]),
      worst: max('delay'),
      late: count((flight) => flight.late),
    };
    return {
      origins: tumbling('1 hour', { by: 'origin', groups: 250, keep }),
      originDays: tumbling('1 day', { by: 'origin', groups: 250, keep }),
      routes: tumbling('1 day', {
        by: ['origin', 'destination'],
        groups: 4_000,
        keep: { flights: count(), distance: sum('distance') },
      }),
      overall: tumbling('1 hour', {
        keep: {
          ...keep,
          routes: distinct('route'),
          /** The origins with the most late flights. */
          latest: topK('origin', { k: 10, weight: (flight) => Number(flight.late) }),
        },
      }),
      /** Runs of late flights that follow each other within half an hour. */
      disruptions: session('30 minutes', {
        max: '1 day',
        by: 'origin',
        groups: 250,
        where: (flight) => flight.late,
        keep: { flights: count(), worst: max('delay') },
      }),
    };
  },

  closing: { windows: ['overall', 'disruptions'], idle: '10 minutes' },
  retention: { windows: '90 days', events: '7 days' },
  objectives: { latency: { p99: '10 seconds' }, quarantine: { max: '1 %' } },
});
