import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { compile } from '../../src/core/compile.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../../src/core/partition.ts';
import type { SimEvent } from '../../src/sim/stream.ts';
import { witnessed } from '../../src/sim/witness.ts';
import { NOON_MS } from './world.ts';

const PARTITIONS = 16;

/** Counts per place, over sixteen partitions. */
export const scaledPipeline = witnessed(
  definePipeline({
    name: 'scaled',
    schema: v.object({ place: v.string(), at: v.number(), amount: v.number() }),
    key: 'place',
    time: 'at',
    partitions: PARTITIONS,
    lateness: '1 hour',
    windows: ({ tumbling, count, sum }) => ({
      places: tumbling('1 hour', { by: 'place', keep: { events: count(), total: sum('amount') } }),
    }),
  }),
);

/** The same, ready to run. */
export const scaledProgram = compile(scaledPipeline);

/** Events of some minutes at some rates, one after the other, over places that come alike. */
export function scaledEvents(
  parts: readonly { readonly minutes: number; readonly rate: number }[],
): readonly SimEvent[] {
  const random = makeSeededRandom(17);
  const events: SimEvent[] = [];
  let startMs = NOON_MS;
  for (const { minutes, rate } of parts) {
    const count = Math.round(minutes * 60 * rate);
    for (let index = 0; index < count; index += 1) {
      const atMs = startMs + Math.floor((index * 1000) / rate);
      const place = `place-${Math.floor(random.next() * 500)}`;
      const partition = partitionOf(place, PARTITIONS);
      const data = { place, at: atMs, amount: index % 10 };
      const id = `event-${events.length}`;
      const envelope = { specversion: '1.0', id, source: 'urn:test', type: 't', data };
      events.push({
        atMs,
        partitionKey: partitionKey(partition),
        explicitHashKey: explicitHashKey(partition, PARTITIONS),
        bytes: Buffer.from(JSON.stringify(envelope)),
      });
    }
    startMs += minutes * 60_000;
  }
  return events;
}
