import type { SendOptions } from './table.ts';

/** A record for a stream. */
export interface OutletRecord {
  readonly partitionKey: string;
  /** Decimal; chooses the shard. Without it the stream hashes the partition key. */
  readonly explicitHashKey?: string;
  /** With the partition key at most 1 MiB. */
  readonly bytes: Uint8Array;
}

/** How sending a record ended. `failed`: it may or may not be in the stream, or may still come into it. */
export type SendResult =
  | { readonly status: 'taken'; readonly shard: string; readonly sequence: string }
  | { readonly status: 'failed'; readonly error: Error };

/**
 * The producing side of a stream. One attempt a call, no retries inside. Any number of records can be
 * given; an adapter sends them in requests, one after the other, and ends at the first that is not taken
 * whole: what comes after it fails unsent. So only records of one request can change places.
 */
export interface Outlet {
  /** Results stand in the order of the records. */
  send(records: readonly OutletRecord[], options: SendOptions): Promise<readonly SendResult[]>;
}
