import { makeMemoryBucket } from '../adapters/memory/bucket.ts';
import { makeSkippingClock } from '../adapters/memory/clock.ts';
import { makeSeededRandom } from '../adapters/memory/random.ts';
import { makeMemoryStream } from '../adapters/memory/stream.ts';
import { type MemoryTable, makeMemoryTable } from '../adapters/memory/table.ts';
import { itemBytes } from '../adapters/memory/units.ts';
import { murmur3 } from '../core/hash.ts';
import type { Program } from '../core/program.ts';
import type { ConsumePorts } from '../handlers/ports.ts';
import type { WriteContext } from '../handlers/write-context.ts';
import { type KeptRecord, writeEvents } from '../handlers/write-events.ts';
import { ASSUMED } from './assumptions.ts';
import type { Sample } from './sample.ts';

/** What keeping events uses; of a batch of a writer, or a second. */
export interface EventUse {
  readonly writeUnits: number;
  /** Bytes that are stored, for as long as events are kept. */
  readonly storedBytes: number;
}

/** Where none are kept. */
export const NO_EVENTS: EventUse = { writeUnits: 0, storedBytes: 0 };

const utf8 = new TextEncoder();

const NOW_MS = 1_800_000_000_000;
const WRITER = 't4x9k2-1f3a9c0d.p12';
const SEQUENCE_BASE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;

/** Events of a batch at most that are written to measure it. */
const EVENTS_MAX = 2_000;

/**
 * What a writer's batch of so many events uses: sampled events, or such of the given size where there are
 * none, written by the consumer's own code into a table in memory.
 */
export async function measureEvents(
  program: Program,
  sample: Sample,
  events: number,
): Promise<EventUse> {
  if (program.settings.retention.eventsMs === null) return NO_EVENTS;
  const table = makeMemoryTable();
  const count = Math.min(EVENTS_MAX, Math.max(1, Math.round(events)));
  const kept = Array.from({ length: count }, (_, index) => keptOf(sample, index));
  await writeEvents(contextOf(program, table), kept);
  const scale = events / count;
  return {
    writeUnits: table.usage.writeUnits * scale,
    storedBytes: table.items().reduce((sum, item) => sum + itemBytes(item), 0) * scale,
  };
}

function contextOf(program: Program, events: MemoryTable): WriteContext {
  const call = { requestId: 'plan', deadlineMs: NOW_MS + 3_600_000 };
  const ports: ConsumePorts = {
    clock: makeSkippingClock(NOW_MS),
    random: makeSeededRandom(1),
    stream: makeMemoryStream({ arn: 'arn:aws:kinesis:us-east-1:1:stream/s', createdMs: NOW_MS }),
    quarantine: makeMemoryBucket(),
    ledger: makeMemoryTable(),
    aggregates: makeMemoryTable(),
    quarantineIndex: makeMemoryTable(),
    events,
  };
  const { clock, random } = ports;
  return {
    clock,
    random,
    deadlineMs: call.deadlineMs,
    ports,
    program,
    writer: WRITER,
    invocation: call,
  };
}

function keptOf(sample: Sample, index: number): KeptRecord {
  const event = sample.events[index % sample.events.length];
  const { key, source, id, rows, bytes } = event ?? madeUp(sample, index);
  const timeMs = NOW_MS + index;
  const sequence = String(SEQUENCE_BASE + BigInt(index) * 4_096n * 1_000_003n);
  const hash = {
    high: murmur3(utf8.encode(`high ${index}`)),
    low: murmur3(utf8.encode(`low ${index}`)),
  };
  return {
    ordinal: index,
    record: {
      position: { shard: 12, sequence, index: 0 },
      sequence,
      partitionKey: 'p-12',
      arrivalMs: NOW_MS + Math.floor(index / 100) * 10,
      bytes,
    },
    kept: { name: `${source} ${id ?? index}`, key, timeMs, rows: JSON.stringify(rows) },
    id: { ...hash, check: index, arrivalMs: NOW_MS },
  };
}

/** An event of the average size; of its bytes the envelope is no part of the rows. */
function madeUp(sample: Sample, index: number) {
  const length = Math.max(1, Math.round(sample.eventBytes) - ASSUMED.envelopeBytes);
  const text = Array.from({ length: Math.ceil(length / 8) }, (_, part) =>
    murmur3(utf8.encode(`${index} ${part}`))
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  return {
    key: `k${index % 100}`,
    source: 'urn:millrace:planned',
    id: String(index).padStart(36, '0'),
    rows: [{ text: text.slice(0, length) }],
    bytes: new Uint8Array(),
  };
}
