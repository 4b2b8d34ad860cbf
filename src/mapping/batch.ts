/** A record as the mapping sees it. */
export interface MappingRecord<Payload = unknown> {
  /** Kinesis sequence number, decimal digits. */
  readonly sequence: string;
  readonly partitionKey: string;
  /** Approximate arrival, milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
  /** Bytes that the record takes in the event of an invocation, as JSON with base64 data, and a comma. */
  readonly sizeBytes: number;
  /** The record's bytes. Needed where the mapping has filters, which look into them; else left out. */
  readonly data?: Uint8Array;
  /** What the driver needs to invoke the function with it. */
  readonly payload: Payload;
}

/** How an invocation ended. */
export type Outcome =
  /** The function came to its end; `answer` is what it returned, parsed. */
  | { readonly type: 'answered'; readonly answer: unknown }
  /** It threw, ran out of time or memory, ended its process, or returned what is no JSON. */
  | { readonly type: 'failed' }
  /** It never ran: throttled, no permission, a fault of the service. Spends no try. */
  | { readonly type: 'not-invoked' }
  /** It never ran, as the event is over the payload limit. Spends a try. */
  | { readonly type: 'rejected' };

/** The last invocation of a batch that was not refused for the time being. */
export interface LastInvocation {
  /** The id under which the engine gave it. */
  readonly id: number;
  readonly outcome: Outcome;
}

/** The records of one invocation. */
export interface Batch<Payload = unknown> {
  /** In the order of their sequence numbers, at least one. */
  readonly records: readonly MappingRecord<Payload>[];
  /** Invocations of these very records that failed, throttles left out. */
  readonly attempts: number;
  /** The last one of these; undefined before the first. */
  readonly last?: LastInvocation;
}

/** Payload of a synchronous invocation: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;

/** What the event has besides its records: `{"Records":[` and `]}`, less the last record's comma. */
export const ENVELOPE_BYTES = 13;

/** How many records from the start of a queue make the next batch, at least one of a queue that has any. */
export function batchLength(queue: readonly MappingRecord[], batchSize: number): number {
  let bytes = ENVELOPE_BYTES;
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
  const length = batchLength(queue, batchSize);
  return length === batchSize || length < queue.length;
}

/** True when Lambda refuses the event before the function runs: only a single record can be that large. */
export function exceedsPayload({ records }: Batch): boolean {
  const bytes = records.reduce((sum, { sizeBytes }) => sum + sizeBytes, ENVELOPE_BYTES);
  return bytes > PAYLOAD_BYTES_MAX;
}

/** Both halves of a failed batch, each with tries of its own; the left one has the smaller half of an odd batch. */
export function bisect<Payload>(batch: Batch<Payload>): [Batch<Payload>, Batch<Payload>] {
  const middle = Math.floor(batch.records.length / 2);
  return [
    { records: batch.records.slice(0, middle), attempts: 0 },
    { records: batch.records.slice(middle), attempts: 0 },
  ];
}
