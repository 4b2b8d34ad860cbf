import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/aws/clock.ts';
import { makeAwsTable } from '../../src/adapters/aws/table.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import { type Emulator, startEmulator } from '../../src/local/emulator.ts';
import { missingDynamoDbLocal, startDynamoDbLocal } from '../helpers/dynamodb-local.ts';
import { makeDynamoDbTable } from '../helpers/dynamodb-table.ts';
import { answerOf, operations } from '../helpers/random-operations.ts';

/** Operations that are tried on each service; more of them by hand. */
const OPERATIONS = Number(process.env.MILLRACE_OPERATIONS ?? 10_000);
const LENGTH = 50;

/** The same random calls on both: every answer is the same. */
async function compare(client: DynamoDBClient): Promise<void> {
  const real = makeAwsTable({ client, tableName: 'model', clock: systemClock });
  let number = 0;
  const sequence = fc.gen();
  await fc.assert(
    fc.asyncProperty(sequence, async (gen) => {
      number += 1;
      const model = makeMemoryTable();
      for (const operation of gen(operations, `r${number}`, LENGTH)) {
        expect(await answerOf(real, operation)).toEqual(await answerOf(model, operation));
      }
    }),
    { numRuns: Math.ceil(OPERATIONS / LENGTH), endOnFailure: true },
  );
}

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-model-'));
let emulator: Emulator | undefined;

beforeAll(async () => {
  emulator = await startEmulator({ directory });
});

afterAll(async () => {
  await emulator?.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe(`the memory table, over ${OPERATIONS} random operations`, () => {
  it('answers as the local cloud does', async () => {
    await compare(await makeDynamoDbTable(emulator?.endpoint ?? '', 'model'));
  }, 240_000);

  it('answers as DynamoDB Local does', async ({ skip }) => {
    const missing = missingDynamoDbLocal();
    skip(missing !== undefined, missing);
    const local = await startDynamoDbLocal();
    try {
      await compare(await makeDynamoDbTable(local.endpoint, 'model'));
    } finally {
      await local.stop();
    }
  }, 400_000);
});
