import { App, Stack } from 'aws-cdk-lib';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { expect, it } from 'vitest';
import { permissions } from '../../lib/security/permissions.ts';
import { compile } from '../../src/core/compile.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import type { Table } from '../../src/ports/table.ts';
import { smallPipeline } from '../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record } from '../helpers/world.ts';

/** What src/adapters/aws/table.ts calls for each method of the port. */
const ACTIONS: Readonly<Record<keyof Table, readonly string[]>> = {
  get: ['dynamodb:BatchGetItem'],
  query: ['dynamodb:Query'],
  putIf: ['dynamodb:PutItem', 'dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate'],
  putAll: ['dynamodb:BatchWriteItem'],
};

function recording(table: Table, used: Set<string>): Table {
  const note = (name: keyof Table) => {
    for (const action of ACTIONS[name]) used.add(action);
  };
  return {
    get: (keys, options) => {
      note('get');
      return table.get(keys, options);
    },
    query: (query, options) => {
      note('query');
      return table.query(query, options);
    },
    putIf: (writes, options) => {
      note('putIf');
      return table.putIf(writes, options);
    },
    putAll: (items, options) => {
      note('putAll');
      return table.putAll(items, options);
    },
  };
}

/** The actions on the aggregates that a consumer takes: cold, warm, and after windows were closed. */
async function actionsTaken(closes: boolean): Promise<readonly string[]> {
  const pipeline = closes
    ? { ...smallPipeline, closing: { windows: ['places'], idle: '10 minutes' as const } }
    : smallPipeline;
  const world = makeWorld();
  const used = new Set<string>();
  const ports = { ...world, aggregates: recording(world.aggregates, used) };
  const consume = makeConsume(ports, compile(pipeline));
  const through = { pk: '1|closed', sk: '*', v: 1, t: NOON_MS * 2 };
  await world.aggregates.putAll([through], { deadlineMs: Number.POSITIVE_INFINITY });
  for (const sequence of [1, 2]) {
    const data = { place: 'ATL', at: NOON_MS, amount: 1 };
    const Records = ['p-0', 'p-1'].map((partitionKey, index) =>
      record({ sequence: sequence * 2 + index, data, partitionKey }),
    );
    await consume({ Records }, invocation(world));
  }
  return [...used].sort();
}

it.each([false, true])(
  'the consumer may do with the aggregates what it does, nothing else (closing: %s)',
  async (closes) => {
    const table = new TableV2(new Stack(new App(), 'Stack'), 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
    });
    const allowed = permissions.aggregates(table, closes).actions;
    expect(await actionsTaken(closes)).toEqual([...allowed].sort());
  },
);
