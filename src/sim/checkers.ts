import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Item } from '../ports/table.ts';
import { checkNewest, checkPublished } from './check-closing.ts';
import { checkEvents } from './check-events.ts';
import { checkFailures } from './check-failures.ts';
import { checkOutlets } from './check-outlets.ts';
import { checkQuarantine } from './check-quarantine.ts';
import { checkResults, rowsOf } from './check-results.ts';
import {
  checkFates,
  type EndState,
  type Fated,
  fates,
  parentWriters,
  quarantineName,
} from './fates.ts';
import { computeReference } from './reference.ts';
import { isPage } from './stored-items.ts';

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
  const cells = world.aggregates.items().filter(isPage);
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
    ...checkClosing(state, cells),
    // What died may have been sent by a try whose death nobody noted, as it may have been folded.
    ...checkOutlets(world.outlets, { options, reference, unsure: [...unsure, ...killers] }),
  ];
}

/** Every row of a window that closes was published as it is stored, unless nothing came since the stream was made. */
function checkClosing(
  { world, program, epochs, closes }: EndState,
  cells: readonly Item[],
): readonly string[] {
  const { events } = world.publisher;
  const found = checkPublished(events);
  const lives = world.ledger.items().some(({ pk }) => pk.includes(epochs.at(-1) ?? ''));
  if (!closes || !lives || found.length > 0) return found;
  return checkNewest(program, events, rowsOf(program, cells));
}

/** Names of the records that were quarantined because they kill the function. */
function crashedOf({ world }: EndState): ReadonlySet<string> {
  const items = world.quarantineIndex.items().filter(({ r }) => r === 'crash');
  return new Set(items.map(({ pk, sk }) => `${pk} ${sk}`));
}
