/**
 * The archiver: requests, bytes and CPU of a thousand records, from batches as Lambda's mapping makes
 * them. Real flights with sequence numbers of the length that Kinesis has; the bucket and the table are
 * in memory, so that the SDK and the network are left out. Table units are counted as DynamoDB bills.
 */
import { availableParallelism, cpus } from 'node:os';
import { constants, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { makeMemoryBucket } from '../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../src/adapters/memory/table.ts';
import { partitionKey } from '../src/core/partition.ts';
import type { ProgramSettings } from '../src/core/program.ts';
import { type ArchiveReport, makeArchive } from '../src/handlers/archive.ts';
import type { KinesisBatch } from '../src/handlers/kinesis-batch.ts';
import { loadFlights } from './lib/flight-feed.ts';

const EVENTS = 50_000;
/** A quiet stream, the consumer's batch, and what 6 MB of payload hold of flights. */
const BATCHES = [100, 1_000, 8_000];
const ROUNDS = 8;
const COMPRESSION_LEVEL = constants.ZSTD_c_compressionLevel;
const NOW_MS = Date.UTC(2026, 10, 24, 12);
/** Kinesis' numbers have 56 digits and grow by amounts that can't be foretold. */
const SEQUENCE_BASE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;

type Records = KinesisBatch['Records'];

async function load(): Promise<{ readonly settings: ProgramSettings; readonly records: Records }> {
  const { program, events } = await loadFlights(EVENTS, NOW_MS);
  const random = makeSeededRandom(1);
  let sequence = SEQUENCE_BASE;
  const records = events.map(({ bytes, partition = 0 }, index) => {
    sequence += BigInt(1 + Math.floor(random.next() * 2 ** 40)) * 4_096n;
    return {
      eventID: `shardId-000000000000:${sequence}`,
      kinesis: {
        partitionKey: partitionKey(partition),
        sequenceNumber: String(sequence),
        data: Buffer.from(bytes).toString('base64'),
        approximateArrivalTimestamp: (NOW_MS + index) / 1000,
      },
    };
  });
  return { settings: program.settings, records };
}

/** One pass over all records; what it cost. */
async function pass(settings: ProgramSettings, records: Records, size: number) {
  const ports = {
    clock: makeSkippingClock(NOW_MS + EVENTS),
    random: makeSeededRandom(1),
    stream: makeMemoryStream({ arn: 'arn:aws:kinesis:eu-west-1:1:stream/s', createdMs: 1 }),
    ledger: makeMemoryTable(),
    archive: makeMemoryBucket(),
  };
  const archive = makeArchive(ports, settings);
  const before = process.cpuUsage();
  const reports: ArchiveReport[] = [];
  for (let from = 0; from < records.length; from += size) {
    const batch = { Records: records.slice(from, from + size) };
    const invocation = { requestId: 'bench', deadlineMs: Number.POSITIVE_INFINITY };
    reports.push((await archive(batch, invocation)).report);
  }
  const { user, system } = process.cpuUsage(before);
  const sum = (of: (report: ArchiveReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    cpuUs: (user + system) / records.length,
    objects: sum(({ objects }) => objects),
    bytes: sum(({ bytes }) => bytes),
    rawBytes: sum(({ rawBytes }) => rawBytes),
    usage: ports.ledger.usage,
    bodies: [...ports.archive.objects.values()],
  };
}

function median(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
  return `${at(0.5)} (${at(0)} to ${at(1)})`;
}

/** Gzip at its best over the same lines, for comparison. */
function gzipOf(bodies: readonly Uint8Array[]): { readonly bytes: number; readonly cpuUs: number } {
  const lines = bodies.map((body) => zstdDecompressSync(body));
  const before = process.cpuUsage();
  const bytes = lines.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0);
  const { user, system } = process.cpuUsage(before);
  return { bytes, cpuUs: user + system };
}

/** What the archiver uses, alone. */
function zstdUs(bodies: readonly Uint8Array[]): number {
  const lines = bodies.map((body) => zstdDecompressSync(body));
  const before = process.cpuUsage();
  for (const text of lines) zstdCompressSync(text, { params: { [COMPRESSION_LEVEL]: 6 } });
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const { settings, records } = await load();
console.log(
  `${EVENTS} flights, ${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}`,
);
for (const size of BATCHES) {
  await pass(settings, records, size);
  const passes = [];
  for (let round = 0; round < ROUNDS; round += 1) passes.push(await pass(settings, records, size));
  const [one] = passes;
  if (one === undefined) continue;
  const thousands = records.length / 1_000;
  const each = (total: number, digits = 1) => (total / records.length).toFixed(digits);
  const gzip = gzipOf(one.bodies);
  console.log(`batches of ${size}`);
  console.log(`  CPU a record, us: ${median(passes.map(({ cpuUs }) => cpuUs))}`);
  console.log(`  a record: ${each(one.rawBytes, 0)} bytes sent, ${each(one.bytes)} archived`);
  console.log(
    `  compression alone: ${each(zstdUs(one.bodies))} us; gzip -9: ${each(gzip.cpuUs)} us, ${each(gzip.bytes)} bytes`,
  );
  console.log(`  an object: ${(one.bytes / one.objects / 1024).toFixed(0)} KB`);
  const a = (count: number) => (count / thousands).toFixed(2);
  console.log(
    `  a thousand records: ${a(one.objects)} PUT, ${a(one.usage.writeUnits)} write and ${a(one.usage.readUnits)} read units`,
  );
}
