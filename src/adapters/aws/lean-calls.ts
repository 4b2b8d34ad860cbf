import { InvariantError, show } from '../../core/errors.ts';
import type { Attribute, Item, ItemKey } from '../../ports/table.ts';
import type { CallOptions, DynamoCalls, StatementAnswer } from './dynamo-calls.ts';
import { batchGetBody, batchWriteBody, putBody, putManyBody, queryBody } from './lean-body.ts';
import type { DynamoRequest, SendDynamo } from './lean-client.ts';
import { DynamoError } from './lean-client.ts';

/** DynamoDB's JSON of an item; bytes are Base64. */
type WireItem = Readonly<Record<string, WireValue>>;
type WireValue = { readonly S?: string; readonly N?: string; readonly B?: string };

/** The parts of DynamoDB's answers that are read; every one may be missing. */
interface WireAnswers {
  readonly BatchGetItem: {
    readonly Responses?: Readonly<Record<string, readonly WireItem[]>>;
    readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys?: readonly WireItem[] }>>;
  };
  readonly BatchWriteItem: {
    readonly UnprocessedItems?: Readonly<
      Record<string, readonly { readonly PutRequest?: { readonly Item?: WireItem } }[]>
    >;
  };
  readonly Query: { readonly Items?: readonly WireItem[]; readonly LastEvaluatedKey?: WireItem };
  readonly BatchExecuteStatement: {
    readonly Responses?: readonly {
      readonly Error?: {
        readonly Code?: string;
        readonly Message?: string;
        readonly Item?: WireItem;
      };
    }[];
  };
  readonly PutItem: object;
}

/** The requests by our own client. */
export function makeLeanCalls(client: SendDynamo): DynamoCalls {
  const send = <Operation extends keyof WireAnswers>(
    operation: Operation & DynamoRequest['operation'],
    body: string,
    options: CallOptions,
  ) => client({ operation, body }, options) as Promise<WireAnswers[Operation]>;
  return {
    batchGet: async (tableName, keys, options) => {
      const answer = await send('BatchGetItem', batchGetBody(tableName, keys), options);
      return {
        items: (answer.Responses?.[tableName] ?? []).map(itemOf),
        unprocessed: (answer.UnprocessedKeys?.[tableName]?.Keys ?? []).map(keyOf),
      };
    },
    query: async (tableName, query, options) => {
      const answer = await send('Query', queryBody(tableName, query), options);
      return { items: (answer.Items ?? []).map(itemOf), next: answer.LastEvaluatedKey?.sk?.S };
    },
    put: async (tableName, write, options) => {
      try {
        await send('PutItem', putBody(tableName, write), options);
        return undefined;
      } catch (error) {
        const isConflict =
          error instanceof DynamoError && error.name === 'ConditionalCheckFailedException';
        if (!isConflict) throw error;
        return { found: error.item === undefined ? undefined : itemOf(error.item as WireItem) };
      }
    },
    putMany: async (tableName, writes, options) => {
      const answer = await send('BatchExecuteStatement', putManyBody(tableName, writes), options);
      return writes.map((_, index) => statementAnswer(answer.Responses?.[index]));
    },
    batchWrite: async (tableName, items, options) => {
      const answer = await send('BatchWriteItem', batchWriteBody(tableName, items), options);
      const skipped = answer.UnprocessedItems?.[tableName] ?? [];
      return skipped.map(({ PutRequest }) => keyOf(PutRequest?.Item ?? {}));
    },
  };
}

type Response = NonNullable<WireAnswers['BatchExecuteStatement']['Responses']>[number];

function statementAnswer(response: Response | undefined): StatementAnswer | undefined {
  const error = response?.Error;
  if (response === undefined || error === undefined) return response && {};
  const item = error.Item === undefined ? undefined : itemOf(error.Item);
  return { code: error.Code ?? 'no code', message: error.Message, item };
}

function itemOf(stored: WireItem): Item {
  const attributes = Object.entries(stored).map(([name, value]) => [
    name,
    attributeOf(name, value),
  ]);
  return Object.fromEntries(attributes) as Item;
}

function attributeOf(name: string, { S, N, B, ...others }: WireValue): Attribute {
  if (S !== undefined) return S;
  if (N !== undefined) return Number(N);
  if (B !== undefined) return new Uint8Array(Buffer.from(B, 'base64'));
  throw new InvariantError(
    `attribute ${name}: got type ${show(Object.keys(others).join())}, expected S, N or B`,
  );
}

function keyOf({ pk, sk }: WireItem): ItemKey {
  return { pk: pk?.S ?? '', sk: sk?.S ?? '' };
}
