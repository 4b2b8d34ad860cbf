import * as z from 'zod';
import { definePipeline } from '#millrace';

/** A late flight, as the pipeline of flights derives it. */
const Delay = z.object({
  /** Departure, ISO 8601 with its zone. */
  departed: z.iso.datetime().transform((text) => new Date(text)),
  origin: z.string().length(3),
  destination: z.string().length(3),
  /** Minutes; more than 15. */
  delay: z.number().positive(),
});

/**
 * The second stage of flights: it has no producer and no feed of its own, the late flights come from there.
 * What is asked here is keyed by where they go, not by where they start.
 */
export default definePipeline({
  name: 'delays',
  schema: Delay,
  key: 'destination',
  time: 'departed',
  // More than the stages of flights drift apart: its partitions send on their own.
  lateness: '12 hours',
  fedBy: ['flights'],

  windows: ({ tumbling, hopping, count, mean, max }) => ({
    destinations: tumbling('1 day', {
      by: 'destination',
      groups: 250,
      keep: { flights: count(), meanDelay: mean('delay'), worst: max('delay') },
    }),
    /** Which pairs of airports are late just now. */
    corridors: hopping('6 hours', {
      every: '2 hours',
      by: ['origin', 'destination'],
      groups: 1_000,
      keep: { flights: count(), worst: max('delay') },
    }),
  }),

  retention: { windows: '90 days' },
  objectives: { latency: { p99: '30 seconds' } },
});
