import { DEATHS_TO_QUARANTINE } from '../core/attempt.ts';
import { encodePosition } from '../core/position.ts';
import type { Item } from '../ports/table.ts';
import { type EndState, type Fated, type Outcomes, quarantineName } from './fates.ts';
import type { SimUnit } from './stream.ts';
import { positionOf } from './watch.ts';

/**
 * Each refused record is in the quarantine, for the right reason, with all that is needed to bring it
 * back: its very bytes, its position, its arrival and its partition key. Nothing else is there, but
 * traces of records that were lost where nothing is promised.
 */
export function checkQuarantine(state: EndState, outcomes: Outcomes): readonly string[] {
  const { all } = outcomes;
  const items = new Map(
    state.world.quarantineIndex.items().map((item) => [`${item.pk} ${item.sk}`, item]),
  );
  const known = new Map(all.map((one) => [quarantineName(one.unit, one.lane), one]));
  const unknown = [...items.keys()].filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `quarantine ${name}: no such record`),
    ...[...known].flatMap(([name, one]) => judge(state, one, items.get(name), outcomes)),
  ];
}

function judge(
  state: EndState,
  one: Fated,
  item: Item | undefined,
  { reference, unsure }: Outcomes,
): readonly string[] {
  const { unit, lane, fate } = one;
  const name = `quarantine ${lane.writer} ${encodePosition(positionOf(unit))}`;
  const verdict = reference.verdicts.get(unit);
  const expected = verdict === 'accepted' || verdict === 'repeat' ? undefined : verdict;
  if (item === undefined) {
    return fate === 'done' && expected !== undefined ? [`${name}: missing, ${expected}`] : [];
  }
  if (item.r === 'crash') return judgeCrash(state, name, unit);
  // Tries that decided otherwise may have written other documents under the same name.
  if (unsure.has(lane.writer)) return [];
  if (fate === 'done' && expected !== item.r) {
    return [`${name}: got ${item.r}, computed ${verdict}`];
  }
  return judgeDocument(state, name, one, item);
}

/** A record is only called a killer when enough runs with it came to no end. */
function judgeCrash(state: EndState, name: string, { record }: SimUnit): readonly string[] {
  const failed = state.failedRuns.get(record) ?? 0;
  return failed >= DEATHS_TO_QUARANTINE ? [] : [`${name}: crash after ${failed} failed runs`];
}

function judgeDocument(
  { world }: EndState,
  name: string,
  { unit, lane }: Fated,
  item: Item,
): readonly string[] {
  const object = world.quarantine.objects.get(String(item.o));
  const line = Buffer.from(object ?? [])
    .toString()
    .split('\n')[Number(item.l)];
  if (line === undefined || line === '') return [`${name}: its document is missing`];
  const document: Readonly<Record<string, unknown>> = JSON.parse(line);
  const needed = {
    bytes: Buffer.from(unit.bytes).toString('base64'),
    position: encodePosition(positionOf(unit)),
    arrival: new Date(unit.record.arrivalMs).toISOString(),
    partitionKey: unit.partitionKey,
    writer: lane.writer,
    reason: item.r,
  };
  const wrong = Object.entries(needed).filter(([field, value]) => document[field] !== value);
  return wrong.map(([field]) => `${name}: its document has another ${field}`);
}
