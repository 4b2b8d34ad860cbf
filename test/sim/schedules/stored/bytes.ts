/** Reads bytes of the stored formats, as docs and comments describe them, not as the core does. */
export class Bytes {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: unknown) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`bytes: got ${typeof bytes}`);
    this.#bytes = Buffer.from(bytes);
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  take(count: number): Buffer {
    if (count > this.rest) throw new RangeError(`bytes: ${count} wanted, ${this.rest} left`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** An unsigned integer of so many bytes, highest first. */
  number(count: number): number {
    return this.take(count).readUIntBE(0, count);
  }

  /** Seven bits a byte, low ones first. */
  varint(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.number(1);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  }

  /** A value of a page, by the table at the head of src/core/value-codec.ts. */
  value(): unknown {
    const kind = this.number(1);
    if (kind < 0x80) return kind;
    if (kind < 0xa0) return this.take(kind - 0x80).toString();
    if (kind < 0xb0) return this.#list(kind - 0xa0);
    return this.#longer(kind);
  }

  /** Each value has one form: the longer ones are for what doesn't fit into the shorter. */
  #more(than: number): number {
    const length = this.varint();
    if (length <= than) throw new RangeError(`value: got a long form of ${length}`);
    return length;
  }

  #longer(kind: number): unknown {
    switch (kind) {
      case 0xb0:
        return null;
      case 0xb1:
        return true;
      case 0xb2:
        return false;
      case 0xb3:
        return this.varint() + 128;
      case 0xb4:
        return -1 - this.varint();
      case 0xb5:
        return this.take(8).readDoubleBE(0);
      case 0xb6:
        return this.take(this.#more(31)).toString();
      case 0xb7:
        return Uint8Array.from(this.take(this.varint()));
      case 0xb8:
        return this.#list(this.#more(15));
      case 0xb9:
        return this.take(2 * this.varint())
          .swap16()
          .toString('utf16le');
      default:
        throw new RangeError(`value: got the kind ${kind}`);
    }
  }

  #list(length: number): unknown[] {
    return Array.from({ length }, () => this.value());
  }
}
