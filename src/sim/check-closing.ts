import { type BatchRows, resultName } from '../batch/batch.ts';
import type { WindowEvent } from '../core/closing.ts';
import type { Program } from '../core/program.ts';
import { WITNESS } from './witness.ts';

/** What is wrong with what was published, whatever the results are: an id with two contents, a gap in a chain. */
export function checkPublished(events: readonly WindowEvent[]): readonly string[] {
  return [...checkIds(events), ...checkChains(events)];
}

/** Who has read all events knows the results of the windows that are closed, as they are stored. */
export function checkNewest(
  program: Program,
  events: readonly WindowEvent[],
  stored: BatchRows,
): readonly string[] {
  const newest = newestRows(program, events);
  const names = new Set([...newest.keys(), ...closingRows(program, stored).keys()]);
  return [...names].flatMap((name) => {
    const [published, right] = [textOf(newest.get(name)), textOf(stored.get(name))];
    return published === right ? [] : [`${name}: published ${published}, stored ${right}`];
  });
}

/** The rows of the windows that are closed. */
export function closingRows({ aggregates }: Program, rows: BatchRows): BatchRows {
  const closes = new Set(aggregates.flatMap(({ closes, name }) => (closes ? [name] : [])));
  return new Map([...rows].filter(([name]) => closes.has(name.split(' ')[0] ?? '')));
}

/** The rows as the newest revision of each says; a session with its end. */
export function newestRows({ aggregates }: Program, events: readonly WindowEvent[]): BatchRows {
  const sessions = new Set(
    aggregates.flatMap(({ type, name }) => (type === 'session' ? [name] : [])),
  );
  return new Map(
    [...revisionsOf(events)].flatMap(([name, all]) => {
      const last = all.at(-1);
      if (last?.result == null) return [];
      const ends = sessions.has(last.window) ? { endMs: Date.parse(last.end) } : {};
      return [[name, { ...last.result, ...ends }] as const];
    }),
  );
}

/** One id, one content, in every try. */
function checkIds(events: readonly WindowEvent[]): readonly string[] {
  const contents = Map.groupBy(events, ({ id }) => id);
  return [...contents].flatMap(([id, all]) => {
    const texts = new Set(all.map((event) => JSON.stringify(event)));
    return texts.size === 1 ? [] : [`${id} has ${texts.size} contents`];
  });
}

/** Each revision of a row replaces the one before it. */
function checkChains(events: readonly WindowEvent[]): readonly string[] {
  return [...revisionsOf(events)].flatMap(([name, all]) =>
    all.flatMap((event, index) => {
      const before = all[index - 1];
      // A row that was withdrawn begins anew.
      const expected = before === undefined || before.result === null ? 0 : before.revision;
      const says = `${name}: revision ${event.revision} replaces ${event.replaces}`;
      return event.replaces === expected ? [] : [`${says}, expected ${expected}`];
    }),
  );
}

/** The revisions of each row, each once, the newest last. */
function revisionsOf(events: readonly WindowEvent[]): ReadonlyMap<string, readonly WindowEvent[]> {
  const distinct = [...new Map(events.map((event) => [event.id, event])).values()];
  const rows = Map.groupBy(distinct, ({ window, start, group }) =>
    resultName(window, Date.parse(start), JSON.stringify(Object.values(group))),
  );
  for (const all of rows.values()) all.sort((left, right) => left.revision - right.revision);
  return rows;
}

/** Without the witness: the parts of a window are merged in any order. */
function textOf(
  columns: BatchRows extends ReadonlyMap<string, infer Row> ? Row | undefined : never,
) {
  if (columns === undefined) return 'nothing';
  const { [WITNESS]: _order, ...rest } = columns;
  return JSON.stringify(rest);
}
