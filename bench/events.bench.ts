/**
 * CPU an event, as ratios to the least that any consumer of Kinesis does: base64 and JSON.parse of the same
 * records. Streams of bench/lib/flight-streams.ts in batches of 1,000; all variants take turns batch by batch. The first
 * argument, dense or sparse, leaves the other stream out.
 */
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { compile } from '../src/core/compile.ts';
import { decode } from '../src/core/decode.ts';
import type { AnyPipeline } from '../src/core/pipeline/types.ts';
import type { Program } from '../src/core/program.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import type { KinesisBatch } from '../src/handlers/kinesis-batch.ts';
import type { ConsumePorts } from '../src/handlers/ports.ts';
import { loadDecoder } from '../src/project/decoder.ts';
import { batchesOf, flightStream, hourPipeline, type StreamKind } from './lib/flight-streams.ts';
import { compared, interleave, machine, showSpread, type Variant } from './lib/measure.ts';
import { leanTable, sdkTable } from './lib/mock-dynamo.ts';
import { parseAll } from './lib/real-flights.ts';
import { portsAround, remembersKey, sinkPorts } from './lib/stub-ports.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const BATCH = 1_000;
const ROUNDS = 5;
const BASE = 'base64 and JSON.parse';

function decodeAndValidate(program: Program, batch: KinesisBatch): number {
  let valid = 0;
  for (const { kinesis } of batch.Records) {
    const { data } = decode(Buffer.from(kinesis.data, 'base64'), program.format);
    valid += program.validate(data).ok ? 1 : 0;
  }
  return valid;
}

/** What the handler's tables are: sinks, or DynamoDB with its HTTP answered at once. */
type Store = 'sink' | 'sdk' | 'lean';

function portsOf(store: Store): ConsumePorts {
  if (store === 'sink') return sinkPorts(NOW_MS);
  const table = (store === 'sdk' ? sdkTable : leanTable)(makeSkippingClock(NOW_MS));
  return portsAround({ ledger: remembersKey(table), aggregates: table, events: table }, NOW_MS);
}

function handler(
  { name, store = 'sink' }: { readonly name: string; readonly store?: Store },
  program: Program,
  batches: readonly KinesisBatch[],
): Variant {
  return {
    name,
    make: () => {
      const consume = makeConsume(portsOf(store), program);
      return (index) =>
        consume(batches[index] ?? { Records: [] }, {
          requestId: 'r',
          deadlineMs: NOW_MS + 60_000,
        });
    },
  };
}

/** As the planner does it: what the generated decoder leaves takes the reference path. */
function decodeQuickly(program: Program, batch: KinesisBatch): number {
  let valid = 0;
  for (const { kinesis } of batch.Records) {
    const bytes = Buffer.from(kinesis.data, 'base64');
    if (program.decodeQuickly?.(bytes) !== undefined) valid += 1;
    else valid += program.validate(decode(bytes, program.format).data).ok ? 1 : 0;
  }
  return valid;
}

/** The same events with a space behind each colon and comma, as some serialisers write them. */
function withSpaces({ Records }: KinesisBatch): KinesisBatch {
  return {
    Records: Records.map((record) => {
      const text = Buffer.from(record.kinesis.data, 'base64').toString();
      const spaced = text.replaceAll('":', '": ').replaceAll(',"', ', "');
      const data = Buffer.from(spaced).toString('base64');
      return { ...record, kinesis: { ...record.kinesis, data } };
    }),
  };
}

async function compiled(pipeline: unknown): Promise<Program> {
  const { make } = await loadDecoder(pipeline as AnyPipeline);
  return compile(pipeline as AnyPipeline, new Map(), { makeDecoder: make });
}

async function measure(kind: StreamKind): Promise<void> {
  const batches = batchesOf(flightStream(kind), { size: BATCH, partitions: 1, nowMs: NOW_MS });
  const plain = await compiled(hourPipeline(1));
  const kept = await compiled(hourPipeline(1, { events: { layout: 'each', index: false } }));
  const packed = await compiled(hourPipeline(1, { events: { layout: 'packed', index: false } }));
  const spaced = batches.map(withSpaces);
  const at = (index: number) => batches[index] ?? { Records: [] };
  const variants: readonly Variant[] = [
    { name: BASE, repeats: 5, make: () => (index) => parseAll(at(index)) },
    {
      name: 'decode and validate, reference',
      repeats: 3,
      make: () => (index) => decodeAndValidate(plain, at(index)),
    },
    {
      name: 'decode and validate, generated',
      repeats: 3,
      make: () => (index) => decodeQuickly(plain, at(index)),
    },
    {
      name: 'the same, spaces between members',
      repeats: 3,
      make: () => (index) => decodeQuickly(plain, spaced[index] ?? { Records: [] }),
    },
    handler({ name: 'handler, aggregates only' }, plain, batches),
    handler(
      { name: 'the same, no generated decoder' },
      { ...plain, decodeQuickly: undefined },
      batches,
    ),
    handler({ name: 'aggregates only, signed by the SDK', store: 'sdk' }, plain, batches),
    handler({ name: 'aggregates only, our client', store: 'lean' }, plain, batches),
    handler({ name: 'handler, events one by one' }, kept, batches),
    handler({ name: 'events one by one, signed by the SDK', store: 'sdk' }, kept, batches),
    handler({ name: 'events one by one, our client', store: 'lean' }, kept, batches),
    handler({ name: 'events packed, our client', store: 'lean' }, packed, batches),
  ];
  const plan = {
    batches: batches.length,
    units: batches.length * BATCH,
    warmUp: 1,
    rounds: ROUNDS,
  };
  const rounds = await interleave(variants, plan);
  console.log(`${kind}, ${machine()}, ${plan.rounds} rounds; median (least to greatest)`);
  for (const { name } of variants) {
    const { us, ratio } = compared(rounds, name, BASE);
    console.log(`${name.padEnd(38)} ${showSpread(ratio).padEnd(24)} ${showSpread(us)} us`);
  }
}

const KINDS: readonly StreamKind[] = ['dense', 'sparse'];
for (const kind of KINDS) if ((process.argv[2] ?? kind) === kind) await measure(kind);
