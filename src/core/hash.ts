/** A 64-bit hash in two unsigned halves; JavaScript has no fast 64-bit integer. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** A 128-bit key as four unsigned 32-bit words, in the order in which SipHash reads them. */
export type HashKey = readonly [number, number, number, number];

/** Bytes that both hashes may read past the end; they count as zeros. */
const PADDING = 8;

/** Bytes to be hashed are copied here, so that they can be read word by word wherever they stood. */
const scratch = new Uint8Array(64 * 1024);
const words = new DataView(scratch.buffer);

/** A view of the bytes with zeros behind them; it holds until the next call. */
function padded(bytes: Uint8Array): DataView {
  const { length } = bytes;
  if (length + PADDING > scratch.length) {
    const copy = new Uint8Array(length + PADDING);
    copy.set(bytes);
    return new DataView(copy.buffer);
  }
  scratch.set(bytes);
  pad(length);
  return words;
}

const utf8 = new TextEncoder();

/** Copies a text with its padding; false where it isn't ASCII, or too long. */
function copyAscii(text: string): boolean {
  const { length } = text;
  if (length + PADDING > scratch.length) return false;
  for (let at = 0; at < length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return false;
    scratch[at] = unit;
  }
  pad(length);
  return true;
}

function pad(length: number): void {
  for (let at = length; at < length + PADDING; at += 1) scratch[at] = 0;
}

/**
 * MurmurHash3, 32 bits (Austin Appleby, public domain): fast, well spread, not keyed.
 *
 * @returns an unsigned 32-bit integer
 */
export function murmur3(bytes: Uint8Array, seed = 0): number {
  return murmurOf(padded(bytes), bytes.length, seed);
}

/** The same of a text in UTF-8. */
export function murmur3Text(text: string): number {
  return copyAscii(text) ? murmurOf(words, text.length, 0) : murmur3(utf8.encode(text));
}

function murmurOf(view: DataView, length: number, seed: number): number {
  const blocks = length & ~3;
  let hash = seed;
  for (let at = 0; at < blocks; at += 4) {
    hash ^= scramble(view.getInt32(at, true));
    // `| 0`: without it the sum is a double, and the loop takes twice as long.
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (length > blocks) hash ^= scramble(view.getInt32(blocks, true));
  return avalanche(hash ^ length);
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

function avalanche(start: number): number {
  let hash = Math.imul(start ^ (start >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Reads a key of 16 bytes, little-endian. */
export function hashKeyOf(bytes: Uint8Array): HashKey {
  if (bytes.length !== 16) throw new RangeError(`hash key: got ${bytes.length} bytes, expected 16`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return [
    view.getUint32(0, true),
    view.getUint32(4, true),
    view.getUint32(8, true),
    view.getUint32(12, true),
  ];
}

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash, so that nobody outside can make ids
 * collide. On 32-bit halves in local variables: `v0` is the low half of the paper's v0, `h0` the high one.
 */
export function sipHash(key: HashKey, bytes: Uint8Array): Hash64 {
  return sipOf(key, padded(bytes), bytes.length);
}

/** The same of a text in UTF-8. */
export function sipHashText(key: HashKey, text: string): Hash64 {
  return copyAscii(text) ? sipOf(key, words, text.length) : sipHash(key, utf8.encode(text));
}

/** Message blocks take two rounds each, the end four: steps of one loop, so that the round stands once. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: the state has to stay in local variables; in an array it takes twice the time
function sipOf(key: HashKey, view: DataView, length: number): Hash64 {
  let [v0, h0] = [key[0] ^ 0x70736575, key[1] ^ 0x736f6d65];
  let [v1, h1] = [key[2] ^ 0x6e646f6d, key[3] ^ 0x646f7261];
  let [v2, h2] = [key[0] ^ 0x6e657261, key[1] ^ 0x6c796765];
  let [v3, h3] = [key[2] ^ 0x79746573, key[3] ^ 0x74656462];
  const blocks = length & ~7;
  for (let at = 0; at <= blocks + 8; at += 8) {
    const isEnd = at > blocks;
    const low = isEnd ? 0 : view.getInt32(at, true);
    const high = isEnd ? 0 : view.getInt32(at + 4, true) | (at === blocks ? length << 24 : 0);
    v3 ^= low;
    h3 ^= high;
    if (isEnd) v2 ^= 0xff;
    for (let round = isEnd ? 4 : 2; round > 0; round -= 1) {
      // The carry of a sum of low halves: they are compared as unsigned.
      let low32 = (v0 + v1) | 0;
      h0 = (h0 + h1 + (low32 >>> 0 < v0 >>> 0 ? 1 : 0)) | 0;
      v0 = low32;
      let turned = ((v1 << 13) | (h1 >>> 19)) ^ v0;
      h1 = ((h1 << 13) | (v1 >>> 19)) ^ h0;
      v1 = turned;
      low32 = (v2 + v3) | 0;
      h2 = (h2 + h3 + (low32 >>> 0 < v2 >>> 0 ? 1 : 0)) | 0;
      v2 = low32;
      turned = ((v3 << 16) | (h3 >>> 16)) ^ v2;
      h3 = ((h3 << 16) | (v3 >>> 16)) ^ h2;
      v3 = turned;
      // From here on v0 and v2 stand with their halves swapped, as the round's rotation by 32 has them.
      low32 = (h0 + v3) | 0;
      h0 = (v0 + h3 + (low32 >>> 0 < v3 >>> 0 ? 1 : 0)) | 0;
      v0 = low32;
      turned = ((v3 << 21) | (h3 >>> 11)) ^ v0;
      h3 = ((h3 << 21) | (v3 >>> 11)) ^ h0;
      v3 = turned;
      low32 = (v2 + v1) | 0;
      h2 = (h2 + h1 + (low32 >>> 0 < v1 >>> 0 ? 1 : 0)) | 0;
      v2 = low32;
      turned = ((v1 << 17) | (h1 >>> 15)) ^ v2;
      h1 = ((h1 << 17) | (v1 >>> 15)) ^ h2;
      v1 = turned;
      const swapped = v2;
      v2 = h2;
      h2 = swapped;
    }
    v0 ^= low;
    h0 ^= high;
  }
  return { high: (h0 ^ h1 ^ h2 ^ h3) >>> 0, low: (v0 ^ v1 ^ v2 ^ v3) >>> 0 };
}
