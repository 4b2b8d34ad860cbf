import type { Encoded } from './accumulator.ts';
import { InvariantError } from './errors.ts';
import { type Position, packPosition, unpackPosition } from './position.ts';
import { readValue, writeValue } from './value-codec.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/**
 * How kept events stand together: chunks of a writer's events that are close in event time. A chunk holds
 * whole events (layout `packed`), or only where to find each (an index beside events kept one by one).
 */

/** Format version of chunks and of the index of ids. */
export const CHUNK_FORMAT = 1;

/** Events in a chunk at most: what a batch of 1,000 leaves each of four writers fills two. */
export const CHUNK_EVENTS_MAX = 128;

/** Bytes of rows in a chunk at most, before compression; a larger event stands alone. */
const CHUNK_BYTES_MAX = 256 * 1024;

/** One event in a chunk. */
export interface ChunkEvent {
  /** Source and id, or writer and position where the event has no id. */
  readonly name: string;
  readonly key: string;
  /** Event time, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  readonly arrivalMs: number;
  readonly position: Position;
  /** The rows that the transform gave, as JSON; undefined in an index. */
  readonly rows: string | undefined;
}

/**
 * Longest time between the first and last event of a chunk, by its class. A chunk is looked up by the time
 * of its first event, so how far before a time to look follows from the class.
 */
export const CHUNK_SPANS_MS = [3_600_000, 86_400_000, Number.POSITIVE_INFINITY] as const;

/** Cuts events into chunks by event time; events in no order. */
export function chunksOf<Event extends ChunkEvent>(events: readonly Event[]): readonly Event[][] {
  const chunks: Event[][] = [];
  let bytes = 0;
  for (const event of [...events].sort((left, right) => left.timeMs - right.timeMs)) {
    const size = event.rows?.length ?? 0;
    const last = chunks.at(-1);
    bytes += size;
    if (last === undefined || last.length === CHUNK_EVENTS_MAX || bytes > CHUNK_BYTES_MAX) {
      chunks.push([event]);
      bytes = size;
    } else last.push(event);
  }
  return chunks;
}

/** The class of a chunk in the order of event time: an index into `CHUNK_SPANS_MS`. */
export function chunkClass(events: readonly ChunkEvent[]): number {
  const spanMs = (events.at(-1)?.timeMs ?? 0) - (events[0]?.timeMs ?? 0);
  return CHUNK_SPANS_MS.findIndex((mostMs) => spanMs <= mostMs);
}

/** Partition key of a writer's chunks. */
export function chunkPartition(writer: string): string {
  return `${writer}|t`;
}

/** Start of the sort keys of a class whose first event has the time. */
export function chunkTimeKey(chunk: number, timeMs: number): string {
  return `${chunk}|${new Date(timeMs).toISOString()}`;
}

/** The first and the last record, by position, of those whose events were chunked together. */
export interface ChunkedRange {
  readonly first: Position;
  readonly last: Position;
}

/**
 * Sort key of a chunk: its class, its first event's time, and the range with the chunk's number in it. The
 * range tells what is in the chunk, so a late write of a try with other boundaries replaces nothing.
 */
export function chunkKey(
  events: readonly ChunkEvent[],
  range: ChunkedRange,
  number: number,
): string {
  const start = chunkTimeKey(chunkClass(events), events[0]?.timeMs ?? 0);
  return `${start}|${rangeText(range)}|${number}`;
}

function rangeText({ first, last }: ChunkedRange): string {
  return `${packPosition(first)}-${packPosition(last)}`;
}

/**
 * A chunk as bytes, column after column, so that it compresses well: event time, arrival and sequence
 * number as differences to the event before, then keys, names, rows.
 */
export function encodeChunk(events: readonly ChunkEvent[]): Uint8Array {
  const writer = new ByteWriter();
  writeValue(writer, differences(events.map(({ timeMs }) => timeMs)));
  writeValue(writer, differences(events.map(({ arrivalMs }) => arrivalMs)));
  writeValue(writer, positionColumn(events.map(({ position }) => position)));
  writeValue(
    writer,
    events.map(({ key }) => key),
  );
  writeValue(
    writer,
    events.map(({ name }) => name),
  );
  writeValue(
    writer,
    events.map(({ rows }) => rows ?? null),
  );
  return writer.finish();
}

