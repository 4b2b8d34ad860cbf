import * as v from 'valibot';
import { definePipeline } from '../../src/core/millrace.ts';
import { NOON_MS } from './world.ts';

/** The first pipeline is deployed for so long; then the mended one, and jobs run under faults. */
export const MENDED_MS = NOON_MS + 60 * 60_000;

/** Of both pipelines. */
export const PARTITIONS = 2;

/** The first pipeline knows two places, the mended one all. */
export const PLACES = ['ATL', 'ORD'] as const;

const pipelineOf = (place: v.GenericSchema<string>) =>
  definePipeline({
    name: 'redriven',
    schema: v.object({ place, at: v.number(), amount: v.number() }),
    key: 'place',
    time: 'at',
    partitions: PARTITIONS,
    lateness: '2 minutes',
    deduplication: '30 minutes',
    windows: ({ tumbling, session, count, sum, last }) => ({
      tens: tumbling('10 minutes', {
        by: 'place',
        keep: { events: count(), total: sum('amount'), last: last('amount') },
      }),
      runs: session('3 minutes', { max: '10 minutes', by: 'place', keep: { events: count() } }),
    }),
    closing: { idle: '5 minutes' },
    retention: { windows: '30 days' },
  });

/** Before and after it was mended. */
export const FIRST = pipelineOf(v.picklist(PLACES));
export const MENDED = pipelineOf(v.string());

/** A record of the simulated stream. */
export interface LaneRecord {
  readonly partition: number;
  readonly sequence: number;
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
  /** What it says; undefined where the bytes are broken. */
  readonly event: { readonly id: string; readonly place: string; readonly at: number } | undefined;
}
