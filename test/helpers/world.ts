import { makeMemoryBucket } from '../../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import type { KinesisBatch } from '../../src/handlers/kinesis-batch.ts';

/** A day at noon: windows of an hour and of a day start before it. */
export const NOON_MS = Date.UTC(2026, 10, 20, 12);

/** Everything that a consumer needs, in memory. */
export function makeWorld(nowMs = NOON_MS) {
  return {
    clock: makeSkippingClock(nowMs),
    random: makeSeededRandom(1),
    stream: makeMemoryStream({
      arn: 'arn:aws:kinesis:eu-west-1:111122223333:stream/test',
      createdMs: 1_700_000_000_000,
    }),
    ledger: makeMemoryTable(),
    aggregates: makeMemoryTable(),
    events: makeMemoryTable(),
    quarantineIndex: makeMemoryTable(),
    quarantine: makeMemoryBucket(),
  };
}

/** The world's type. */
export type World = ReturnType<typeof makeWorld>;

/** What a test record says; the rest has defaults. */
export interface RecordOptions {
  readonly sequence: number;
  readonly data?: unknown;
  readonly bytes?: Uint8Array;
  readonly id?: string;
  readonly source?: string;
  readonly partitionKey?: string;
  readonly arrivalMs?: number;
  readonly shard?: number;
}

/** One Kinesis record as Lambda hands it over. */
export function record(options: RecordOptions): KinesisBatch['Records'][number] {
  const { sequence, shard = 0, partitionKey = 'p-0', arrivalMs = NOON_MS } = options;
  const bytes = options.bytes ?? envelope(options);
  return {
    eventID: `shardId-${String(shard).padStart(12, '0')}:${sequence}`,
    kinesis: {
      partitionKey,
      sequenceNumber: String(sequence),
      data: Buffer.from(bytes).toString('base64'),
      approximateArrivalTimestamp: arrivalMs / 1000,
    },
  };
}

/** A CloudEvent's bytes. */
export function envelope({
  sequence,
  data = {},
  id = `e${sequence}`,
  source = 'urn:test',
}: RecordOptions): Uint8Array {
  const event = {
    specversion: '1.0',
    id,
    source,
    type: 'test',
    datacontenttype: 'application/json',
    data,
  };
  return Buffer.from(JSON.stringify(event));
}

/** A call with a minute to run. */
export function invocation(world: World, ms = 60_000) {
  return { requestId: 'request-1', deadlineMs: world.clock.now() + ms };
}
