/**
 * Memory over time: the handler at full speed for some minutes (first argument, default 10), with events that move on in
 * time, groups that come and go, and ids of 30 minutes. Prints the heap after a collection, ten times a run; then what a
 * million cells and a full horizon take. Run with `node --expose-gc bench/soak.bench.ts 10`.
 */
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { compile } from '../src/core/compile.ts';
import type { AnyPipeline } from '../src/core/pipeline/types.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import type { KinesisBatch } from '../src/handlers/kinesis-batch.ts';
import { loadDecoder } from '../src/project/decoder.ts';
import { machine } from './lib/measure.ts';
import { leanTable } from './lib/mock-dynamo.ts';
import { spreadBatches, spreadPipeline } from './lib/spread-stream.ts';
import { portsAround, remembersKey } from './lib/stub-ports.ts';

const minutes = Number(process.argv[2] ?? 10);
/** Share of the million cells that the footprint is taken of, second argument; default all. */
const share = Number(process.argv[3] ?? 1);
const NOW_MS = Date.UTC(2026, 10, 24, 12);
const PARTITIONS = 4;
/** Time of the stream that a batch of a thousand stands for: a thousand events a second. */
const BATCH_MS = 1_000;
const collect = globalThis.gc;
if (collect === undefined) throw new Error('run with node --expose-gc');

const clock = makeSkippingClock(NOW_MS);

async function consumer(cellsMax: number, groups: number) {
  const pipeline = spreadPipeline({ partitions: PARTITIONS, groups }) as unknown as AnyPipeline;
  const program = compile(pipeline, new Map(), { makeDecoder: (await loadDecoder(pipeline)).make });
  const table = leanTable(clock);
  const tables = { ledger: remembersKey(table), aggregates: table, events: table };
  const ports = { ...portsAround(tables, NOW_MS), clock };
  return makeConsume(ports, program, { cellsMax });
}

/** Batches one after the other, for ever: each with ids, positions and times of its own. */
function* batches(groups: number, perWriter: number): Generator<KinesisBatch> {
  for (let number = 0; ; number += 1) {
    const nowMs = NOW_MS + number * BATCH_MS;
    const [batch] = spreadBatches({
      partitions: PARTITIONS,
      groups,
      hot: 0,
      perWriter,
      batches: 1,
      nowMs,
      from: number * PARTITIONS * perWriter,
    });
    if (batch !== undefined) yield batch;
  }
}

function heapMb(): number {
  collect?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

function residentMb(): number {
  return process.memoryUsage().rss / 2 ** 20;
}

async function soak(): Promise<void> {
  const consume = await consumer(200_000, 50_000);
  const startMs = Date.now();
  const endMs = startMs + minutes * 60_000;
  let nextMs = startMs;
  let events = 0;
  for (const batch of batches(50_000, 250)) {
    await consume(batch, { requestId: 'r', deadlineMs: clock.now() + 60_000 });
    clock.advance(BATCH_MS);
    events += batch.Records.length;
    if (Date.now() >= nextMs) {
      const passed = ((Date.now() - startMs) / 60_000).toFixed(1);
      console.log(
        `${passed} min  ${events} events  heap ${heapMb().toFixed(0)} MB  resident ${residentMb().toFixed(0)} MB`,
      );
      nextMs += (minutes * 60_000) / 10;
    }
    if (Date.now() >= endMs) break;
  }
}

/** A million groups seen once and more, a thousand events a second for 30 minutes: 1.8 million ids. */
async function footprint(): Promise<void> {
  const before = heapMb();
  const consume = await consumer(1_000_000, 1_000_000 * share);
  let held = { cells: 0, ids: 0 };
  let events = 0;
  for (const batch of batches(1_000_000 * share, 2_000)) {
    const { report } = await consume(batch, { requestId: 'r', deadlineMs: clock.now() + 60_000 });
    clock.advance(BATCH_MS);
    held = { cells: report.held.cells, ids: report.held.ids };
    events += batch.Records.length;
    if (events >= 1_800_000 * share) break;
  }
  console.log(
    `footprint  ${held.cells} cells and ${held.ids} ids: heap ${(heapMb() - before).toFixed(0)} MB above the start, resident ${residentMb().toFixed(0)} MB`,
  );
}

console.log(machine());
if (minutes > 0) await soak();
await footprint();
