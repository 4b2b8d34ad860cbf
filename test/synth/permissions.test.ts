import { App, Stack } from 'aws-cdk-lib';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Bucket as S3Bucket } from 'aws-cdk-lib/aws-s3';
import { expect, it } from 'vitest';
import { permissions } from '../../lib/security/permissions.ts';
import { compile } from '../../src/core/compile.ts';
import { QUARANTINE_PREFIX, REDRIVE_PREFIX } from '../../src/core/contract.ts';
import type { Program } from '../../src/core/program.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import { makeRedrive } from '../../src/handlers/redrive.ts';
import { makeReplay } from '../../src/handlers/replay.ts';
import type { Bucket } from '../../src/ports/bucket.ts';
import type { Table } from '../../src/ports/table.ts';
import { PROGRAMS } from '../helpers/replay-pipelines.ts';
import { makeReplayWorld } from '../helpers/replay-world.ts';
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

/** What src/adapters/aws/bucket.ts calls for each method of the port, and on what. */
function recordingBucket(bucket: Bucket, used: Set<string>): Bucket {
  const prefix = (key: string) => /^[^/]+\/[^/]+\//.exec(key)?.[0] ?? key;
  return {
    put: (key, ...rest) => {
      used.add(`s3:PutObject ${prefix(key)}`);
      return bucket.put(key, ...rest);
    },
    get: (key, options) => {
      used.add(`s3:GetObject ${prefix(key)}`);
      return bucket.get(key, options);
    },
    list: (query, options) => {
      used.add('s3:ListBucket');
      return bucket.list(query, options);
    },
  };
}

/** What a redrive does: a look, a job that is folded, and one whose event a pipeline refuses that was changed. */
async function redriveTaken() {
  const pipeline = {
    ...smallPipeline,
    closing: { windows: ['places'], idle: '10 minutes' as const },
  };
  const program = compile(pipeline);
  const issues = [{ path: '', message: 'no' }];
  const refusing: Program = { ...program, validate: () => ({ ok: false, issues }) };
  const world = makeWorld();
  const through = { pk: '1|closed', sk: '*', v: 1, t: NOON_MS * 2 };
  await world.aggregates.putAll([through], { deadlineMs: Number.POSITIVE_INFINITY });
  const data = { place: 'ATL', at: NOON_MS, amount: 1 };
  const Records = [1, 2].map((sequence) => record({ sequence, data }));
  await makeConsume(world, refusing)({ Records }, invocation(world));
  const used = {
    aggregates: new Set<string>(),
    ledger: new Set<string>(),
    events: new Set<string>(),
    quarantineIndex: new Set<string>(),
    objects: new Set<string>(),
  };
  const ports = {
    ...world,
    aggregates: recording(world.aggregates, used.aggregates),
    ledger: recording(world.ledger, used.ledger),
    events: recording(world.events, used.events),
    quarantineIndex: recording(world.quarantineIndex, used.quarantineIndex),
    quarantine: recordingBucket(world.quarantine, used.objects),
  };
  const choice = { fromMs: 0, toMs: NOON_MS * 2, reason: undefined, limit: 1 };
  for (const job of [1, 2]) {
    const redrive = makeRedrive(ports, program);
    await redrive({ action: 'ask', choice, by: 'me' }, invocation(world));
    const planned = makeRedrive(ports, program, { sliceMs: job === 2 ? 0 : 10_000 });
    await planned({ action: 'run', job }, invocation(world));
  }
  await makeRedrive(ports, refusing)({ action: 'run', job: 2 }, invocation(world));
  return used;
}

it('what brings events back may do what it does, nothing else', async () => {
  const { aggregates, ledger, events, quarantineIndex, objects } = await redriveTaken();
  const stack = new Stack(new App(), 'Stack');
  const table = new TableV2(stack, 'Table', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
  });
  const bucket = new S3Bucket(stack, 'Bucket');
  const sorted = (some: Iterable<string>) => [...some].sort();
  expect(sorted(aggregates)).toEqual(sorted(permissions.aggregates(table, true).actions));
  // One item at a time: no PartiQL.
  const single = [...ledger].filter((action) => !action.includes('PartiQL'));
  expect(sorted(single)).toEqual(sorted(permissions.ledger(table).actions));
  expect(sorted(events)).toEqual(permissions.putOnly('x', table).actions);
  expect(sorted(quarantineIndex)).toEqual(permissions.putOnly('x', table).actions);
  const { actions, resources } = permissions.redriveObjects(bucket, 'small', '1');
  const allowed = [QUARANTINE_PREFIX, REDRIVE_PREFIX].flatMap((prefix) =>
    actions.map((action) => `${action} ${prefix}small/`),
  );
  expect(resources).toHaveLength(2);
  expect(sorted(objects)).toEqual(
    sorted([...allowed, ...permissions.quarantineNames(bucket).actions]),
  );
});

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

/** A bucket that notes which of its methods are called. */
function noting(bucket: Bucket, used: Set<string>): Bucket {
  return {
    put: (...args) => {
      used.add('s3:PutObject');
      return bucket.put(...args);
    },
    get: (...args) => {
      used.add('s3:GetObject');
      return bucket.get(...args);
    },
    list: (...args) => {
      used.add('s3:ListBucket');
      return bucket.list(...args);
    },
  };
}

it('a replay does with the archive and both ledgers what it may', async () => {
  const stack = new Stack(new App(), 'Stack');
  const table = new TableV2(stack, 'Table', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
  });
  const world = makeReplayWorld();
  await world.store([{ sequence: 1 }, { sequence: 2, partition: 1 }]);
  const [ledger, source, archive] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const ports = {
    ...world.ports,
    ledger: recording(world.ledger, ledger),
    source: recording(world.source, source),
    archive: noting(world.archive, archive),
  };
  const replay = makeReplay(ports, PROGRAMS.live, { name: 'all', fromMs: 0 });

  const report = await replay({ seconds: 60 }, invocation(world));

  expect(report).toMatchObject({ state: 'complete', accepted: 2 });
  const allowed = permissions.ledger(table).actions;
  expect(
    [...ledger].filter((action) => !allowed.includes(action) && !/PartiQL/.test(action)),
  ).toEqual([]);
  expect([...source]).toEqual(permissions.replaySource(table).actions);
  expect([...archive].sort()).toEqual(['s3:GetObject', 's3:ListBucket']);
});
