import type { Encoded } from './accumulator.ts';
import { InvariantError, show } from './errors.ts';
import type { ByteReader, ByteWriter } from './varint.ts';

/**
 * Small values as bytes, one form each. The first byte tells the kind:
 *
 * | first byte | value |
 * |---|---|
 * | 0x00 - 0x7f | the whole number 0 to 127 |
 * | 0x80 - 0x9f | a text of 0 to 31 bytes UTF-8, which follow |
 * | 0xa0 - 0xaf | a list of 0 to 15 values, which follow |
 * | 0xb0 0xb1 0xb2 | null, true, false |
 * | 0xb3 | a whole number from 128 on: varint of the number less 128 |
 * | 0xb4 | a whole number below 0: varint of -1 less the number |
 * | 0xb5 | another finite number: 8 bytes IEEE 754 |
 * | 0xb6 0xb7 0xb8 | a longer text, bytes, a longer list: varint of the length, then the content |
 * | 0xb9 | a text with half a character (a lone surrogate), which UTF-8 can't hold: varint of the
 * number of UTF-16 units, then 2 bytes each |
 */
const SMALL_MAX = 0x7f;
const TEXT = 0x80;
const TEXT_MAX = 31;
const LIST = 0xa0;
const LIST_MAX = 15;
const NULL = 0xb0;
const TRUE = 0xb1;
const FALSE = 0xb2;
const NATURAL = 0xb3;
const NEGATIVE = 0xb4;
const DOUBLE = 0xb5;
const LONG_TEXT = 0xb6;
const BYTES = 0xb7;
const LONG_LIST = 0xb8;
const BROKEN_TEXT = 0xb9;

/** Lists within lists: as deep as the states of accumulators get, and a bound for what is read. */
const DEPTH_MAX = 8;

const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Appends a value. @throws InvariantError for NaN and the infinities, and for lists deeper than 8 */
export function writeValue(writer: ByteWriter, value: Encoded, depth = 0): void {
  if (value === null) writer.byte(NULL);
  else if (typeof value === 'boolean') writer.byte(value ? TRUE : FALSE);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (typeof value === 'string') writeText(writer, value);
  else if (value instanceof Uint8Array) {
    writer.byte(BYTES);
    writer.varint(value.length);
    writer.bytes(value);
  } else writeList(writer, value, depth);
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (!Number.isFinite(value)) {
    throw new InvariantError(`value: got ${show(value)}, expected a finite number`);
  }
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.byte(DOUBLE);
    writer.float64(value);
  } else if (value < 0) {
    writer.byte(NEGATIVE);
    writer.varint(-1 - value);
  } else if (value > SMALL_MAX) {
    writer.byte(NATURAL);
    writer.varint(value - SMALL_MAX - 1);
  } else writer.byte(value);
}

function writeText(writer: ByteWriter, value: string): void {
  if (value.length <= TEXT_MAX && isAscii(value)) {
    writer.byte(TEXT + value.length);
    writer.ascii(value);
    return;
  }
  if (!value.isWellFormed()) {
    writeBrokenText(writer, value);
    return;
  }
  const bytes = utf8.encode(value);
  if (bytes.length <= TEXT_MAX) writer.byte(TEXT + bytes.length);
  else {
    writer.byte(LONG_TEXT);
    writer.varint(bytes.length);
  }
  writer.bytes(bytes);
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function writeBrokenText(writer: ByteWriter, value: string): void {
  writer.byte(BROKEN_TEXT);
  writer.varint(value.length);
  for (let at = 0; at < value.length; at += 1) writer.unsigned(value.charCodeAt(at), 2);
}

function writeList(writer: ByteWriter, values: readonly Encoded[], depth: number): void {
  if (depth >= DEPTH_MAX) {
    throw new InvariantError(`value: got lists deeper than ${DEPTH_MAX}, expected flatter ones`);
  }
  if (values.length <= LIST_MAX) writer.byte(LIST + values.length);
  else {
    writer.byte(LONG_LIST);
    writer.varint(values.length);
  }
  for (const value of values) writeValue(writer, value, depth + 1);
}

/** The next value. @throws InvariantError when `writeValue` can't have written the bytes */
export function readValue(reader: ByteReader, depth = 0): Encoded {
  const kind = reader.byte();
  if (kind <= SMALL_MAX) return kind;
  if (kind < LIST) return text.decode(reader.bytes(kind - TEXT));
  if (kind < NULL) return readList(reader, kind - LIST, depth);
  return readLong(reader, kind, depth);
}

function readLong(reader: ByteReader, kind: number, depth: number): Encoded {
  switch (kind) {
    case NULL:
      return null;
    case TRUE:
      return true;
    case FALSE:
      return false;
    case NATURAL:
      return reader.varint() + SMALL_MAX + 1;
    case NEGATIVE:
      return -1 - reader.varint();
    case DOUBLE:
      return reader.float64();
    case LONG_TEXT:
      return text.decode(reader.bytes(reader.varint()));
    case BYTES:
      return reader.bytes(reader.varint()).slice();
    case LONG_LIST:
      return readList(reader, reader.varint(), depth);
    case BROKEN_TEXT:
      return String.fromCharCode(
        ...Array.from({ length: reader.varint() }, () => reader.unsigned(2)),
      );
    default:
      throw new InvariantError(`value: got the kind ${kind}, expected one of this format`);
  }
}

function readList(reader: ByteReader, length: number, depth: number): readonly Encoded[] {
  if (depth >= DEPTH_MAX) {
    throw new InvariantError(`value: got lists deeper than ${DEPTH_MAX}, expected flatter ones`);
  }
  const values: Encoded[] = [];
  for (let index = 0; index < length; index += 1) values.push(readValue(reader, depth + 1));
  return values;
}
