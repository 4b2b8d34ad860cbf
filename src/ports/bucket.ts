import type { SendOptions } from './table.ts';

/** Objects by key. One attempt a call, no retries inside. */
export interface Bucket {
  /** Writes the whole object, replacing an older one. @throws TransientError, DeadlineError */
  put(key: string, body: Uint8Array, contentType: string, options: SendOptions): Promise<void>;
  /** The object's bytes, or undefined where there is none. @throws TransientError, DeadlineError */
  get(key: string, options: SendOptions): Promise<Uint8Array | undefined>;
}
