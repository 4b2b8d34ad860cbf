/** What an item's attribute can be. Numbers are 0, or of a magnitude of 1e-130 to 9.9e125. */
export type Attribute = string | number | Uint8Array;

/** Names one item of a table. `pk` at most 2,048 bytes, `sk` at most 1,024, neither empty. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** An item: its key and its attributes, at most 400 KB in all. */
export type Item = ItemKey & Readonly<Record<string, Attribute>>;

/** When a write may happen: the item is absent, or one of its attributes has this value. */
export type Condition =
  | { readonly type: 'absent' }
  | { readonly type: 'equals'; readonly attribute: string; readonly value: string | number };

/** Puts the item if the condition holds. It must name every attribute that the stored item has. */
export interface ConditionalWrite {
  readonly item: Item;
  readonly condition: Condition;
}

/**
 * How a write ended. `conflict`: the condition did not hold; `current` is the item found, if the
 * service gave it back (undefined says nothing: read it). `failed`: it may or may not have been
 * applied, or may still be applied later.
 */
export type WriteResult =
  | { readonly status: 'written' }
  | { readonly status: 'conflict'; readonly current: Item | undefined }
  | { readonly status: 'failed'; readonly error: Error };

/** How a read ended; `item` is undefined where there is none. */
export type ReadResult =
  | { readonly status: 'read'; readonly item: Item | undefined }
  | { readonly status: 'failed'; readonly error: Error };

/** What bounds a call. */
export interface SendOptions {
  /** No request is sent at or after this time, and an open one is given up; milliseconds since 1970 UTC. */
  readonly deadlineMs: number;
}

/** A page of items of one partition key, in the order of their sort keys. */
export interface Page {
  readonly items: readonly Item[];
  /** The `after` of the next page (the last sort key of this one), or undefined at the end. */
  readonly next: string | undefined;
}

/** Which items of one partition key. */
export interface TableQuery {
  readonly pk: string;
  /** Only sort keys after (descending: before) this one, which itself is left out. */
  readonly after?: string;
  /** Only sort keys that start with this. */
  readonly prefix?: string;
  readonly descending?: boolean;
  /** At most this many items in the page; 1 to 1,000. */
  readonly limit?: number;
}

/**
 * A table with conditional writes and strongly consistent reads, as DynamoDB has it. One attempt a
 * call, no retries inside: the caller decides. Results stand in the order of the arguments. Any
 * number of keys or writes can be given; an adapter splits them and bounds its concurrency. The same
 * key must not stand twice in one call.
 */
export interface Table {
  /** Strongly consistent. */
  get(keys: readonly ItemKey[], options: SendOptions): Promise<readonly ReadResult[]>;
  /** Strongly consistent. @throws TransientError, DeadlineError */
  query(query: TableQuery, options: SendOptions): Promise<Page>;
  /** Each write stands alone; there is no transaction. */
  putIf(writes: readonly ConditionalWrite[], options: SendOptions): Promise<readonly WriteResult[]>;
  /** Unconditional and therefore only for items whose repeat changes nothing. */
  putAll(items: readonly Item[], options: SendOptions): Promise<readonly WriteResult[]>;
}
