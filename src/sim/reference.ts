import { BatchComputation, type BatchResult, type Verdict } from '../batch/batch.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import { encodePosition } from '../core/position.ts';
import type { Program } from '../core/program.ts';
import type { Fated } from './fates.ts';
import type { SimUnit } from './stream.ts';
import { positionOf } from './watch.ts';

/** What a plain batch computation makes of some events. */
export interface Reference {
  /** Of each writer on its own. */
  readonly writers: ReadonlyMap<string, BatchResult>;
  readonly verdicts: ReadonlyMap<SimUnit, Verdict>;
}

/** What is computed, and with what. */
export interface ReferenceOptions {
  readonly pipeline: AnyPipeline;
  readonly program: Program;
  /** The writers of the shards that a writer's shard came from; none where writers are partitions. */
  readonly parentsOf: (writer: string) => readonly string[];
}

/** Computes what has to come out of the events, which stand in the order of the stream. */
export function computeReference(
  fated: readonly Fated[],
  { pipeline, program, parentsOf }: ReferenceOptions,
): Reference {
  const batches = new Map<string, BatchComputation>();
  const verdicts = new Map<SimUnit, Verdict>();
  const batchOf = (writer: string): BatchComputation => {
    const known = batches.get(writer);
    if (known !== undefined) return known;
    const ancestors = parentsOf(writer).map(batchOf);
    const made = new BatchComputation(pipeline, program, ancestors);
    batches.set(writer, made);
    return made;
  };
  for (const one of fated) {
    if (one.lane.stray) verdicts.set(one.unit, 'unknown-partition');
    else verdicts.set(one.unit, addTo(batchOf(one.lane.writer), one));
  }
  const results = [...batches].map(([writer, batch]) => [writer, batch.result()] as const);
  return { writers: new Map(results), verdicts };
}

/** Takes the event into the computation, which is the next one of its writer. */
export function addTo(batch: BatchComputation, { unit, lane: { writer }, by }: Fated): Verdict {
  return batch.add({
    by,
    bytes: unit.bytes,
    arrivalMs: unit.record.arrivalMs,
    lane: writer,
    name: `${writer} ${encodePosition(positionOf(unit))}`,
  });
}
