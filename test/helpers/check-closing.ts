import { type BatchResult, resultName } from '../../src/batch/batch.ts';
import { compareResults } from '../../src/batch/compare.ts';
import type { WindowEvent } from '../../src/core/closing.ts';
import type { Program } from '../../src/core/program.ts';

/** What is checked. */
export interface ClosingEnd {
  readonly program: Program;
  /** What a batch computation of everything gives. */
  readonly computed: BatchResult;
  /** Everything that was published, in the order in which it came. */
  readonly events: readonly WindowEvent[];
}

/** What is wrong with what was published, once every window is final; none where all holds. */
export function checkClosing(end: ClosingEnd): readonly string[] {
  return [...checkIds(end), ...checkChains(end), ...checkNewest(end)];
}

/** One id, one content, in every try. */
function checkIds({ events }: ClosingEnd): readonly string[] {
  const contents = Map.groupBy(events, ({ id }) => id);
  return [...contents].flatMap(([id, all]) => {
    const texts = new Set(all.map((event) => JSON.stringify(event)));
    return texts.size === 1 ? [] : [`${id} has ${texts.size} contents`];
  });
}

/** The revisions of a row, each once, the newest last. */
function rowsOf(events: readonly WindowEvent[]): ReadonlyMap<string, readonly WindowEvent[]> {
  const distinct = [...new Map(events.map((event) => [event.id, event])).values()];
  const rows = Map.groupBy(distinct, ({ window, start, group }) =>
    resultName(window, Date.parse(start), JSON.stringify(Object.values(group))),
  );
  for (const all of rows.values()) all.sort((left, right) => left.revision - right.revision);
  return rows;
}

/** Each revision of a row replaces the one before it. */
function checkChains({ events }: ClosingEnd): readonly string[] {
  return [...rowsOf(events)].flatMap(([name, all]) =>
    all.flatMap((event, index) => {
      const before = all[index - 1];
      // A row that was withdrawn begins anew.
      const expected = before === undefined || before.result === null ? 0 : before.revision;
      const says = `${name}: revision ${event.revision} replaces ${event.replaces}`;
      return event.replaces === expected ? [] : [`${says}, expected ${expected}`];
    }),
  );
}

/** Who has read everything knows what a batch computation of the same records gives. */
function checkNewest({ program, computed, events }: ClosingEnd): readonly string[] {
  const closes = new Set(program.aggregates.flatMap(({ closes, name }) => (closes ? [name] : [])));
  const sessions = new Set(
    program.aggregates.flatMap(({ type, name }) => (type === 'session' ? [name] : [])),
  );
  const newest = [...rowsOf(events)].flatMap(([name, all]) => {
    const last = all.at(-1);
    if (last?.result == null) return [];
    const ends = sessions.has(last.window) ? { endMs: Date.parse(last.end) } : {};
    return [[name, { ...last.result, ...ends }] as const];
  });
  const expected = [...computed.rows].filter(([name]) => closes.has(name.split(' ')[0] ?? ''));
  const { differences } = compareResults(
    { rows: new Map(newest), refused: new Map() },
    { ...computed, rows: new Map(expected), refused: new Map() },
  );
  return differences.map(
    ({ where, stored, computed: right }) =>
      `${where}: published ${JSON.stringify(stored)}, computed ${JSON.stringify(right)}`,
  );
}
