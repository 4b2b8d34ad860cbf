import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toAttributeValues } from '../../src/adapters/aws/attribute-value.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import type { Item } from '../../src/ports/table.ts';
import { missingDynamoDbLocal, startDynamoDbLocal } from '../helpers/dynamodb-local.ts';
import { makeDynamoDbTable } from '../helpers/dynamodb-table.ts';

/** Items as this project stores them: texts, whole numbers, bytes. */
const item: fc.Arbitrary<Item> = fc
  .record({
    p: fc.string({ unit: 'binary', maxLength: 80 }),
    v: fc.nat({ max: 9 }),
    ttl: fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }),
    d: fc.uint8Array({ minLength: 1, maxLength: 9_000 }),
  })
  .map((one) => ({ ...one, pk: 'pk', sk: 'sk' }));

const deadlineMs = Number.POSITIVE_INFINITY;

it('units are counted as DynamoDB Local answers them as ConsumedCapacity', async ({ skip }) => {
  const missing = missingDynamoDbLocal();
  skip(missing !== undefined, missing);
  const local = await startDynamoDbLocal();
  try {
    const client = await makeDynamoDbTable(local.endpoint, 'units');
    const common = { TableName: 'units', ReturnConsumedCapacity: 'TOTAL' } as const;
    const table = makeMemoryTable();
    await fc.assert(
      fc.asyncProperty(item, async (one) => {
        const before = { ...table.usage };
        const Item = toAttributeValues(one);
        const put = await client.send(new PutItemCommand({ ...common, Item }));
        await table.putAll([one], { deadlineMs });
        expect(table.usage.writeUnits - before.writeUnits).toBe(
          put.ConsumedCapacity?.CapacityUnits,
        );
        const read = await client.send(
          new QueryCommand({
            ...common,
            ConsistentRead: true,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: 'pk' } },
          }),
        );
        await table.query({ pk: 'pk' }, { deadlineMs });
        expect(table.usage.readUnits - before.readUnits).toBe(read.ConsumedCapacity?.CapacityUnits);
      }),
      { numRuns: 100 },
    );
  } finally {
    await local.stop();
  }
}, 300_000);
