import { InvariantError, TransientError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  ConditionalWrite,
  Item,
  ItemKey,
  ReadResult,
  Table,
  WriteResult,
} from '../../ports/table.ts';
import type { CallOptions, DynamoCalls, StatementAnswer } from './dynamo-calls.ts';
import { mapBounded } from './map-bounded.ts';
import { chunk, classify, type SendContext, sendOnce, settled } from './send.ts';

/** What a table is made with, whichever client reaches it. */
export interface DynamoTableOptions {
  readonly tableName: string;
  readonly clock: Clock;
  /** Requests of one call at the same time, 1 to 50; default 8. */
  readonly concurrency?: number;
}

/** Items of one BatchGetItem, and of one batch that writes: DynamoDB's limits. */
const KEYS_PER_GET = 100;
const ITEMS_PER_WRITE = 25;

/** A DynamoDB table whose keys are `pk` and `sk`, over the requests of some client. */
export function makeDynamoTable(calls: DynamoCalls, options: DynamoTableOptions): Table {
  const { clock, tableName, concurrency = 8 } = options;
  const target: Target = { calls, tableName };
  const inChunks = async <Input, Result>(
    inputs: readonly Input[],
    size: number,
    send: (inputs: readonly Input[]) => Promise<readonly Result[]>,
  ): Promise<readonly Result[]> =>
    (await mapBounded(chunk(inputs, size), concurrency, send)).flat();
  return {
    get: (keys, { deadlineMs }) => {
      checkDistinct(keys);
      return inChunks(keys, KEYS_PER_GET, (some) => getSome(target, some, { clock, deadlineMs }));
    },
    query: (query, { deadlineMs }) =>
      sendOnce(`Query ${tableName}`, { clock, deadlineMs }, (send) =>
        calls.query(tableName, query, send),
      ),
    putIf: (writes, { deadlineMs }) => {
      checkDistinct(writes.map(({ item }) => item));
      return inChunks(writes, ITEMS_PER_WRITE, (some) =>
        putConditionally(target, some, { clock, deadlineMs }),
      );
    },
    putAll: (items, { deadlineMs }) => {
      checkDistinct(items);
      return inChunks(items, ITEMS_PER_WRITE, (some) =>
        putSome(target, some, { clock, deadlineMs }),
      );
    },
  };
}

interface Target {
  readonly calls: DynamoCalls;
  readonly tableName: string;
}

async function getSome(
  { calls, tableName }: Target,
  keys: readonly ItemKey[],
  context: SendContext,
): Promise<readonly ReadResult[]> {
  const answer = await settled(`BatchGetItem ${tableName}`, context, (send) =>
    calls.batchGet(tableName, keys, send),
  );
  if (answer instanceof Error) return keys.map(() => ({ status: 'failed', error: answer }));
  const found = new Map(answer.items.map((item) => [nameOf(item), item]));
  const unprocessed = new Set(answer.unprocessed.map(nameOf));
  return keys.map((key) => {
    if (unprocessed.has(nameOf(key)))
      return { status: 'failed', error: leftOut('BatchGetItem', tableName) };
    return { status: 'read', item: found.get(nameOf(key)) };
  });
}

/** One write as PutItem, several as one batch of statements. */
async function putConditionally(
  target: Target,
  writes: readonly ConditionalWrite[],
  context: SendContext,
): Promise<readonly WriteResult[]> {
  const { calls, tableName } = target;
  const [first] = writes;
  if (writes.length === 1 && first !== undefined) return [await putOne(target, first, context)];
  const operation = `BatchExecuteStatement ${tableName}`;
  const answer = await settled(operation, context, (send) =>
    calls.putMany(tableName, writes, send),
  );
  if (answer instanceof Error) return writes.map(() => ({ status: 'failed', error: answer }));
  return writes.map((_, index) => resultOf(operation, answer[index]));
}

async function putOne(
  { calls, tableName }: Target,
  write: ConditionalWrite,
  context: SendContext,
): Promise<WriteResult> {
  const answer = await settled(`PutItem ${tableName}`, context, async (send: CallOptions) => ({
    conflict: await calls.put(tableName, write, send),
  }));
  if (answer instanceof Error) return { status: 'failed', error: answer };
  if (answer.conflict === undefined) return { status: 'written' };
  return { status: 'conflict', current: answer.conflict.found };
}

/** Statements of a batch fail each on its own; these are a mistake of ours. */
const PERMANENT = new Set(['ValidationError', 'ResourceNotFound', 'AccessDenied']);

function resultOf(operation: string, answer: StatementAnswer | undefined): WriteResult {
  const code = answer === undefined ? 'no answer' : answer.code;
  if (code === undefined) return { status: 'written' };
  if (code === 'DuplicateItem') return { status: 'conflict', current: undefined };
  if (code === 'ConditionalCheckFailed') return { status: 'conflict', current: answer?.item };
  if (PERMANENT.has(code)) {
    throw new InvariantError(`${operation}: ${code}: ${answer?.message ?? ''}`);
  }
  return { status: 'failed', error: classify(operation, code) };
}

async function putSome(
  { calls, tableName }: Target,
  items: readonly Item[],
  context: SendContext,
): Promise<readonly WriteResult[]> {
  const answer = await settled(`BatchWriteItem ${tableName}`, context, (send) =>
    calls.batchWrite(tableName, items, send),
  );
  if (answer instanceof Error) return items.map(() => ({ status: 'failed', error: answer }));
  if (answer.length === 0) return items.map(() => ({ status: 'written' }));
  const unprocessed = new Set(answer.map(nameOf));
  return items.map((item) => {
    if (!unprocessed.has(nameOf(item))) return { status: 'written' };
    return { status: 'failed', error: leftOut('BatchWriteItem', tableName) };
  });
}

function nameOf({ pk, sk }: ItemKey): string {
  return `${pk}\n${sk}`;
}

function leftOut(operation: string, tableName: string): TransientError {
  return new TransientError(`${operation} ${tableName}: left unprocessed; it may go through later`);
}

function checkDistinct(keys: readonly ItemKey[]): void {
  const names = new Set(keys.map(nameOf));
  if (names.size === keys.length) return;
  throw new InvariantError(
    `table: got ${keys.length} keys of which ${names.size} differ, expected each once`,
  );
}
