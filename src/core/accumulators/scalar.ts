import type { Encoded } from '../accumulator.ts';
import { type Hash64, hashKeyOf, sipHash } from '../hash.ts';
import { misread } from './stored.ts';

/** A value that a column can keep, count or compare: a text, a finite number, true or false. */
export type Scalar = string | number | boolean;

/** True for a text, a finite number, true and false. */
export function isScalar(value: unknown): value is Scalar {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || typeof value === 'boolean';
}

/** One form for each value: negative zero is zero. */
export function plainScalar(value: Scalar): Scalar {
  return value === 0 ? 0 : value;
}

const RANKS = { boolean: 0, number: 1, string: 2 } as const;

/** A total order: false, true, the numbers, the texts by their UTF-16 units. Negative if left is first. */
export function compareScalars(left: Scalar, right: Scalar): number {
  if (left === right) return 0;
  const ranks = rankOf(left) - rankOf(right);
  if (ranks !== 0) return ranks;
  return left < right ? -1 : 1;
}

function rankOf(value: Scalar): number {
  return RANKS[typeof value as keyof typeof RANKS];
}

/** @throws InvariantError when it is none */
export function scalarIn(name: string, encoded: Encoded | undefined): Scalar {
  if (isScalar(encoded)) return encoded;
  throw misread(name, encoded, 'a text, a finite number, true or false');
}

/** Public and the same everywhere: states of all writers have to merge. */
const KEY = hashKeyOf(new TextEncoder().encode('millrace scalars'));

const utf8 = new TextEncoder();

/** 64 bits of a value; 1, '1' and true differ. A seed tells the values of different events apart. */
export function hashScalar(value: Scalar, seed = ''): Hash64 {
  return sipHash(KEY, bytesOf(`${rankOf(value)}${value}${seed}`));
}

/** UTF-8; a text with half a character, which UTF-8 can't tell from another such, by its UTF-16 units. */
function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return utf8.encode(text);
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at += 1) view.setUint16(at * 2, text.charCodeAt(at));
  return bytes;
}
