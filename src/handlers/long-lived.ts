import type { Item, Table } from '../ports/table.ts';

/** How long a replay can be stopped and still go on, seconds. */
const STOPPED_SECONDS_MAX = 30 * 86_400;

/**
 * A replay can be stopped for a while: the ids and positions that it goes on from must outlive that, in ledgers
 * that no keeper renews.
 */
export function longLived(ledger: Table): Table {
  const later = (item: Item): Item =>
    typeof item.ttl === 'number' ? { ...item, ttl: item.ttl + STOPPED_SECONDS_MAX } : item;
  return {
    ...ledger,
    putAll: (items, options) => ledger.putAll(items.map(later), options),
    putIf: (writes, options) =>
      ledger.putIf(
        writes.map((write) => ({ ...write, item: later(write.item) })),
        options,
      ),
  };
}
