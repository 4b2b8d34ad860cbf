import type { Attribute, Item } from '../../ports/table.ts';

/**
 * Units as DynamoDB bills them ("Item sizes and formats" and "Capacity unit consumption" in the
 * developer guide): names and values of an item count, a write takes a unit each started KB of the
 * larger of old and new, a strongly consistent read one each started 4 KB.
 */

/** Bytes of an item: UTF-8 of names and texts, about half a byte a digit of a number. */
export function itemBytes(item: Item | undefined): number {
  if (item === undefined) return 0;
  let bytes = 0;
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

/** Write units of replacing one item by another. */
export function writeUnits(before: Item | undefined, after: Item | undefined): number {
  return Math.max(1, Math.ceil(Math.max(itemBytes(before), itemBytes(after)) / 1024));
}

/** Read units of a strongly consistent read of so many bytes. */
export function readUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 4096));
}

function valueBytes(value: Attribute): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(digitsOf(value) / 2) + 1;
  return value.length;
}

function digitsOf(value: number): number {
  const text = String(value);
  // Most are whole: their texts are digits and perhaps a sign.
  if (Number.isSafeInteger(value)) return value < 0 ? text.length - 1 : text.length;
  return text.replace(/\D/g, '').length;
}
