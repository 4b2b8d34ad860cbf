import { decodeEntry, ENTRIES, type LedgerEntry, ledgerKey } from '../core/ledger.ts';
import type { Page, Table, TableQuery } from '../ports/table.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Entries that one query asks for. */
const ENTRIES_AT_ONCE = 100;

/** A writer's ledger entries that are still there, the newest first. @throws TransientError, DeadlineError */
export async function* newestFirst(
  ledger: Table,
  writer: string,
  context: RetryContext,
): AsyncGenerator<LedgerEntry> {
  let before: string | undefined = `${ENTRIES}~`;
  while (before !== undefined) {
    const query: TableQuery = {
      pk: ledgerKey(writer),
      after: before,
      descending: true,
      limit: ENTRIES_AT_ONCE,
    };
    const page: Page = await retryCall(context, () => ledger.query(query, context));
    for (const item of page.items) if (item.sk.startsWith(ENTRIES)) yield decodeEntry(item);
    before = page.next;
  }
}
