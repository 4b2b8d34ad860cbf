import { InvariantError } from '../../core/errors.ts';
import type {
  Attribute,
  ConditionalWrite,
  Item,
  ItemKey,
  Page,
  Table,
  TableQuery,
  WriteResult,
} from '../../ports/table.ts';
import { compareBytes } from './compare-bytes.ts';
import { itemBytes, readUnits, writeUnits } from './units.ts';

/** What was used, as DynamoDB bills it. */
export interface TableUsage {
  readUnits: number;
  writeUnits: number;
  requests: number;
}

/** A table in memory that behaves as DynamoDB does for what the port promises. */
export interface MemoryTable extends Table {
  readonly usage: TableUsage;
  /** Every item, in the order of keys; copies. */
  items(): Item[];
  /** Deletes the items whose TTL, and the delay where one is given, have passed: DynamoDB does so some day. */
  expire(nowMs: number, delayMsOf?: (item: Item) => number): number;
  /** Deletes one item. */
  remove(key: ItemKey): void;
}

/** DynamoDB's limits: an item, a partition key and a sort key, in bytes. */
const ITEM_BYTES_MAX = 400 * 1024;
const PK_BYTES_MAX = 2048;
const SK_BYTES_MAX = 1024;

/** An empty table. */
export function makeMemoryTable(): MemoryTable {
  const partitions = new Map<string, Map<string, Item>>();
  const usage: TableUsage = { readUnits: 0, writeUnits: 0, requests: 0 };
  const find = ({ pk, sk }: ItemKey) => partitions.get(pk)?.get(sk);
  const store = (item: Item) => {
    usage.writeUnits += writeUnits(find(item), item);
    const partition = partitions.get(item.pk) ?? new Map<string, Item>();
    partitions.set(item.pk, partition.set(item.sk, copyOf(item)));
  };
  const remove = ({ pk, sk }: ItemKey) => {
    partitions.get(pk)?.delete(sk);
  };
  const items = () => [...partitions.values()].flatMap((one) => [...one.values()]).sort(byKey);
  return {
    usage,
    get: async (keys) => {
      checkDistinct(keys);
      usage.requests += Math.ceil(keys.length / 100);
      return keys.map((key) => {
        const item = find(key);
        usage.readUnits += readUnits(itemBytes(item));
        return { status: 'read', item: item === undefined ? undefined : copyOf(item) };
      });
    },
    query: async (query) => {
      usage.requests += 1;
      const page = pageOf([...(partitions.get(query.pk)?.values() ?? [])], query);
      usage.readUnits += readUnits(page.items.reduce((sum, item) => sum + itemBytes(item), 0));
      return page;
    },
    putIf: async (writes) => {
      checkDistinct(writes.map(({ item }) => item));
      usage.requests += Math.ceil(writes.length / 25);
      for (const { item } of writes) checkItem(item);
      return writes.map((write) => putIf(write, find(write.item), { store, usage }));
    },
    putAll: async (given) => {
      checkDistinct(given);
      usage.requests += Math.ceil(given.length / 25);
      for (const item of given) checkItem(item);
      for (const item of given) store(item);
      return given.map(() => ({ status: 'written' }));
    },
    items: () => items().map(copyOf),
    expire: (nowMs, delayMsOf = () => 0) => {
      const dead = items().filter(
        (item) => typeof item.ttl === 'number' && item.ttl * 1000 + delayMsOf(item) < nowMs,
      );
      for (const item of dead) remove(item);
      return dead.length;
    },
    remove,
  };
}

/** An item is flat: only bytes are shared by a copy of it. */
function copyOf(item: Item): Item {
  const copy: Record<string, Attribute> & ItemKey = { ...item };
  for (const name in copy) {
    const value = copy[name];
    if (value instanceof Uint8Array) copy[name] = value.slice();
  }
  return copy;
}

function putIf(
  { item, condition }: ConditionalWrite,
  current: Item | undefined,
  table: { readonly store: (item: Item) => void; readonly usage: TableUsage },
): WriteResult {
  const absent = condition.type === 'absent';
  const holds = absent ? current === undefined : current?.[condition.attribute] === condition.value;
  if (holds) {
    table.store(item);
    return { status: 'written' };
  }
  table.usage.writeUnits += writeUnits(current, absent ? undefined : item);
  // An insert that finds an item doesn't say which, as PartiQL's DuplicateItem doesn't.
  return {
    status: 'conflict',
    current: absent || current === undefined ? undefined : copyOf(current),
  };
}

function pageOf(all: readonly Item[], query: TableQuery): Page {
  const { after, prefix, descending = false, limit = 1000 } = query;
  const beyond = (item: Item) => {
    if (after === undefined) return true;
    const order = compareBytes(item.sk, after);
    return descending ? order < 0 : order > 0;
  };
  const matching = all
    .filter((item) => beyond(item) && item.sk.startsWith(prefix ?? ''))
    .sort((left, right) => compareBytes(left.sk, right.sk) * (descending ? -1 : 1));
  const items = matching.slice(0, limit).map(copyOf);
  const more = matching.length > items.length;
  return { items, next: more ? items.at(-1)?.sk : undefined };
}

function byKey(left: ItemKey, right: ItemKey): number {
  return compareBytes(left.pk, right.pk) || compareBytes(left.sk, right.sk);
}

function checkDistinct(keys: readonly ItemKey[]): void {
  const names = new Set(keys.map(({ pk, sk }) => `${pk}\n${sk}`));
  if (names.size === keys.length) return;
  throw new InvariantError(
    `table: got ${keys.length} keys of which ${names.size} differ, expected each once`,
  );
}

function checkItem(item: Item): void {
  const sizes = {
    pk: Buffer.byteLength(item.pk),
    sk: Buffer.byteLength(item.sk),
    item: itemBytes(item),
  };
  const limits = { pk: PK_BYTES_MAX, sk: SK_BYTES_MAX, item: ITEM_BYTES_MAX };
  const fits = sizes.pk <= limits.pk && sizes.sk <= limits.sk && sizes.item <= limits.item;
  if (fits && sizes.pk > 0 && sizes.sk > 0) return;
  throw new InvariantError('table: got an item beyond the limits of DynamoDB', {
    fields: { sizes, limits },
  });
}
