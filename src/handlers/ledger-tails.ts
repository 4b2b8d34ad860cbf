import { InvariantError } from '../core/errors.ts';
import { decodeEntry, ENTRIES, type LedgerEntry, ledgerKey } from '../core/ledger.ts';
import { decodeRegistered, REGISTRY_KEY, type RegisteredWriter } from '../core/registry.ts';
import type { Table } from '../ports/table.ts';
import { readAll } from './read-all.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Every writer that ever wrote. @throws TransientError */
export async function registeredWriters(
  ledger: Table,
  context: RetryContext,
): Promise<readonly RegisteredWriter[]> {
  const items = await readAll(ledger, { pk: REGISTRY_KEY }, context);
  return items.map(decodeRegistered);
}

/** The newest entry of a writer's ledger, or undefined before the first. @throws TransientError */
export async function newestEntry(
  ledger: Table,
  writer: string,
  context: RetryContext,
): Promise<LedgerEntry | undefined> {
  const query = { pk: ledgerKey(writer), after: `${ENTRIES}~`, descending: true, limit: 1 };
  const { items } = await retryCall(context, () => ledger.query(query, context));
  const [item] = items;
  if (item === undefined || !item.sk.startsWith(ENTRIES)) return undefined;
  const entry = decodeEntry(item);
  if (entry.writer === writer) return entry;
  throw new InvariantError(
    `ledger of ${writer}: got an entry of ${entry.writer}, expected its own`,
  );
}
