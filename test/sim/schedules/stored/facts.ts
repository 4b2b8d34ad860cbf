import { BatchComputation, type BatchRows } from '../../../../src/batch/batch.ts';
import type { AnyPipeline } from '../../../../src/core/pipeline/types.ts';
import type { Program } from '../../../../src/core/program.ts';
import type { SimResult } from '../../../../src/sim/schedule.ts';
import { sipHash24 } from './hashes.ts';

/** What became of a record, by a batch computation; and what stands in it. */
export interface Fact {
  readonly verdict: ReturnType<BatchComputation['add']>;
  readonly lane: string;
  readonly shard: number;
  readonly sequence: string;
  /** Place in an aggregated record, else 0. */
  readonly index: number;
  readonly partitionKey: string;
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
  /** Of the envelope; '' where it can't be read. */
  readonly source: string;
  readonly id: string;
  /** The event, where it can be read. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** What should be stored, as far as it follows from the stream. */
export interface Facts {
  readonly result: SimResult;
  readonly pipeline: AnyPipeline;
  readonly program: Program;
  /** Names of writers start with it. */
  readonly epoch: string;
  /** By lane, in the order of the stream. */
  readonly lanes: ReadonlyMap<string, readonly Fact[]>;
  /** The results of each lane alone. */
  readonly rows: ReadonlyMap<string, BatchRows>;
  readonly endMs: number;
}

/** The facts of a simulation of a pipeline with partitions, whose records all name one. */
export function factsOf(result: SimResult, pipeline: AnyPipeline, program: Program): Facts {
  const lanes = new Map<string, Fact[]>();
  const batches = new Map<string, BatchComputation>();
  for (const { units, shard, sequence, arrivalMs } of result.records) {
    for (const { bytes, partitionKey, index } of units) {
      const lane = partitionKey.replace('p-', 'p');
      const batch = batches.get(lane) ?? new BatchComputation(pipeline, program);
      batches.set(lane, batch);
      const verdict = batch.add({ bytes, lane, arrivalMs });
      const place = { lane, shard, sequence, index, partitionKey };
      // Lambda tells seconds with three digits.
      const fact = { ...openOf(bytes), ...place, bytes, verdict, arrivalMs: Math.round(arrivalMs) };
      lanes.set(lane, [...(lanes.get(lane) ?? []), fact]);
    }
  }
  const rows = [...batches].map(([lane, batch]) => [lane, batch.result().rows] as const);
  const { nowMs: endMs = 0 } = result.trace.at(-1) ?? {};
  return { result, pipeline, program, epoch: epochOf(result), lanes, rows: new Map(rows), endMs };
}

function openOf(bytes: Uint8Array): Pick<Fact, 'source' | 'id' | 'data'> {
  try {
    const { source, id, data } = JSON.parse(Buffer.from(bytes).toString());
    return { source, id, data };
  } catch {
    return { source: '', id: '', data: {} };
  }
}

/** The stream's creation in seconds, base 36, and half a hash over its ARN and creation. */
export function epochOf({ startMs }: Pick<SimResult, 'startMs'>): string {
  const arn = 'arn:aws:kinesis:eu-west-1:111122223333:stream/simulated';
  const createdMs = startMs - 1_000;
  const hash = sipHash24(Buffer.from('millrace epoch 1'), Buffer.from(`${arn} ${createdMs}`));
  const high = (hash >> 32n).toString(16).padStart(8, '0');
  return `${Math.floor(createdMs / 1000).toString(36)}-${high}`;
}

/** Characters of a value that are told. */
const SHOWN = 300;

/** A position in the ledger. */
export function positionOf({ shard, sequence, index }: Fact): string {
  return `${shard}:${sequence}:${index}`;
}

/** A position in pages and events. */
export function packedOf({ shard, sequence, index }: Fact): string {
  return `${shard}.${BigInt(sequence).toString(36)}${index === 0 ? '' : `.${index}`}`;
}

/** Says what differs, if anything. */
export function differs(where: string, got: unknown, expected: unknown): readonly string[] {
  const [left, right] = [JSON.stringify(got), JSON.stringify(expected)];
  if (left === right) return [];
  return [`${where}: got ${left?.slice(0, SHOWN)}, expected ${right?.slice(0, SHOWN)}`];
}

/** Says when a number is out of its range. */
export function outside(
  where: string,
  got: unknown,
  [low, high]: readonly [number, number],
): readonly string[] {
  const fits = typeof got === 'number' && got >= low && got <= high;
  return fits ? [] : [`${where}: got ${got}, expected ${low} to ${high}`];
}

/** Says when an item has other attributes than these. */
export function attributes(
  where: string,
  item: object,
  names: readonly string[],
): readonly string[] {
  return differs(`${where}: attributes`, Object.keys(item).sort(), [...names].sort());
}
