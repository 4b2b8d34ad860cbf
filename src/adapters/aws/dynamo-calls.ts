import type { ConditionalWrite, Item, ItemKey, Page, TableQuery } from '../../ports/table.ts';

/** A request's bound in time. */
export interface CallOptions {
  readonly abortSignal: AbortSignal;
}

/** What DynamoDB said of one statement of a batch; without a code it went through. */
export interface StatementAnswer {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** The item that a failed condition found. */
  readonly item?: Item | undefined;
}

/**
 * The requests that a table makes, one HTTP call each and one attempt: by the SDK, or by our own small client. Errors
 * carry DynamoDB's name in `name`, such as `ThrottlingException`.
 */
export interface DynamoCalls {
  /** BatchGetItem, read strongly: the items found, and the keys left unprocessed. At most 100 keys. */
  batchGet(
    tableName: string,
    keys: readonly ItemKey[],
    options: CallOptions,
  ): Promise<{ readonly items: readonly Item[]; readonly unprocessed: readonly ItemKey[] }>;

  /** Query, read strongly. */
  query(tableName: string, query: TableQuery, options: CallOptions): Promise<Page>;

  /** PutItem with its condition; undefined when it is written, else what the failed condition found. */
  put(
    tableName: string,
    write: ConditionalWrite,
    options: CallOptions,
  ): Promise<{ readonly found: Item | undefined } | undefined>;

  /**
   * One BatchExecuteStatement of PartiQL, whose statements stand alone: INSERT where the item must be absent, UPDATE
   * with the condition otherwise. DynamoDB developer guide, "Running batch operations with PartiQL for DynamoDB". An
   * answer a write; at most 25.
   */
  putMany(
    tableName: string,
    writes: readonly ConditionalWrite[],
    options: CallOptions,
  ): Promise<readonly (StatementAnswer | undefined)[]>;

  /** BatchWriteItem: the keys left unprocessed. At most 25 items. */
  batchWrite(
    tableName: string,
    items: readonly Item[],
    options: CallOptions,
  ): Promise<readonly ItemKey[]>;
}

/** The PartiQL text of a conditional write; its parameters are `statementValues`, in their order. */
export function statementText(tableName: string, { item, condition }: ConditionalWrite): string {
  const table = `"${tableName.replaceAll('"', '""')}"`;
  if (condition.type === 'absent') {
    const names = Object.keys(item).map((name) => `'${name}': ?`);
    return `INSERT INTO ${table} VALUE {${names.join(', ')}}`;
  }
  const { pk: _pk, sk: _sk, ...attributes } = item;
  const sets = Object.keys(attributes).map((name) => `SET "${name}" = ?`);
  return `UPDATE ${table} ${sets.join(' ')} WHERE "pk" = ? AND "sk" = ? AND "${condition.attribute}" = ?`;
}

/** The values for the text's question marks. */
export function statementValues({ item, condition }: ConditionalWrite): readonly Item[string][] {
  if (condition.type === 'absent') return Object.values(item);
  const { pk, sk, ...attributes } = item;
  return [...Object.values(attributes), pk, sk, condition.value];
}

/** A query's key condition; `:bound` stands for the prefix or the key to start after. */
export function keyCondition({ after, prefix, descending = false }: TableQuery): string {
  if (prefix !== undefined) return 'pk = :pk AND begins_with(sk, :bound)';
  return after === undefined ? 'pk = :pk' : `pk = :pk AND sk ${descending ? '<' : '>'} :bound`;
}

/** Items of a page where a query doesn't say. */
export const QUERY_LIMIT = 1000;
