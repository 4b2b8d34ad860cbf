import { BatchComputation } from '../batch/batch.ts';
import { compareDerived } from '../batch/compare-derived.ts';
import type { Fated } from './fates.ts';
import { addTo, type Reference, type ReferenceOptions } from './reference.ts';
import type { SimWorld } from './world.ts';

/**
 * What was sent to other pipelines: of each accepted event what a batch computation derives, at least once
 * and the same in every copy, and nothing else.
 *
 * @param found `unsure` are records that were lost, given up, or quarantined because runs died with them,
 *   after a run was given them: what is derived of them may have been sent or not
 */
export function checkOutlets(
  outlets: SimWorld['outlets'],
  found: {
    readonly options: ReferenceOptions;
    readonly reference: Reference;
    readonly unsure: readonly Fated[];
  },
): readonly string[] {
  const computed = [...found.reference.writers.values()].flatMap(({ derived }) => derived);
  const excused = new Set(found.unsure.flatMap((one) => namesOf(one, found.options)));
  return Object.entries(outlets).flatMap(([name, { outlet, partitions }]) =>
    compareDerived(
      outlet.records,
      computed.filter(({ output }) => output === name),
      partitions,
    )
      .filter(({ where, computed: due }) => due !== undefined || !excused.has(where))
      .map(
        ({ where, stored, computed: due }) =>
          `output ${name}: ${where}: sent ${JSON.stringify(stored)}, derived ${JSON.stringify(due)}`,
      ),
  );
}

/** Of a record on its own. */
function namesOf(one: Fated, { pipeline, program }: ReferenceOptions): readonly string[] {
  if (one.lane.stray) return [];
  const alone = new BatchComputation(pipeline, program);
  addTo(alone, one);
  return alone.result().derived.map(({ name }) => name);
}
