/** A record as the mapping sees it. */
export interface MappingRecord<Payload = unknown> {
  /** Kinesis sequence number, decimal digits. */
  readonly sequence: string;
  readonly partitionKey: string;
  /** Approximate arrival, milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
  /** Bytes that the record takes in the invocation's payload, base64 and envelope included. */
  readonly sizeBytes: number;
  /** What the driver needs to invoke the function with it. */
  readonly payload: Payload;
}

/**
 * The records of one invocation. A batch that comes again unchanged is the same object.
 */
export interface Batch<Payload = unknown> {
  /** In the order of their sequence numbers, at least one. */
  readonly records: readonly MappingRecord<Payload>[];
  /** Invocations of these very records that failed, throttles left out. */
  readonly attempts: number;
}

/** Payload of a synchronous invocation: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;

/** How many records from the start of a queue make the next batch, at least one of a queue that has any. */
export function batchLength(queue: readonly MappingRecord[], batchSize: number): number {
  let bytes = 0;
  let length = 0;
  for (const { sizeBytes } of queue) {
    bytes += sizeBytes;
    if (length > 0 && bytes > PAYLOAD_BYTES_MAX) break;
    length += 1;
    if (length === batchSize) break;
  }
  return length;
}

/**
 * True when nothing is gained by collecting longer: the batch is as large as it can get. Lambda sends at
 * the first of window, size and payload.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
 */
export function isFull(queue: readonly MappingRecord[], batchSize: number): boolean {
  return (
    batchLength(queue, batchSize) === batchSize || batchLength(queue, batchSize) < queue.length
  );
}

/** Both halves of a failed batch, each with tries of its own; the left one has the smaller half of an odd batch. */
export function bisect<Payload>(batch: Batch<Payload>): [Batch<Payload>, Batch<Payload>] {
  const middle = Math.floor(batch.records.length / 2);
  return [
    { records: batch.records.slice(0, middle), attempts: 0 },
    { records: batch.records.slice(middle), attempts: 0 },
  ];
}
