import type { AnyPipeline } from '../core/pipeline/types.ts';
import { checkEvents } from './check-events.ts';
import { checkFailures } from './check-failures.ts';
import { checkOutlets } from './check-outlets.ts';
import { checkQuarantine } from './check-quarantine.ts';
import { checkResults } from './check-results.ts';
import {
  checkFates,
  type EndState,
  type Fated,
  fates,
  parentWriters,
  quarantineName,
} from './fates.ts';
import { computeReference } from './reference.ts';

/**
 * The end state's violations; none where all holds. Each check stands in a file of its own, apart from
 * the code that it checks; `watch.ts` looks at every write meanwhile.
 */
export function checkEnd(state: EndState, pipeline: AnyPipeline): readonly string[] {
  const { world, program, stream, epochs } = state;
  const all = fates(state);
  const crashed = crashedOf(state);
  const counts = (one: Fated) => !crashed.has(quarantineName(one.unit, one.lane));
  const finished = all.filter(({ fate }) => fate === 'done');
  const done = finished.filter(counts);
  const givenUp = new Set(
    state.discards.flatMap(({ batch }) => batch.records.map(({ payload }) => payload.record)),
  );
  // One that was given up may be done all the same: a try ended too late for the mapping to hear of it.
  const unsure = all.filter(
    ({ fate, unit: { record } }) =>
      givenUp.has(record) || (fate !== 'done' && state.delivered.has(record)),
  );
  const options = {
    pipeline,
    program,
    parentsOf: (writer: string) => parentWriters(writer, stream, epochs),
  };
  const reference = computeReference(done, options);
  const killers = finished.filter((one) => !counts(one));
  const others = () => [
    ...killers.map((killer) =>
      computeReference(
        finished.filter((one) => counts(one) || one === killer),
        options,
      ),
    ),
    ...(killers.length > 1 ? [computeReference(finished, options)] : []),
  ];
  const cells = world.aggregates.items();
  const writers = new Set(unsure.map(({ lane }) => lane.writer));
  return [
    ...checkFates(all, state.mayGiveUp),
    ...checkFailures(state),
    ...checkResults({
      options,
      cells,
      done,
      unsure,
      reference,
      others,
      comparesMerged: state.comparesMerged,
    }),
    ...checkQuarantine(state, { all, reference, unsure: writers }),
    ...checkEvents(program, world.events.items(), { all, reference, unsure: writers }),
    ...checkOutlets(world.outlets, { options, reference, unsure }),
  ];
}

/** Names of the records that were quarantined because they kill the function. */
function crashedOf({ world }: EndState): ReadonlySet<string> {
  const items = world.quarantineIndex.items().filter(({ r }) => r === 'crash');
  return new Set(items.map(({ pk, sk }) => `${pk} ${sk}`));
}
