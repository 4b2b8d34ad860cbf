import { InvariantError } from './errors.ts';

/** Appends bytes to a buffer that grows. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** Appends an unsigned integer, 7 bits a byte, low bits first; 0 to 2^53 - 1. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new InvariantError(`varint: got ${value}, expected a whole number from 0 to 2^53 - 1`);
    }
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** Appends the lowest `count` bytes of an unsigned 32-bit integer, highest first. */
  unsigned(value: number, count: 1 | 2 | 3 | 4): void {
    this.#reserve(count);
    for (let shift = (count - 1) * 8; shift >= 0; shift -= 8) {
      this.#bytes[this.#length] = value >>> shift;
      this.#length += 1;
    }
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** Appends bytes as they are. */
  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Appends a text of ASCII, one byte a unit. */
  ascii(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at += 1) {
      this.#bytes[this.#length + at] = text.charCodeAt(at);
    }
    this.#length += text.length;
  }

  /** Appends a double, 8 bytes, highest first. */
  float64(value: number): void {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what a ByteWriter wrote. Every method throws an InvariantError past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True when everything is read. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new InvariantError('varint: got more than 8 bytes, expected at most 8');
  }

  unsigned(count: 1 | 2 | 3 | 4): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) value = ((value << 8) | this.byte()) >>> 0;
    return value;
  }

  /** The next bytes, as a view. */
  bytes(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) {
      throw new InvariantError(`bytes: got ${this.#bytes.length}, expected more at ${this.#at}`);
    }
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  float64(): number {
    const { buffer, byteOffset } = this.bytes(8);
    return new DataView(buffer, byteOffset, 8).getFloat64(0);
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      throw new InvariantError(`bytes: got ${this.#bytes.length}, expected more at ${this.#at}`);
    }
    this.#at += 1;
    return byte;
  }
}

/** A whole number as one from 0: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The number that `zigzag` gave this. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
