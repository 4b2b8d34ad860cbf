import { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { makeLeanClient } from '../../src/adapters/aws/lean-client.ts';
import { makeLeanTable } from '../../src/adapters/aws/lean-table.ts';
import { makeAwsTable } from '../../src/adapters/aws/table.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Table } from '../../src/ports/table.ts';

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 'token'.repeat(100),
};

/** What DynamoDB answers when all is well, by operation. */
function answerTo(target: string, body: string): string {
  if (!target.endsWith('BatchExecuteStatement')) return '{}';
  // A statement has one text; an empty answer each says that it went through.
  const count = body.split('"Statement":').length - 1;
  return `{"Responses":[${Array.from({ length: count }, () => '{}').join()}]}`;
}

/** A table by the SDK whose HTTP is answered at once: serialised, signed, never sent. */
export function sdkTable(clock: Clock): Table {
  const client = new DynamoDBClient({
    region: 'eu-west-1',
    credentials,
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: { headers: Record<string, string>; body: string | Uint8Array }) => {
        const text = typeof request.body === 'string' ? request.body : String(request.body);
        const body = Readable.from([
          Buffer.from(answerTo(String(request.headers['x-amz-target']), text)),
        ]);
        return { response: { statusCode: 200, headers: {}, body } };
      },
    } as never,
  });
  return makeAwsTable({ client, tableName: 'table', clock });
}

/** The same by our own client. */
export function leanTable(clock: Clock): Table {
  const client = makeLeanClient({
    endpoint: new URL('https://dynamodb.eu-west-1.amazonaws.com'),
    region: 'eu-west-1',
    credentials: () => credentials,
    clock,
    transport: async ({ headers, body }) => {
      const target = String(headers['x-amz-target']);
      const text = target.endsWith('BatchExecuteStatement') ? Buffer.from(body).toString() : '';
      return { status: 200, body: Buffer.from(answerTo(target, text)) };
    },
  });
  return makeLeanTable({ client, tableName: 'table', clock });
}
