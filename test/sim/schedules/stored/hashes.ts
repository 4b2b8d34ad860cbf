/**
 * The hashes that stored formats hang on, written a second time from their descriptions, on 64-bit big
 * integers: what was stored must be found again by whoever reads it, so no bit of them may change.
 */

const MASK64 = (1n << 64n) - 1n;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK64;
}

type Words = [bigint, bigint, bigint, bigint];

function round([v0, v1, v2, v3]: Words): Words {
  const a = (v0 + v1) & MASK64;
  const b = (v2 + v3) & MASK64;
  const turned1 = rotate(v1, 13n) ^ a;
  const turned3 = rotate(v3, 16n) ^ b;
  const c = (b + turned1) & MASK64;
  const d = (rotate(a, 32n) + turned3) & MASK64;
  return [d, rotate(turned1, 17n) ^ c, rotate(c, 32n), rotate(turned3, 21n) ^ d];
}

/** SipHash-2-4 under a key of 16 bytes, as an unsigned 64-bit integer. */
export function sipHash24(key: Uint8Array, message: Uint8Array): bigint {
  const view = new DataView(key.buffer, key.byteOffset, 16);
  const [k0, k1] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  const padded = new Uint8Array((Math.floor(message.length / 8) + 1) * 8);
  padded.set(message);
  padded[padded.length - 1] = message.length % 256;
  const words = new DataView(padded.buffer);
  let v: Words = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ];
  for (let at = 0; at < padded.length; at += 8) {
    const word = words.getBigUint64(at, true);
    v = round(round([v[0], v[1], v[2], v[3] ^ word]));
    v = [v[0] ^ word, v[1], v[2], v[3]];
  }
  v = [v[0], v[1], v[2] ^ 0xffn, v[3]];
  v = round(round(round(round(v))));
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

const MASK32 = 0xffff_ffffn;

function rotate32(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (32n - bits))) & MASK32;
}

/** MurmurHash3 for 32 bits with the seed 0. */
export function murmur3of32(message: Uint8Array): number {
  const mixed = (word: bigint) =>
    (rotate32((word * 0xcc9e2d51n) & MASK32, 15n) * 0x1b873593n) & MASK32;
  let hash = 0n;
  for (let at = 0; at < message.length; at += 4) {
    const chunk = message.subarray(at, at + 4);
    const word = chunk.reduce((sum, byte, index) => sum | (BigInt(byte) << BigInt(8 * index)), 0n);
    hash ^= mixed(word);
    if (chunk.length === 4) hash = (rotate32(hash, 13n) * 5n + 0xe6546b64n) & MASK32;
  }
  hash ^= BigInt(message.length);
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & MASK32;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & MASK32;
  return Number(hash ^ (hash >> 16n));
}
