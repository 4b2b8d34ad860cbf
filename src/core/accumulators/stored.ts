import type { Encoded } from '../accumulator.ts';
import { InvariantError, show } from '../errors.ts';

/** Parts of stored states, as they are read back. Each throws an InvariantError on anything else. */

/** What to throw when a stored state can't be what `encode` wrote. */
export function misread(name: string, encoded: unknown, expected: string): InvariantError {
  return new InvariantError(`${name}: got the stored state ${show(encoded)}, expected ${expected}`);
}

/** A whole number from 0 to 2^53 - 1. */
export function naturalIn(name: string, encoded: Encoded | undefined): number {
  if (typeof encoded === 'number' && Number.isSafeInteger(encoded) && encoded >= 0) return encoded;
  throw misread(name, encoded, 'a whole number from 0');
}

/** A finite number. */
export function numberIn(name: string, encoded: Encoded | undefined): number {
  if (typeof encoded === 'number' && Number.isFinite(encoded)) return encoded;
  throw misread(name, encoded, 'a finite number');
}

/** Bytes, as a sketch is stored. */
export function bytesIn(name: string, encoded: Encoded | undefined): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded;
  throw misread(name, encoded, 'bytes');
}

/** A list of a given length, or of any. */
export function listIn(
  name: string,
  encoded: Encoded | undefined,
  length?: number,
): readonly Encoded[] {
  if (Array.isArray(encoded) && (length === undefined || encoded.length === length)) return encoded;
  throw misread(name, encoded, length === undefined ? 'a list' : `a list of ${length}`);
}
