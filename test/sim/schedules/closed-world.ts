import * as v from 'valibot';
import { definePipeline } from '#millrace';
import { makeMemoryPublisher } from '../../../src/adapters/memory/publisher.ts';
import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { makeClose } from '../../../src/handlers/close.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { Item } from '../../../src/ports/table.ts';
import { invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';
import { type Asked, spoil } from './spoil.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
/** The pipeline's own times. */
export const IDLE_MS = 10 * MINUTE_MS;
export const LATENESS_MS = 10 * MINUTE_MS;

const pipeline = definePipeline({
  name: 'closed',
  schema: v.object({ place: v.string(), at: v.number() }),
  key: 'place',
  time: 'at',
  partitions: 3,
  lateness: '10 minutes',
  windows: ({ tumbling, session, count }) => ({
    hours: tumbling('1 hour', { by: 'place', keep: { events: count() } }),
    runs: session('5 minutes', { max: '6 hours', by: 'place', keep: { events: count() } }),
    unwatched: tumbling('1 hour', { keep: { events: count() } }),
  }),
  closing: { windows: ['hours', 'runs'], idle: '10 minutes' },
});

/** Ready to run. */
export const program = compile(pipeline);

/** When a result may be deleted: after its window and retention, or when it was written; milliseconds. */
export const RETENTION_MS = program.settings.retention.windowsMs;

/** An event: minutes after noon, place, and which partition it comes through. */
export type Sent = readonly [minutes: number, place: string, partition?: number];

/** A world with a consumer and a closer. */
export function setUp(startMs = NOON_MS + 2 * HOUR_MS) {
  const world = makeWorld(startMs);
  const publisher = makeMemoryPublisher();
  const trouble = { refuse: (_request: Asked): boolean => false };
  /** When the closer's requests have to be over. */
  const deadlines = new Set<number>();
  const ports = spoil(world, (request) => {
    deadlines.add(request.deadlineMs);
    return trouble.refuse(request)
      ? { error: new TransientError('refused'), applied: false, every: 1 }
      : undefined;
  });
  const consume = makeConsume(world, program);
  const close = makeClose(
    {
      ...ports,
      publisher: {
        publish: async (events, options) => {
          const { deadlineMs } = options;
          deadlines.add(deadlineMs);
          const isRefused = trouble.refuse({ operation: 'publish', input: events, deadlineMs });
          const error = new TransientError('refused');
          return isRefused
            ? events.map(() => ({ status: 'failed', error }))
            : publisher.publish(events, options);
        },
      },
    },
    program,
  );
  let sequence = 0;
  return {
    world,
    trouble,
    deadlines,
    events: () => publisher.events,
    close: () => close(invocation(world)),
    send: async (...sent: readonly Sent[]) => {
      const Records = sent.map(([minutes, place, partition = 0]) => {
        sequence += 1;
        const data = { place, at: NOON_MS + minutes * MINUTE_MS };
        const partitionKey = `p-${partition}`;
        return record({ sequence, data, partitionKey, arrivalMs: world.clock.now() });
      });
      return consume({ Records }, invocation(world));
    },
    items: (pk: string): readonly Item[] =>
      world.aggregates.items().filter((item) => item.pk === pk),
    chain: (lane: string): readonly Item[] =>
      world.ledger.items().filter(({ pk, sk }) => pk.endsWith(`.${lane}`) && sk.startsWith('e#')),
  };
}
