import { InvariantError, show } from './errors.ts';

/** What an item's attribute can be; the same as the table port's. */
export type AttributeValue = string | number | Uint8Array;

/** A stored item as the codecs see it. */
export type StoredItem = { readonly pk: string; readonly sk: string } & Readonly<
  Record<string, AttributeValue>
>;

/** The number in an attribute. @throws InvariantError when it isn't there or is something else */
export function numberIn(item: StoredItem, attribute: string): number {
  const value = item[attribute];
  if (typeof value === 'number') return value;
  throw misread(item, attribute, value, 'a number');
}

/** The text in an attribute. @throws InvariantError when it isn't there or is something else */
export function textIn(item: StoredItem, attribute: string): string {
  const value = item[attribute];
  if (typeof value === 'string') return value;
  throw misread(item, attribute, value, 'a text');
}

/** The bytes in an attribute. @throws InvariantError when it isn't there or is something else */
export function bytesIn(item: StoredItem, attribute: string): Uint8Array {
  const value = item[attribute];
  if (value instanceof Uint8Array) return value;
  throw misread(item, attribute, value, 'bytes');
}

/** Checks the format version in attribute `v`. @throws InvariantError for another one */
export function checkVersion(item: StoredItem, version: number): void {
  if (item.v === version) return;
  throw new InvariantError(
    `item ${show(item.pk)} ${show(item.sk)}: got format version ${show(item.v)}, expected ${version}; deploy the version of Millrace that wrote it, or a newer one`,
    { fields: { pk: item.pk, sk: item.sk } },
  );
}

/** True when an item's time has passed: DynamoDB deletes it some day, and no reader is given it any more. */
export function isExpired(item: StoredItem, nowMs: number): boolean {
  return typeof item.ttl === 'number' && item.ttl * 1000 < nowMs;
}

function misread(
  item: StoredItem,
  attribute: string,
  got: unknown,
  expected: string,
): InvariantError {
  const kind = got === undefined ? 'nothing' : `a ${typeof got}`;
  return new InvariantError(
    `item ${show(item.pk)} ${show(item.sk)}, attribute ${attribute}: got ${kind}, expected ${expected}`,
    { fields: { pk: item.pk, sk: item.sk, attribute } },
  );
}
