import type { SendOptions } from './table.ts';

/** Which keys. */
export interface KeyQuery {
  readonly prefix: string;
  /** Only keys after this one, in the order of bytes. It need not exist. */
  readonly after?: string;
  /** At most this many keys in the page; 1 to 1,000, the default. */
  readonly limit?: number;
}

/** A page of keys, in the order of their bytes. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** The `after` of the next page, or undefined at the end. */
  readonly next: string | undefined;
}

/** Objects by key. One attempt a call, no retries inside. */
export interface Bucket {
  /** Writes the whole object, replacing an older one. @throws TransientError, DeadlineError */
  put(key: string, body: Uint8Array, contentType: string, options: SendOptions): Promise<void>;
  /** The object's bytes, or undefined where there is none. @throws TransientError, DeadlineError */
  get(key: string, options: SendOptions): Promise<Uint8Array | undefined>;
  /** Everything that was put before the call and fits the query. @throws TransientError, DeadlineError */
  list(query: KeyQuery, options: SendOptions): Promise<KeyPage>;
}
