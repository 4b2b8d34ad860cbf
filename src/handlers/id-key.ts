import { InvariantError, TransientError } from '../core/errors.ts';
import { type HashKey, hashKeyOf } from '../core/hash.ts';
import { bytesIn } from '../core/item.ts';
import type { Random } from '../ports/random.ts';
import type { Table } from '../ports/table.ts';
import { type RetryContext, retryFailed } from './retry.ts';

const KEY = { pk: 'id-key', sk: 'id-key' } as const;

/**
 * The key of the ids' hash: made once, by whoever comes first, and kept in the ledger table as long
 * as the ledger itself.
 */
export class IdKey {
  readonly #ledger: Table;
  readonly #random: Random;
  #key: HashKey | undefined;

  constructor(ledger: Table, random: Random) {
    this.#ledger = ledger;
    this.#random = random;
  }

  /** @throws TransientError when the table doesn't answer */
  async current(context: RetryContext): Promise<HashKey> {
    this.#key ??= (await this.#read(context)) ?? (await this.#make(context));
    return this.#key;
  }

  async #read(context: RetryContext): Promise<HashKey | undefined> {
    const [result] = await retryFailed(context, [KEY], (keys) => this.#ledger.get(keys, context));
    if (result?.status !== 'read') throw unanswered(result?.error);
    return result.item === undefined ? undefined : hashKeyOf(bytesIn(result.item, 'k'));
  }

  async #make(context: RetryContext): Promise<HashKey> {
    const item = { ...KEY, v: 1, k: this.#random.bytes(16) };
    const write = { item, condition: { type: 'absent' } } as const;
    const [result] = await retryFailed(context, [write], (writes) =>
      this.#ledger.putIf(writes, context),
    );
    if (result === undefined || result.status === 'failed') throw unanswered(result?.error);
    // Read back: another container may have been first, or an earlier try of this one.
    const stored = await this.#read(context);
    if (stored === undefined)
      throw new InvariantError('id key: got none after it was written, expected one');
    return stored;
  }
}

function unanswered(cause: unknown): TransientError {
  return new TransientError('id key: the ledger table did not answer; the records come again', {
    cause,
  });
}
