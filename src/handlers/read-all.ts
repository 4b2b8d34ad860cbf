import type { Item, Page, Table, TableQuery } from '../ports/table.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** Every item of a query, page after page, strongly consistent. @throws TransientError, DeadlineError */
export async function readAll(
  table: Table,
  query: TableQuery,
  context: RetryContext,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let next: TableQuery | undefined = query;
  while (next !== undefined) {
    const asked: TableQuery = next;
    const page: Page = await retryCall(context, () => table.query(asked, context));
    items.push(...page.items);
    next = page.next === undefined ? undefined : { ...query, after: page.next };
  }
  return items;
}
