/**
 * Units that DynamoDB bills an event, counted by the memory tables as DynamoDB counts them ("Item sizes and
 * formats"), for the streams of bench/lib/flight-streams.ts. No time is measured: the same input gives the
 * same figures. test/e2e compares the count with what the local cloud answers as ConsumedCapacity.
 */
import { makeMemoryBucket } from '../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../src/adapters/memory/table.ts';
import { compile } from '../src/core/compile.ts';
import { bucketOf, packPartition } from '../src/core/layout.ts';
import { partitionOf } from '../src/core/partition.ts';
import { REGISTRY_KEY } from '../src/core/registry.ts';
import { type Consume, makeConsume } from '../src/handlers/consume.ts';
import type { KinesisBatch } from '../src/handlers/kinesis-batch.ts';
import { batchesOf, flightStream, hourPipeline, type StreamKind } from './lib/flight-streams.ts';

const NOW_MS = Date.UTC(2026, 10, 25, 12);
const BATCH = 1_000;

function makeTables() {
  return {
    ledger: makeMemoryTable(),
    aggregates: makeMemoryTable(),
    events: makeMemoryTable(),
    quarantineIndex: makeMemoryTable(),
  };
}

type Tables = ReturnType<typeof makeTables>;

function container(pipeline: ReturnType<typeof hourPipeline>, tables: Tables): Consume {
  const ports = {
    clock: makeSkippingClock(NOW_MS),
    random: makeSeededRandom(1),
    stream: makeMemoryStream({ arn: 'arn:aws:kinesis:eu-west-1:1:stream/s', createdMs: 1 }),
    quarantine: makeMemoryBucket(),
    ...tables,
  };
  return makeConsume(ports, compile(pipeline));
}

/** Runs batches through containers, a seeded choice of which takes each, and gives the tables. */
async function run(
  pipeline: ReturnType<typeof hourPipeline>,
  batches: readonly KinesisBatch[],
  containers = 1,
): Promise<Tables> {
  const tables = makeTables();
  const random = makeSeededRandom(3);
  const warm = Array.from({ length: containers }, () => container(pipeline, tables));
  for (const batch of batches) {
    const consume = warm[Math.floor(random.next() * warm.length)];
    await consume?.(batch, { requestId: 'r', deadlineMs: NOW_MS + 60_000 });
  }
  return tables;
}

function line(what: string, value: number, goal: number): void {
  const verdict = value <= goal ? 'met' : 'missed';
  console.log(
    `${what.padEnd(64)} ${value.toFixed(4).padStart(8)}   goal ${goal.toFixed(3)}  ${verdict}`,
  );
}

async function aggregates(kind: StreamKind, goal: number): Promise<void> {
  for (const partitions of [1, 4]) {
    const rows = flightStream(kind);
    const batches = batchesOf(rows, { size: BATCH, partitions, nowMs: NOW_MS });
    const { aggregates: table } = await run(hourPipeline(partitions), batches);
    line(
      `aggregates, ${kind}, ${partitions} writers: write units`,
      table.usage.writeUnits / rows.length,
      goal,
    );
    console.log(`  read units ${(table.usage.readUnits / rows.length).toFixed(4)}`);
  }
}

async function ledger(): Promise<void> {
  const rows = flightStream('dense');
  const four = batchesOf(rows, { size: BATCH, partitions: 4, nowMs: NOW_MS });
  const warm = (await run(hourPipeline(4), four)).ledger.usage;
  line(
    'ledger, 1,000-record batches, 4 writers: write units',
    warm.writeUnits / rows.length,
    0.015,
  );
  const changing = (await run(hourPipeline(4), four, 3)).ledger.usage;
  console.log(
    `  read units: one container ${(warm.readUnits / rows.length).toFixed(4)}, three in turn ${(changing.readUnits / rows.length).toFixed(4)}`,
  );
  const some = rows.slice(0, 5_000);
  const ten = batchesOf(some, { size: 10, partitions: 1, nowMs: NOW_MS });
  const slow = (await run(hourPipeline(1), ten, 3)).ledger.usage;
  line(
    'ledger, 10 events/s in one writer, 1 s window, three containers: write units',
    slow.writeUnits / some.length,
    0.2,
  );
  console.log(`  read units, cold loads included ${(slow.readUnits / some.length).toFixed(4)}`);
}

async function events(layout: 'each' | 'packed', goal: number): Promise<void> {
  for (const kind of ['dense', 'sparse'] as const) {
    for (const index of [true, false]) {
      const rows = flightStream(kind);
      const batches = batchesOf(rows, { size: BATCH, partitions: 4, nowMs: NOW_MS });
      const tables = await run(hourPipeline(4, { events: { layout, index } }), batches);
      const units = tables.events.usage.writeUnits / rows.length;
      line(
        `events ${layout}, ${kind}, ${index ? 'with index' : 'without'}: write units`,
        units,
        goal,
      );
    }
  }
}

/** One origin's hours of the last days, as a reader asks: one eventually consistent query, half units. */
async function series(): Promise<void> {
  const pipeline = hourPipeline(4);
  const [aggregate] = compile(pipeline).aggregates;
  const rows = flightStream('dense');
  const tables = await run(
    pipeline,
    batchesOf(rows, { size: BATCH, partitions: 4, nowMs: NOW_MS }),
  );
  const writers = tables.ledger.items().filter(({ pk }) => pk === REGISTRY_KEY);
  const writer = writers.find(({ sk }) => sk.endsWith(`p${partitionOf('ATL', 4)}`))?.sk ?? '';
  if (aggregate === undefined) return;
  const pk = packPartition(aggregate.name, writer, bucketOf(aggregate.layout, '["ATL"]'));
  const windows = new Set(rows.map(({ at }) => Math.floor(at / aggregate.layout.gridMs))).size;
  const before = tables.aggregates.usage.readUnits;
  let query: Parameters<Tables['aggregates']['query']>[0] | undefined = { pk };
  while (query !== undefined) {
    const page = await tables.aggregates.query(query, { deadlineMs: NOW_MS });
    query = page.next === undefined ? undefined : { pk, after: page.next };
  }
  const units = (tables.aggregates.usage.readUnits - before) / 2;
  line(`one group's series of ${windows} windows: read units for 10`, (units * 10) / windows, 1);
}

await aggregates('dense', 0.02);
await aggregates('sparse', 0.1);
await ledger();
await events('each', 1.05);
await events('packed', 0.06);
await series();
