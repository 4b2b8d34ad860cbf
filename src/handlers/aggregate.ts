import { createHash } from 'node:crypto';
import { InvariantError } from '../core/errors.ts';
import { ByteReader, ByteWriter } from '../core/varint.ts';

/**
 * Records that a producer packed into one Kinesis record, as the Kinesis Producer Library does: magic bytes, a
 * protobuf message, and the MD5 of the message.
 * https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
 */

/** One of the records in an aggregate. */
export interface UserRecord {
  readonly partitionKey: string;
  /** Decimal; undefined where the partition key is hashed. */
  readonly explicitHashKey?: string;
  readonly data: Uint8Array;
}

/** Records in an aggregate that is taken apart: a larger one passes whole, so that memory is bounded. */
export const USER_RECORDS_MAX = 100_000;

const MAGIC = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
const DIGEST_BYTES = 16;

/** Field numbers of the two messages, and protobuf's wire types. */
const AGGREGATE = { partitionKey: 1, explicitHashKey: 2, record: 3 } as const;
const RECORD = { partitionKeyIndex: 1, explicitHashKeyIndex: 2, data: 3 } as const;
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Takes an aggregate apart. Never throws: bytes that are none, or a broken one, are the record's own, as the
 * Kinesis Client Library has it. So is an aggregate of nothing: its bytes then go to the quarantine instead of
 * nowhere.
 *
 * The data of the records are views of the given bytes.
 *
 * @returns undefined when the bytes are no aggregate
 */
export function splitAggregate(bytes: Uint8Array): readonly UserRecord[] | undefined {
  // Nearly every record ends here.
  if (bytes[0] !== MAGIC[0]) return undefined;
  const end = bytes.length - DIGEST_BYTES;
  if (end <= MAGIC.length || MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined;
  const message = bytes.subarray(MAGIC.length, end);
  if (Buffer.compare(digestOf(message), bytes.subarray(end)) !== 0) return undefined;
  try {
    const records = readAggregate(message);
    return records.length === 0 ? undefined : records;
  } catch (error) {
    if (error instanceof InvariantError) return undefined;
    throw error;
  }
}

/** Packs records as a producer does; each partition key and explicit hash key stands in its table once. */
export function makeAggregate(records: readonly UserRecord[]): Uint8Array {
  const partitionKeys = new KeyTable();
  const hashKeys = new KeyTable();
  const packed = records.map(({ partitionKey, explicitHashKey, data }) => {
    const writer = new ByteWriter();
    writeNumber(writer, RECORD.partitionKeyIndex, partitionKeys.indexOf(partitionKey));
    if (explicitHashKey !== undefined) {
      writeNumber(writer, RECORD.explicitHashKeyIndex, hashKeys.indexOf(explicitHashKey));
    }
    writeBytes(writer, RECORD.data, data);
    return writer.finish();
  });
  const writer = new ByteWriter();
  for (const key of partitionKeys.keys) writeBytes(writer, AGGREGATE.partitionKey, key);
  for (const key of hashKeys.keys) writeBytes(writer, AGGREGATE.explicitHashKey, key);
  for (const record of packed) writeBytes(writer, AGGREGATE.record, record);
  const message = writer.finish();
  return Buffer.concat([MAGIC, message, digestOf(message)]);
}

/** MD5 guards against mix-ups only; the format demands it. */
function digestOf(message: Uint8Array): Uint8Array {
  return createHash('md5').update(message).digest();
}

interface PackedRecord {
  readonly partitionKeyIndex: number;
  readonly explicitHashKeyIndex: number | undefined;
  readonly data: Uint8Array;
}

/** The tables may stand behind the records that point into them. @throws InvariantError */
function readAggregate(message: Uint8Array): UserRecord[] {
  const partitionKeys: string[] = [];
  const hashKeys: string[] = [];
  const records: PackedRecord[] = [];
  for (const { number, value } of fieldsOf(message)) {
    if (number === AGGREGATE.partitionKey) partitionKeys.push(textOf(value));
    if (number === AGGREGATE.explicitHashKey) hashKeys.push(textOf(value));
    if (number === AGGREGATE.record) records.push(readRecord(bytesOf(value)));
    if (records.length > USER_RECORDS_MAX) throw malformed(`over ${USER_RECORDS_MAX} records`);
  }
  return records.map(({ partitionKeyIndex, explicitHashKeyIndex, data }) => {
    const partitionKey = keyAt(partitionKeys, partitionKeyIndex);
    if (explicitHashKeyIndex === undefined) return { partitionKey, data };
    return { partitionKey, explicitHashKey: keyAt(hashKeys, explicitHashKeyIndex), data };
  });
}

function readRecord(message: Uint8Array): PackedRecord {
  const fields = new Map<number, number | Uint8Array>();
  // Of a field that stands there twice the last one counts, as protobuf has it.
  for (const { number, value } of fieldsOf(message)) fields.set(number, value);
  const hashKey = fields.get(RECORD.explicitHashKeyIndex);
  return {
    partitionKeyIndex: numberOf(fields.get(RECORD.partitionKeyIndex)),
    explicitHashKeyIndex: hashKey === undefined ? undefined : numberOf(hashKey),
    data: bytesOf(fields.get(RECORD.data)),
  };
}

interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/** The fields of a protobuf message, the unknown ones too. @throws InvariantError */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new ByteReader(message);
  while (!reader.done) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    if (number === 0) throw malformed('field 0');
    yield { number, value: readValue(reader, tag % 8) };
  }
}

function readValue(reader: ByteReader, wire: number): number | Uint8Array {
  if (wire === WIRE.varint) return reader.varint();
  if (wire === WIRE.bytes) return reader.bytes(reader.varint());
  if (wire === WIRE.fixed64) return reader.bytes(8);
  if (wire === WIRE.fixed32) return reader.bytes(4);
  throw malformed(`wire type ${wire}`);
}

function bytesOf(value: number | Uint8Array | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw malformed('no bytes');
}

function numberOf(value: number | Uint8Array | undefined): number {
  if (typeof value === 'number') return value;
  throw malformed('no number');
}

const utf8 = { decoder: new TextDecoder(), encoder: new TextEncoder() };

function textOf(value: number | Uint8Array): string {
  return utf8.decoder.decode(bytesOf(value));
}

function keyAt(table: readonly string[], index: number): string {
  const key = table[index];
  if (key === undefined) throw malformed(`key ${index} of ${table.length}`);
  return key;
}

function malformed(got: string): InvariantError {
  return new InvariantError(`aggregated record: got ${got}, expected the fields of its format`);
}

/** Keys in the order in which they first came. */
class KeyTable {
  readonly #indexes = new Map<string, number>();

  indexOf(key: string): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.#indexes.size);
    return this.#indexes.size - 1;
  }

  get keys(): readonly Uint8Array[] {
    return [...this.#indexes.keys()].map((key) => utf8.encoder.encode(key));
  }
}

function writeNumber(writer: ByteWriter, field: number, value: number): void {
  writer.varint(field * 8 + WIRE.varint);
  writer.varint(value);
}

function writeBytes(writer: ByteWriter, field: number, value: Uint8Array): void {
  writer.varint(field * 8 + WIRE.bytes);
  writer.varint(value.length);
  writer.bytes(value);
}
