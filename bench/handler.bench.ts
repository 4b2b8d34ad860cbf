/**
 * CPU of the handler an event, as a ratio to the least that any consumer of Kinesis does: base64 and
 * JSON.parse of the same records. Real flights in batches of 1,000; both are measured batch by batch,
 * in turn, in one process. Tables are stubs that take everything at once: no SDK, no network.
 * Write units come from a second pass over tables that count as DynamoDB bills.
 */
import { availableParallelism, cpus } from 'node:os';
import { makeMemoryBucket } from '../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../src/adapters/memory/table.ts';
import { partitionKey } from '../src/core/partition.ts';
import type { Program } from '../src/core/program.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import type { KinesisBatch } from '../src/handlers/kinesis-batch.ts';
import type { Outlet } from '../src/ports/outlet.ts';
import type { Table } from '../src/ports/table.ts';
import { loadFlights } from './lib/flight-feed.ts';

const EVENTS = 50_000;
const BATCH = 1_000;
const WARM_UP_ROUNDS = 2;
const ROUNDS = 8;
/** The baseline is repeated within a sample: alone it is too short for the clock of the CPU. */
const BASE_REPEATS = 5;
const NOW_MS = Date.UTC(2026, 10, 24, 12);

async function load(): Promise<{ program: Program; batches: readonly KinesisBatch[] }> {
  const { program, events } = await loadFlights(EVENTS, NOW_MS);
  const records = events.map(({ bytes, partition = 0 }, index) => ({
    eventID: `shardId-000000000000:${index + 1}`,
    kinesis: {
      partitionKey: partitionKey(partition),
      sequenceNumber: String(index + 1),
      data: Buffer.from(bytes).toString('base64'),
      approximateArrivalTimestamp: NOW_MS / 1000,
    },
  }));
  const batches = Array.from({ length: EVENTS / BATCH }, (_, index) => ({
    Records: records.slice(index * BATCH, (index + 1) * BATCH),
  }));
  return { program, batches };
}

/** Takes everything, remembers nothing. */
const sink: Table = {
  get: async (keys) => keys.map(() => ({ status: 'read', item: undefined })),
  query: async () => ({ items: [], next: undefined }),
  putIf: async (writes) => writes.map(() => ({ status: 'written' })),
  putAll: async (items) => items.map(() => ({ status: 'written' })),
};

/** The stream of the pipeline that flights feed. */
const fed: Outlet = {
  send: async (records) => records.map(() => ({ status: 'taken', shard: '', sequence: '0' })),
};

function portsWith(tables: Readonly<Record<'ledger' | 'aggregates' | 'events', Table>>) {
  return {
    clock: makeSkippingClock(NOW_MS),
    random: makeSeededRandom(1),
    stream: makeMemoryStream({ arn: 'arn:aws:kinesis:eu-west-1:1:stream/s', createdMs: 1 }),
    quarantineIndex: sink,
    quarantine: makeMemoryBucket(),
    outlets: { late: { outlet: fed, partitions: 4 } },
    ...tables,
  };
}

/** The id key is read back after it was made, so the ledger has to remember that one item. */
function ledgerSink(): Table {
  const memory = makeMemoryTable();
  const isKey = ({ pk }: { readonly pk: string }) => pk === 'id-key';
  return {
    ...sink,
    get: (keys, options) =>
      keys.every(isKey) ? memory.get(keys, options) : sink.get(keys, options),
    putIf: (writes, options) =>
      writes.every(({ item }) => isKey(item))
        ? memory.putIf(writes, options)
        : sink.putIf(writes, options),
  };
}

function baseline(batch: KinesisBatch): number {
  let fields = 0;
  for (const { kinesis } of batch.Records) {
    const event: object = JSON.parse(Buffer.from(kinesis.data, 'base64').toString());
    fields += 'data' in event ? 1 : 0;
  }
  return fields;
}

async function cpuUs(run: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

interface Sample {
  readonly base: number;
  readonly handler: number;
}

/** One pass over all batches with a fresh container; the first batches of a round warm its caches. */
async function round(program: Program, batches: readonly KinesisBatch[]): Promise<Sample> {
  const ports = portsWith({ ledger: ledgerSink(), aggregates: sink, events: sink });
  const consume = makeConsume(ports, program);
  const sample = { base: 0, handler: 0 };
  for (const batch of batches) {
    sample.base +=
      (await cpuUs(() => {
        for (let repeat = 0; repeat < BASE_REPEATS; repeat += 1) baseline(batch);
      })) / BASE_REPEATS;
    sample.handler += await cpuUs(() =>
      consume(batch, { requestId: 'r', deadlineMs: NOW_MS + 60_000 }),
    );
  }
  return sample;
}

async function writeUnits(program: Program, batches: readonly KinesisBatch[]) {
  const tables = {
    ledger: makeMemoryTable(),
    aggregates: makeMemoryTable(),
    events: makeMemoryTable(),
  };
  const consume = makeConsume(portsWith(tables), program);
  for (const batch of batches) {
    await consume(batch, { requestId: 'r', deadlineMs: NOW_MS + 60_000 });
  }
  return Object.fromEntries(
    Object.entries(tables).map(([name, table]) => [name, table.usage.writeUnits / EVENTS]),
  );
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  const [low, middle, high] = [0, 0.5, 1].map((share) => quantile(sorted, share).toFixed(2));
  return `${middle} (${low} to ${high})`;
}

const { program, batches } = await load();
const samples: Sample[] = [];
for (let number = 0; number < WARM_UP_ROUNDS + ROUNDS; number += 1) {
  const sample = await round(program, batches);
  if (number >= WARM_UP_ROUNDS) samples.push(sample);
  process.stderr.write(`round ${number + 1} of ${WARM_UP_ROUNDS + ROUNDS}\n`);
}
const units = await writeUnits(program, batches);

console.log(
  `machine      ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`,
);
console.log(
  `input        ${EVENTS} flights in batches of ${BATCH}, ${ROUNDS} rounds; median (least to greatest)`,
);
console.log(
  `baseline     ${spread(samples.map(({ base }) => base / EVENTS))} us of CPU an event: base64, JSON.parse`,
);
console.log(
  `handler      ${spread(samples.map(({ handler }) => handler / EVENTS))} us of CPU an event`,
);
console.log(`ratio        ${spread(samples.map(({ base, handler }) => handler / base))}`);
for (const [name, value] of Object.entries(units)) {
  console.log(`write units  ${value.toFixed(3)} an event: ${name}`);
}
