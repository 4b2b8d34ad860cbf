import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { definePipeline } from '#millrace';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { partitionKey, partitionOf } from '../../src/core/partition.ts';
import type { EventLayout } from '../../src/core/program.ts';
import type { KinesisBatch } from '../../src/handlers/kinesis-batch.ts';

/**
 * Streams of flights at both ends of what packing can gain, made from the 20,000 flights of three months
 * in vega-datasets, ordered by a time with a disorder of up to five minutes:
 * - sparse: each flight once. A thousand of them span a hundred hours: some 870 groups of an hour.
 * - dense: each flight about fifty times within half an hour of its own time, a slice of which a
 *   thousand fall into about 40 groups.
 */
export type StreamKind = 'dense' | 'sparse';

const ROOT = path.join(import.meta.dirname, '..', '..');
const COPIES = 50;
const HALF_HOUR_MS = 1_800_000;
const DISORDER_MS = 300_000;
/** Where the dense slice starts in its million, and how long it is. */
const DENSE_FROM = 400_000;
const EVENTS = 20_000;

const Flight = z.object({
  at: z.number(),
  delay: z.number(),
  distance: z.number(),
  origin: z.string(),
  destination: z.string(),
});

type Row = z.infer<typeof Flight>;

/** Flights per origin and hour. */
export function hourPipeline(partitions: number, options: { readonly events?: EventLayout } = {}) {
  return definePipeline({
    name: 'bench',
    schema: Flight,
    key: 'origin',
    time: 'at',
    partitions,
    lateness: '6 hours',
    windows: ({ tumbling, count, mean, max }) => ({
      origins: tumbling('1 hour', {
        by: 'origin',
        groups: 40,
        keep: {
          flights: count(),
          delay: mean('delay'),
          worst: max('delay'),
          late: count((flight) => flight.delay > 15),
        },
      }),
    }),
    ...(options.events === undefined
      ? {}
      : { retention: { events: '7 days' as const }, events: options.events }),
  });
}

/** The stream's flights in the order of their arrival. */
export function flightStream(kind: StreamKind): readonly Row[] {
  const file = path.join(ROOT, 'node_modules/vega-datasets/data/flights-20k.json');
  const base: readonly (Omit<Row, 'at'> & { date: string })[] = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const random = makeSeededRandom(0x9e3779b9);
  const rows = Array.from(
    { length: kind === 'dense' ? base.length * COPIES : EVENTS },
    (_, index) => {
      const { date, ...flight } = base[index % base.length] ?? { date: '' };
      const spread = kind === 'dense' ? (random.next() - 0.5) * 2 * HALF_HOUR_MS : 0;
      const at =
        Date.parse(`${date.replaceAll('/', '-').replace(' ', 'T')}:00.000Z`) + Math.floor(spread);
      return { arrival: at + random.next() * DISORDER_MS, row: { ...flight, at } as Row };
    },
  );
  const ordered = rows.sort((left, right) => left.arrival - right.arrival).map(({ row }) => row);
  return kind === 'dense' ? ordered.slice(DENSE_FROM, DENSE_FROM + EVENTS) : ordered;
}

/** Batches of CloudEvents with the ids of UUIDs, as Lambda hands them over. */
export function batchesOf(
  rows: readonly Row[],
  {
    size,
    partitions,
    nowMs,
  }: { readonly size: number; readonly partitions: number; readonly nowMs: number },
): readonly KinesisBatch[] {
  const random = makeSeededRandom(7);
  const hex = (bytes: number) => Buffer.from(random.bytes(bytes)).toString('hex');
  const records = rows.map((row, index) => {
    const event = {
      specversion: '1.0',
      id: `${hex(4)}-${hex(2)}-${hex(2)}-${hex(2)}-${hex(6)}`,
      source: '/airline/ops/departures',
      type: 'com.example.flight.departed.v1',
      time: new Date(row.at).toISOString(),
      datacontenttype: 'application/json',
      data: row,
    };
    const sequence = `4959033827149025660855969253836157109592157598${String(index + 1).padStart(10, '0')}`;
    return {
      eventID: `shardId-000000000006:${sequence}`,
      kinesis: {
        partitionKey: partitionKey(partitionOf(row.origin, partitions)),
        sequenceNumber: sequence,
        data: Buffer.from(JSON.stringify(event)).toString('base64'),
        // A request of a producer stamps its records alike: some hundred at a time.
        approximateArrivalTimestamp: (nowMs + Math.floor(index / 100) * 10) / 1000,
      },
    };
  });
  return Array.from({ length: Math.floor(rows.length / size) }, (_, index) => ({
    Records: records.slice(index * size, (index + 1) * size),
  }));
}
