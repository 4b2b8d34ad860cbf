import fc from 'fast-check';
import type { ConditionalWrite, Item, ItemKey, Table } from '../../src/ports/table.ts';

/** One call of a table. */
export type Operation =
  | { readonly type: 'get'; readonly keys: readonly ItemKey[] }
  | { readonly type: 'putIf'; readonly writes: readonly ConditionalWrite[] }
  | { readonly type: 'putAll'; readonly items: readonly Item[] }
  | {
      readonly type: 'query';
      readonly pk: string;
      readonly after?: string;
      readonly prefix?: string;
      readonly descending: boolean;
      readonly limit: number;
    };

const SORT_KEYS = ['a', 'a#1', 'a#2', 'B', 'e#000000000001', 'e#000000000002', 'é', '["x"]'];

const sk = fc.constantFrom(...SORT_KEYS);
/** Numbers that DynamoDB takes: 1e-130 to 9.9e125 in magnitude, or 0. */
const number = fc
  .double({ noNaN: true, min: -1e100, max: 1e100 })
  .map((one) => (Math.abs(one) < 1e-100 ? 0 : one));
const value = fc.oneof(fc.constantFrom('', 'x', 'é'), fc.integer(), number);

/**
 * Sequences of operations of every kind that the project uses, over few keys, so that they meet.
 *
 * @param run names the sequence's partition keys, so that sequences don't meet
 */
export function operations(run: string, length: number): fc.Arbitrary<readonly Operation[]> {
  const pk = fc.constantFrom(`${run}-1`, `${run}-2`);
  const key = fc.record({ pk, sk });
  const item = fc
    .record({ pk, sk, p: fc.integer({ min: 0, max: 3 }), s: value })
    // A number that JSON has no sign for stays as it is.
    .map((one): Item => ({ ...one, s: typeof one.s === 'number' ? one.s + 0 : one.s }));
  const distinct = {
    selector: (one: ItemKey) => `${one.pk}\n${one.sk}`,
    maxLength: 6,
    minLength: 1,
  };
  const condition: fc.Arbitrary<ConditionalWrite['condition']> = fc.oneof(
    fc.constant({ type: 'absent' } as const),
    fc
      .integer({ min: 0, max: 3 })
      .map((p) => ({ type: 'equals', attribute: 'p', value: p }) as const),
  );
  const writes = fc
    .uniqueArray(item, distinct)
    .chain((items) =>
      fc.tuple(...items.map((one) => condition.map((when) => ({ item: one, condition: when })))),
    );
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    { weight: 4, arbitrary: writes.map((some) => ({ type: 'putIf' as const, writes: some })) },
    fc.uniqueArray(item, distinct).map((items) => ({ type: 'putAll' as const, items })),
    {
      weight: 2,
      arbitrary: fc.uniqueArray(key, distinct).map((keys) => ({ type: 'get' as const, keys })),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({
          pk,
          bound: fc.oneof(sk, fc.constant(undefined)),
          isPrefix: fc.boolean(),
          descending: fc.boolean(),
          limit: fc.integer({ min: 1, max: 4 }),
        })
        .map(({ bound, isPrefix, ...rest }) => ({
          type: 'query' as const,
          ...rest,
          ...(bound === undefined ? {} : isPrefix ? { prefix: bound } : { after: bound }),
        })),
    },
  );
  return fc.array(operation, { minLength: length, maxLength: length });
}

/**
 * What a table answers to an operation, as far as the port promises it: the item found by a failed
 * condition may be left out, and where the last page ends is the service's to say.
 */
export async function answerOf(table: Table, operation: Operation): Promise<unknown> {
  const options = { deadlineMs: Date.now() + 20_000 };
  switch (operation.type) {
    case 'get':
      return table.get(operation.keys, options);
    case 'putIf':
      return (await table.putIf(operation.writes, options)).map(({ status }) => status);
    case 'putAll':
      return table.putAll(operation.items, options);
    default: {
      const { type: _type, ...query } = operation;
      return (await table.query(query, options)).items;
    }
  }
}
