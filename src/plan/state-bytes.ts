import type { Aggregate } from '../core/program.ts';
import { writeValue } from '../core/value-codec.ts';
import { ByteWriter } from '../core/varint.ts';
import { chanceOf } from './chance.ts';
import type { SampledRow, WindowSample } from './sample.ts';

/** Bytes of a cell's stored state after so many inputs, of which the last came so far into its window. */
export type StateBytes = (inputs: number, elapsedMs: number) => number;

/** Inputs folded at most: sketches hardly grow beyond. */
const COLUMNS_INPUTS_MAX = 32_768;

/** A slot of sessions is at most 500 gaps long: so many inputs leave no gap in it. */
const SESSION_INPUTS_MAX = 4_096;

/** Elapsed times that sessions are measured at. */
const PHASES = 8;

/**
 * How a window's states grow, measured by folding real rows into a cell of the window and encoding it; as
 * long as the definition's estimate where there are no rows.
 */
export function stateBytesOf({ aggregate, rows }: WindowSample): StateBytes {
  if (rows.length === 0) return () => aggregate.stateBytes;
  return aggregate.type === 'session'
    ? sessionBytes(aggregate, rows)
    : columnBytes(aggregate, rows);
}

function bytesOf(aggregate: Aggregate, state: unknown): number {
  const writer = new ByteWriter();
  writeValue(writer, aggregate.cell.encode(state));
  return writer.finish().length;
}

/** Few inputs are folded in so many ways: the size of a small state depends on which ones it has. */
const WAYS = 16;
const WAYS_INPUTS_MAX = 512;

function columnBytes(aggregate: Aggregate, rows: readonly SampledRow[]): StateBytes {
  const ways = Array.from({ length: WAYS }, (_, way) => {
    const from = Math.floor((way * rows.length) / WAYS);
    return sizesOf(aggregate, [...rows.slice(from), ...rows.slice(0, from)], way);
  });
  const sizes = (ways[0] ?? []).map((_, index) => {
    const known = ways.flatMap((one) => one[index] ?? []);
    return known.reduce((sum, size) => sum + size, 0) / known.length;
  });
  return (inputs) => between(sizes, Math.log2(Math.max(1, inputs)));
}

/** Bytes after 1, 2, 4 and so on inputs. */
function sizesOf(aggregate: Aggregate, rows: readonly SampledRow[], way: number): number[] {
  const most = way === 0 ? COLUMNS_INPUTS_MAX : WAYS_INPUTS_MAX;
  const sizes: number[] = [];
  let state = aggregate.cell.empty();
  for (let count = 1; count <= most; count += 1) {
    const inputs = rows[(count - 1) % rows.length]?.inputs ?? [];
    state = aggregate.cell.add(state, { inputs, timeMs: count, name: `event ${count}` });
    if (Number.isInteger(Math.log2(count))) sizes.push(bytesOf(aggregate, state));
  }
  return sizes;
}

/** A value on the line between the two measured ones around it; beyond the last one that. */
function between(sizes: readonly number[], at: number): number {
  const low = Math.min(sizes.length - 1, Math.floor(at));
  const [left = 0, right = left] = sizes.slice(low, low + 2);
  return left + (right - left) * Math.min(1, at - low);
}

/** Sessions depend on how close inputs are, not only on how many: spread over the time as by chance. */
function sessionBytes(aggregate: Aggregate, rows: readonly SampledRow[]): StateBytes {
  const [span] = aggregate.assign(0);
  const slotMs = (span?.endMs ?? 0) - (span?.startMs ?? 0);
  const known = new Map<string, number>();
  return (inputs, elapsedMs) => {
    const phase = Math.max(1, Math.ceil((elapsedMs / slotMs) * PHASES));
    const doublings = Math.round(2 * Math.log2(Math.max(1, inputs))) / 2;
    const name = `${phase} ${doublings}`;
    const bytes =
      known.get(name) ?? spread(aggregate, rows, { doublings, ms: (slotMs * phase) / PHASES });
    known.set(name, bytes);
    return bytes;
  };
}

function spread(
  aggregate: Aggregate,
  rows: readonly SampledRow[],
  { doublings, ms }: { readonly doublings: number; readonly ms: number },
): number {
  const count = Math.min(SESSION_INPUTS_MAX, Math.round(2 ** doublings));
  let state = aggregate.cell.empty();
  for (let index = 0; index < count; index += 1) {
    const inputs = rows[index % rows.length]?.inputs ?? [];
    const timeMs = Math.floor(chanceOf(`session ${index}`) * ms);
    state = aggregate.cell.add(state, { inputs, timeMs, name: `event ${index}` });
  }
  return bytesOf(aggregate, state);
}
