import { partitionKey } from '../../src/core/partition.ts';
import type { Program } from '../../src/core/program.ts';
import type { KinesisBatch } from '../../src/handlers/kinesis-batch.ts';
import { loadFlights } from './flight-feed.ts';

/** The pipeline of flights as its function has it, and its feed in batches as Lambda hands them over. */
export async function realFlights(options: {
  readonly events: number;
  /** Records of a batch. */
  readonly size: number;
  readonly nowMs: number;
}): Promise<{ readonly program: Program; readonly batches: readonly KinesisBatch[] }> {
  const { events: count, size, nowMs } = options;
  const { program, events } = await loadFlights(count, nowMs);
  const records = events.map(({ bytes, partition = 0 }, index) => ({
    eventID: `shardId-000000000000:${index + 1}`,
    kinesis: {
      partitionKey: partitionKey(partition),
      sequenceNumber: String(index + 1),
      data: Buffer.from(bytes).toString('base64'),
      approximateArrivalTimestamp: nowMs / 1000,
    },
  }));
  const batches = Array.from({ length: count / size }, (_, index) => ({
    Records: records.slice(index * size, (index + 1) * size),
  }));
  return { program, batches };
}

/** The least that any consumer of Kinesis does: base64 and JSON.parse of every record. */
export function parseAll({ Records }: KinesisBatch): number {
  let fields = 0;
  for (const { kinesis } of Records) {
    const event: object = JSON.parse(Buffer.from(kinesis.data, 'base64').toString());
    fields += 'data' in event ? 1 : 0;
  }
  return fields;
}
