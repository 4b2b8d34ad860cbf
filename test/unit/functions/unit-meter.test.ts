import { expect, it } from 'vitest';
import { UnitMeter } from '../../../functions/shared/unit-meter.ts';
import { systemClock } from '../../../src/adapters/aws/clock.ts';
import { makeLeanClient } from '../../../src/adapters/aws/lean-client.ts';
import { makeLeanTable } from '../../../src/adapters/aws/lean-table.ts';

const consumed = (table: string, units: number) => ({ TableName: table, CapacityUnits: units });

/** A table whose requests are answered one after the other; it notes what they asked for. */
function tableWith(meter: UnitMeter, ...answers: object[]) {
  const asked: unknown[] = [];
  const client = makeLeanClient({
    endpoint: new URL('http://127.0.0.1:1'),
    region: 'eu-west-1',
    credentials: () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
    clock: systemClock,
    transport: async ({ body }) => {
      asked.push(JSON.parse(Buffer.from(body).toString()).ReturnConsumedCapacity);
      return { status: 200, body: Buffer.from(JSON.stringify(answers.shift() ?? {})) };
    },
    onUnits: (units, operation) => meter.note(units, operation),
  });
  return { table: makeLeanTable({ client, tableName: 'ledger', clock: systemClock }), asked };
}

it('adds up what each table billed, reads and writes apart, until it is taken', async () => {
  const meter = new UnitMeter();
  const { table, asked } = tableWith(
    meter,
    { ConsumedCapacity: consumed('ledger', 2) },
    { ConsumedCapacity: consumed('ledger', 0.5) },
    { ConsumedCapacity: [consumed('events', 3), consumed('ledger', 1)] },
    {},
  );
  const soon = { deadlineMs: Date.now() + 10_000 };
  const item = { pk: 'a', sk: 'b' };
  await table.putIf([{ item, condition: { type: 'absent' } }], soon);
  await table.query({ pk: 'a' }, soon);
  await table.putAll([item], soon);
  await table.putAll([item], soon);

  expect(asked).toEqual(['TOTAL', 'TOTAL', 'TOTAL', 'TOTAL']);
  expect(meter.take()).toEqual({
    ledger: { read: 0.5, write: 3 },
    events: { read: 0, write: 3 },
  });
  expect(meter.take()).toEqual({});
});
