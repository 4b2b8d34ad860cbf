import { encodePosition } from '../core/position.ts';
import type { Program } from '../core/program.ts';
import type { Item } from '../ports/table.ts';
import type { Fated, Outcomes } from './fates.ts';
import { eventPlaces, storedEvents } from './stored-items.ts';
import { positionOf } from './watch.ts';

/**
 * Kept events: every accepted one is there under its name, wherever the layout has it, and nothing that was
 * refused or repeated.
 */
export function checkEvents(
  program: Program,
  items: readonly Item[],
  { all, reference, unsure }: Outcomes,
): readonly string[] {
  if (program.settings.retention.eventsMs === null) return [];
  const stored = items.flatMap(storedEvents);
  const places = Map.groupBy(stored, ({ name }) => name);
  const isAccepted = ({ unit }: Fated) => reference.verdicts.get(unit) === 'accepted';
  const accepted = all.filter((one) => one.fate === 'done' && isAccepted(one));
  // One that was quarantined as a killer has no verdict: it may be there, from a try before.
  const mayBe = (one: Fated) => !reference.verdicts.has(one.unit) || isAccepted(one);
  const allowed = new Set(all.filter((one) => one.fate !== 'done' || mayBe(one)).map(placeOf));
  const missing = accepted.filter((one) => {
    const found = new Set(places.get(nameOf(program, one))?.map(({ place }) => place));
    return eventPlaces(program).some((place) => !found.has(place));
  });
  const excess = stored.filter(
    ({ writer, position }) =>
      !unsure.has(writer) && !allowed.has(`${writer} ${encodePosition(position)}`),
  );
  return [
    ...missing.slice(0, 5).map((one) => `event of ${placeOf(one)}: accepted, and not kept`),
    ...excess.slice(0, 5).map(({ name }) => `event ${name}: kept, and not accepted`),
  ];
}

function placeOf({ unit, lane }: Fated): string {
  return `${lane.writer} ${encodePosition(positionOf(unit))}`;
}

/** Source and id, or writer and position where the event has no id. */
function nameOf(program: Program, one: Fated): string {
  const document = JSON.parse(Buffer.from(one.unit.bytes).toString());
  if (program.format === 'cloudevents') return `${document.source} ${document.id}`;
  const validation = program.validate(document);
  const id = validation.ok ? program.idOf(validation.event) : undefined;
  return id === undefined ? placeOf(one) : ` ${id}`;
}
