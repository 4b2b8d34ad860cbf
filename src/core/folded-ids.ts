import { InvariantError } from './errors.ts';
import type { FoldedId } from './id-table.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/**
 * Packs ids for a ledger entry: `count`, then runs of equal arrival as (`base - arrival`, `length`),
 * then 11 bytes an id (hash 8, check 3). Arrivals come in runs because one PutRecords call stamps its
 * records alike. All counts are varints; the order of the ids is kept.
 *
 * @param baseMs a time at or after every arrival
 */
export function encodeIds(ids: readonly FoldedId[], baseMs: number): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(ids.length);
  for (const run of runsOf(ids)) {
    writer.varint(baseMs - run.arrivalMs);
    writer.varint(run.length);
  }
  for (const id of ids) {
    writer.unsigned(id.high, 4);
    writer.unsigned(id.low, 4);
    writer.unsigned(id.check, 3);
  }
  return writer.finish();
}

/** @throws InvariantError when the bytes are not what `encodeIds` wrote */
export function decodeIds(bytes: Uint8Array, baseMs: number): readonly FoldedId[] {
  const reader = new ByteReader(bytes);
  const arrivals: number[] = [];
  const count = reader.varint();
  if (count * 11 > bytes.length) {
    throw new InvariantError(`ledger ids: got ${bytes.length} bytes, expected ${count} ids of 11`);
  }
  while (arrivals.length < count) {
    const arrivalMs = baseMs - reader.varint();
    const length = reader.varint();
    if (length === 0 || arrivals.length + length > count) {
      throw new InvariantError(`ledger ids: got a run of ${length}, expected ${count} ids in all`);
    }
    for (let index = 0; index < length; index += 1) arrivals.push(arrivalMs);
  }
  const ids = arrivals.map((arrivalMs) => ({
    high: reader.unsigned(4),
    low: reader.unsigned(4),
    check: reader.unsigned(3),
    arrivalMs,
  }));
  if (!reader.done)
    throw new InvariantError(`ledger ids: got bytes after ${count} ids, expected none`);
  return ids;
}

function runsOf(ids: readonly FoldedId[]): readonly { arrivalMs: number; length: number }[] {
  const runs: { arrivalMs: number; length: number }[] = [];
  for (const { arrivalMs } of ids) {
    const last = runs.at(-1);
    if (last?.arrivalMs === arrivalMs) last.length += 1;
    else runs.push({ arrivalMs, length: 1 });
  }
  return runs;
}
