/**
 * What a generated decoder reads JSON with: values out of bytes, in place.
 *
 * Boundary: it reads a subset of JSON, compact and in ASCII without escapes, which is what serialisers write of most
 * events. Whatever else stands there, valid or not, fails, and the record is decoded by the reference path, which is
 * JSON.parse and the schema. So a failure here costs time, never a result.
 *
 * Invariants
 * 1. What is read is what JSON.parse gives for the same bytes: same value, or failure.
 * 2. After a read `at` is the index behind the value, or -1 after a failure.
 */
export class Scanner {
  at = 0;

  /** Fails. */
  fail(): undefined {
    this.at = -1;
    return undefined;
  }

  /** A text whose value differs from event to event. */
  text(bytes: Uint8Array, start: number): string {
    const end = this.#endOfText(bytes, start);
    return end < 0 ? '' : asciiOf(bytes, start + 1, end);
  }

  /** A text that has few values: the same strings are given again. */
  word(bytes: Uint8Array, start: number, words: Words): string {
    let hash = 0;
    let at = start + 1;
    for (; PLAIN[bytes[at] ?? 0] === 1; at += 1)
      hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    if (bytes[start] !== QUOTE || bytes[at] !== QUOTE) {
      this.at = -1;
      return '';
    }
    this.at = at + 1;
    return words.find(bytes, { start: start + 1, end: at, hash });
  }

  /** Passes a text over; gives whether it holds something. */
  skipText(bytes: Uint8Array, start: number): boolean {
    return this.#endOfText(bytes, start) > start + 1;
  }

  /** A finite number. */
  number(bytes: Uint8Array, start: number): number {
    const isNegative = bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    let at = first;
    let value = 0;
    for (; isDigit(bytes[at]); at += 1) value = value * 10 + (bytes[at] ?? 0) - ZERO;
    const digits = at - first;
    const hasLeadingZero = digits > 1 && bytes[first] === ZERO;
    if (digits === 0 || hasLeadingZero) {
      this.at = -1;
      return 0;
    }
    const next = bytes[at];
    if (digits > SAFE_DIGITS || next === POINT || next === SMALL_E || next === LARGE_E) {
      return this.#longNumber(bytes, start, at);
    }
    this.at = at;
    return isNegative ? -value : value;
  }

  /** True or false. */
  boolean(bytes: Uint8Array, start: number): boolean {
    if (this.literal(bytes, start, TRUE)) return true;
    this.literal(bytes, start, FALSE);
    return false;
  }

  /** Whether the literal stands there. */
  literal(bytes: Uint8Array, start: number, literal: Uint8Array): boolean {
    for (let index = 0; index < literal.length; index += 1) {
      if (bytes[start + index] === literal[index]) continue;
      this.at = -1;
      return false;
    }
    this.at = start + literal.length;
    return true;
  }

  /** Any value, as JSON.parse gives it. @throws SyntaxError */
  value(bytes: Uint8Array, start: number): unknown {
    const end = this.#endOfValue(bytes, start);
    if (end < 0) return this.fail();
    this.at = end;
    return JSON.parse(asciiOf(bytes, start, end));
  }

  /** Passes any value over. @throws SyntaxError */
  skip(bytes: Uint8Array, start: number): void {
    const first = bytes[start];
    if (first === QUOTE) this.skipText(bytes, start);
    else if (first === MINUS || isDigit(first)) this.number(bytes, start);
    else this.value(bytes, start);
  }

  /** The key at the start, with its colon, passed over. */
  skipKey(bytes: Uint8Array, start: number): void {
    const end = this.#endOfText(bytes, start);
    this.at = end >= 0 && bytes[end + 1] === COLON ? end + 2 : -1;
  }

  /** The index of a text's closing quote, or -1. */
  #endOfText(bytes: Uint8Array, start: number): number {
    let at = start + 1;
    while (PLAIN[bytes[at] ?? 0] === 1) at += 1;
    const isWhole = bytes[start] === QUOTE && bytes[at] === QUOTE;
    this.at = isWhole ? at + 1 : -1;
    return isWhole ? at : -1;
  }

  /** A number with more than its first digits: a short decimal fraction exactly, the rest as JSON.parse has it. */
  #longNumber(bytes: Uint8Array, start: number, point: number): number {
    let end = point;
    while (IN_NUMBER[bytes[end] ?? 0] === 1) end += 1;
    const text = asciiOf(bytes, start, end);
    const value = NUMBER.test(text) ? Number(text) : Number.NaN;
    this.at = Number.isFinite(value) ? end : -1;
    return value;
  }

  /** The index behind a value, or -1; whether what stands before it is one is left to JSON.parse. */
  #endOfValue(bytes: Uint8Array, start: number): number {
    const first = bytes[start] ?? 0;
    if (first === QUOTE) return this.#endOfText(bytes, start) < 0 ? -1 : this.at;
    if (isOpening(first)) return this.#endOfNested(bytes, start);
    let at = start;
    while (IN_SCALAR[bytes[at] ?? 0] === 1) at += 1;
    return at;
  }

  #endOfNested(bytes: Uint8Array, start: number): number {
    let depth = 0;
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (isOpening(byte)) depth += 1;
      else if (isClosing(byte)) depth -= 1;
      else if (byte === QUOTE) at = this.#endOfText(bytes, at);
      if (at < 0 || depth === 0) return at < 0 ? -1 : at + 1;
    }
    return -1;
  }
}

/** Where some text stands, and a hash of its bytes. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly hash: number;
}

/** Strings that were given before, by their bytes: one a slot, the latest. */
export class Words {
  readonly #slots: string[] = Array.from({ length: WORDS }, () => '');

  /** The string of some bytes. */
  find(bytes: Uint8Array, { start, end, hash }: Span): string {
    const slot = (hash ^ (hash >>> 11)) & (WORDS - 1);
    const known = this.#slots[slot] ?? '';
    if (isAt(bytes, start, end, known)) return known;
    const made = asciiOf(bytes, start, end);
    if (made.length <= WORD_LENGTH_MAX) this.#slots[slot] = made;
    return made;
  }
}

/** Strings remembered of one field, and the longest of them: 64 KB at most. */
const WORDS = 1024;
const WORD_LENGTH_MAX = 64;

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const LARGE_E = 0x45;
const SMALL_E = 0x65;

/** Digits whose number is a safe integer, whatever they are. */
const SAFE_DIGITS = 15;

/** JSON's grammar of numbers, RFC 8259 section 6. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** JSON's literals. */
export const TRUE = Uint8Array.from(Buffer.from('true'));
export const FALSE = Uint8Array.from(Buffer.from('false'));
export const NULL = Uint8Array.from(Buffer.from('null'));

/** Bytes that stand for themselves in a text. */
const PLAIN = classOf((byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c);
/** Bytes of numbers, true, false and null; nothing that could begin a text. */
const IN_SCALAR = classOf((byte) => '0123456789+-.eEtrufalsn'.includes(String.fromCharCode(byte)));
const IN_NUMBER = classOf((byte) => '0123456789+-.eE'.includes(String.fromCharCode(byte)));

function classOf(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (has(byte) ? 1 : 0));
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

function isOpening(byte: number): boolean {
  return byte === 0x7b || byte === 0x5b;
}

function isClosing(byte: number): boolean {
  return byte === 0x7d || byte === 0x5d;
}

function isAt(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

function asciiOf(bytes: Uint8Array, start: number, end: number): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1', start, end);
}
