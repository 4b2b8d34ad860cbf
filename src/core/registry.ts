import { numberIn, type StoredItem } from './item.ts';
import { GENERATION } from './ledger.ts';
import { epochOfWriter } from './writer.ts';

/** Partition key of the list of writers, in the ledger table. */
export const REGISTRY_KEY = `${GENERATION}|registry`;

/** A writer that has written at least once. */
export interface RegisteredWriter {
  readonly writer: string;
  readonly epoch: string;
  /** When it was first registered by the try that wrote last, milliseconds since 1970 UTC. */
  readonly sinceMs: number;
}

/** The item that lists a writer. It never expires: readers need the writers as long as their cells live. */
export function registryItem(writer: string, nowMs: number): StoredItem {
  return { pk: REGISTRY_KEY, sk: writer, v: 1, t: nowMs };
}

/** @throws InvariantError when the item is not one that `registryItem` made */
export function decodeRegistered(item: StoredItem): RegisteredWriter {
  return { writer: item.sk, epoch: epochOfWriter(item.sk), sinceMs: numberIn(item, 't') };
}
