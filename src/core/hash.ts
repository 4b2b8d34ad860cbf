/** A 64-bit hash in two unsigned halves; JavaScript has no fast 64-bit integer. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** A 128-bit key as four unsigned 32-bit words, in the order in which SipHash reads them. */
export type HashKey = readonly [number, number, number, number];

/**
 * MurmurHash3, 32 bits (Austin Appleby, public domain): fast, well spread, not keyed.
 *
 * @returns an unsigned 32-bit integer
 */
export function murmur3(bytes: Uint8Array, seed = 0): number {
  const blocks = bytes.length & ~3;
  let hash = seed;
  for (let at = 0; at < blocks; at += 4) {
    const word = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16);
    hash ^= scramble(word | (byteAt(bytes, at + 3) << 24));
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocks; at -= 1) tail = (tail << 8) | byteAt(bytes, at);
  if (bytes.length > blocks) hash ^= scramble(tail);
  return avalanche(hash ^ bytes.length);
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

/** Reads past the end as zero, as both hashes pad. */
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
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
 * collide. Written on 32-bit halves; `v` holds v0..v3, low half first.
 */
export function sipHash(key: HashKey, bytes: Uint8Array): Hash64 {
  const [k0, k1, k2, k3] = key;
  const v = new Int32Array([
    k0 ^ 0x70736575,
    k1 ^ 0x736f6d65,
    k2 ^ 0x6e646f6d,
    k3 ^ 0x646f7261,
    k0 ^ 0x6e657261,
    k1 ^ 0x6c796765,
    k2 ^ 0x79746573,
    k3 ^ 0x74656462,
  ]);
  const blocks = bytes.length & ~7;
  for (let at = 0; at < blocks; at += 8) absorb(v, wordAt(bytes, at), wordAt(bytes, at + 4));
  absorb(v, wordAt(bytes, blocks), (wordAt(bytes, blocks + 4) & 0xffffff) | (bytes.length << 24));
  v[4] = half(v, 4) ^ 0xff;
  for (let round = 0; round < 4; round += 1) sipRound(v);
  return {
    high: (half(v, 1) ^ half(v, 3) ^ half(v, 5) ^ half(v, 7)) >>> 0,
    low: (half(v, 0) ^ half(v, 2) ^ half(v, 4) ^ half(v, 6)) >>> 0,
  };
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    byteAt(bytes, at) |
    (byteAt(bytes, at + 1) << 8) |
    (byteAt(bytes, at + 2) << 16) |
    (byteAt(bytes, at + 3) << 24)
  );
}

function absorb(v: Int32Array, low: number, high: number): void {
  v[6] = half(v, 6) ^ low;
  v[7] = half(v, 7) ^ high;
  sipRound(v);
  sipRound(v);
  v[0] = half(v, 0) ^ low;
  v[1] = half(v, 1) ^ high;
}

function sipRound(v: Int32Array): void {
  addRotate(v, 0, 2, 13);
  swapHalves(v, 0);
  addRotate(v, 4, 6, 16);
  addRotate(v, 0, 6, 21);
  addRotate(v, 4, 2, 17);
  swapHalves(v, 4);
}

/** v[a] += v[b]; v[b] = rotateLeft(v[b], bits) ^ v[a], on 64 bits. */
function addRotate(v: Int32Array, a: number, b: number, bits: number): void {
  const low = half(v, b);
  const high = half(v, b + 1);
  const sum = (half(v, a) >>> 0) + (low >>> 0);
  const sumLow = sum | 0;
  const sumHigh = (half(v, a + 1) + high + (sum > 0xffffffff ? 1 : 0)) | 0;
  v[a] = sumLow;
  v[a + 1] = sumHigh;
  v[b] = ((low << bits) | (high >>> (32 - bits))) ^ sumLow;
  v[b + 1] = ((high << bits) | (low >>> (32 - bits))) ^ sumHigh;
}

/** A rotation by 32 bits. */
function swapHalves(v: Int32Array, at: number): void {
  const low = half(v, at);
  v[at] = half(v, at + 1);
  v[at + 1] = low;
}

function half(v: Int32Array, at: number): number {
  return v[at] ?? 0;
}