/** @throws InvariantError when the bytes are not what `encodeChunk` wrote */
export function decodeChunk(bytes: Uint8Array): readonly ChunkEvent[] {
  const reader = new ByteReader(bytes);
  const next = () => listIn(readValue(reader));
  const times = sums(next());
  const arrivals = sums(next());
  const positions = positionsIn(next());
  const [keys, names, rows] = [next(), next(), next()];
  return positions.map((position, index) => {
    const text = rows[index];
    return {
      timeMs: times[index] ?? 0,
      arrivalMs: arrivals[index] ?? 0,
      position,
      key: String(keys[index]),
      name: String(names[index]),
      rows: typeof text === 'string' ? text : undefined,
    };
  });
}

function differences(values: readonly number[]): readonly number[] {
  return values.map((value, index) => value - (values[index - 1] ?? 0));
}

function sums(column: readonly Encoded[]): readonly number[] {
  let sum = 0;
  return column.map((value) => {
    sum += Number(value);
    return sum;
  });
}

/** A position as the difference of its sequence number, or whole where that isn't a safe integer. */
function positionColumn(positions: readonly Position[]): readonly Encoded[] {
  return positions.map((position, index) => {
    const before = positions[index - 1];
    if (before?.shard !== position.shard || before.index !== position.index) {
      return packPosition(position);
    }
    const step = BigInt(position.sequence) - BigInt(before.sequence);
    const small =
      step <= BigInt(Number.MAX_SAFE_INTEGER) && step >= BigInt(Number.MIN_SAFE_INTEGER);
    return small ? Number(step) : packPosition(position);
  });
}

function positionsIn(column: readonly Encoded[]): readonly Position[] {
  const positions: Position[] = [];
  for (const value of column) {
    const before = positions.at(-1);
    if (typeof value === 'number' && before !== undefined) {
      const sequence = String(BigInt(before.sequence) + BigInt(value));
      positions.push({ ...before, sequence });
    } else positions.push(unpackPosition(String(value)));
  }
  return positions;
}

function listIn(value: Encoded): readonly Encoded[] {
  if (Array.isArray(value)) return value;
  throw new InvariantError('chunk: got a column that is no list');
}

/** Bytes of an id in the index: enough to tell a writer's events apart, and the chunk confirms. */
const ID_BYTES = 6;

/** Partition key of a writer's index of ids. */
export function idIndexPartition(writer: string): string {
  return `${writer}|i`;
}

/** Sort key of an index of ids: the first record's arrival, and the range. */
export function idIndexKey(arrivalMs: number, range: ChunkedRange): string {
  return `${new Date(arrivalMs).toISOString()}|${rangeText(range)}`;
}

/** The 64-bit hash of an id in two halves. */
interface IdHash {
  readonly high: number;
  readonly low: number;
}

/** A chunk's sort key and the hashes of its events' ids. */
export interface IndexedChunk {
  readonly sk: string;
  readonly ids: readonly IdHash[];
}

/** The index of ids of some chunks: for each its sort key, the number of ids, and 6 bytes an id. */
export function encodeIdIndex(chunks: readonly IndexedChunk[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { sk, ids } of chunks) {
    writeValue(writer, sk);
    writer.varint(ids.length);
    for (const { high, low } of ids) {
      writer.unsigned(high, 4);
      writer.unsigned(low >>> 16, 2);
    }
  }
  return writer.finish();
}

/** The sort keys of the chunks that may hold an id. @throws InvariantError for other bytes */
export function findInIdIndex(bytes: Uint8Array, { high, low }: IdHash): readonly string[] {
  const reader = new ByteReader(bytes);
  const found: string[] = [];
  while (!reader.done) {
    const sk = String(readValue(reader));
    const count = reader.varint();
    const ids = new ByteReader(reader.bytes(count * ID_BYTES));
    while (!ids.done) {
      const same = ids.unsigned(4) === high;
      if (ids.unsigned(2) === low >>> 16 && same && found.at(-1) !== sk) found.push(sk);
    }
  }
  return found;
}
