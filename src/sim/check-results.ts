import { BatchComputation, type BatchResult, type BatchRows, resultName } from '../batch/batch.ts';
import { compareResults, type Difference } from '../batch/compare.ts';
import type { Program } from '../core/program.ts';
import type { Item } from '../ports/table.ts';
import type { Fated } from './fates.ts';
import { addTo, type Reference, type ReferenceOptions } from './reference.ts';
import { cellPlaces, resultRows, writerOfCells } from './stored-items.ts';
import { unordered, WITNESS } from './witness.ts';

/** What is compared. */
export interface ResultsCheck {
  readonly options: ReferenceOptions;
  /** All items of the aggregates table. */
  readonly cells: readonly Item[];
  /** Records that are done, in the order of the stream; those that crashed the function left out. */
  readonly done: readonly Fated[];
  /** Records that were lost, or given up, after a run was given them: they may stand in some cells only. */
  readonly unsure: readonly Fated[];
  readonly reference: Reference;
  /**
   * What else may have come out: the same with a record that was quarantined because runs died with it. One
   * that does not kill may have been folded by a try whose death nobody noted, before a container that notes
   * deaths met it.
   */
  readonly others: () => readonly Reference[];
  readonly comparesMerged: boolean;
}

/**
 * Exactly once and in order: what each writer stored equals a batch computation over its records, its
 * witness included; and so do the results over all writers, in some schedules.
 *
 * A record that was lost, in a way that is not promised, while it was being folded may stand in some of
 * its cells and not in others: rows that it touches are left out.
 */
export function checkResults(check: ResultsCheck): readonly string[] {
  const { cells, reference, options } = check;
  const items = Map.groupBy(cells, writerOfCells);
  const excused = excusedRows(check);
  const writers = new Set([...items.keys(), ...reference.writers.keys()]);
  const found = [...writers].flatMap((writer) => {
    const stored = rowsOf(options.program, items.get(writer) ?? []);
    const against = (computed: Reference) =>
      differencesOf(options.program, stored, computed.writers.get(writer) ?? NOTHING);
    const nameOf = ({ where }: Difference) => rowName(options.program, where);
    const differences = against(reference);
    const others = differences.length === 0 ? [] : check.others().map(against);
    const isAmongOthers = (row: string) =>
      others.some((other) => !other.some((one) => nameOf(one) === row));
    return differences
      .filter((one) => excused.get(writer)?.has(nameOf(one)) !== true)
      .filter((one) => !isAmongOthers(nameOf(one)))
      .map((difference) => `${writer} ${told(difference)}`);
  });
  if (found.length > 0 || excused.size > 0) return found;
  const comparesMerged = check.comparesMerged && check.others().length === 0;
  return [...checkPlaces(check), ...(comparesMerged ? checkMerged(check) : [])];
}

/** A cell of a writer is stored once. */
function checkPlaces({ options, cells }: ResultsCheck): readonly string[] {
  const seen = new Set<string>();
  const places = cellPlaces(options.program, cells);
  const twice = places.filter((name) => seen.size === seen.add(name).size);
  return twice.map((name) => `cell ${name}: is stored twice`);
}

/** The results over all writers, without the order, which there is only within one. */
function checkMerged({ options, cells, done }: ResultsCheck): readonly string[] {
  const { pipeline, program } = options;
  if (program.settings.partitions === 'shard') return [];
  const batch = new BatchComputation(pipeline, program);
  for (const one of done) if (!one.lane.stray) addTo(batch, one);
  return differencesOf(program, rowsOf(program, cells), batch.result())
    .filter(({ where }) => !where.endsWith(` ${WITNESS}`))
    .map(told);
}

/** Rows of each writer that an unsure record may touch: of each on its own. */
function excusedRows({ unsure, options }: ResultsCheck): ReadonlyMap<string, ReadonlySet<string>> {
  const { pipeline, program } = options;
  const excused = new Map<string, Set<string>>();
  for (const one of unsure) {
    const alone = new BatchComputation(pipeline, program);
    addTo(alone, one);
    const rows = excused.get(one.lane.writer) ?? new Set();
    for (const name of alone.result().rows.keys()) rows.add(rowName(program, name));
    excused.set(one.lane.writer, rows);
  }
  return excused;
}

/**
 * `window start group`, without the column: a group is JSON and ends with a bracket. Of a session the
 * start is left out, which an event more or less moves.
 */
function rowName({ aggregates }: Program, where: string): string {
  const row = where.slice(0, where.lastIndexOf(']') + 1);
  const [window = '', start = ''] = row.split(' ', 2);
  const isSession = aggregates.some(({ name, type }) => name === window && type === 'session');
  return isSession ? row.replace(` ${start}`, '') : row;
}

/** What the pages add up to, by window, start and group; sessions with their end. */
export function rowsOf(program: Program, items: readonly Item[]): BatchRows {
  return new Map(
    resultRows(program, items).map(({ aggregate, startMs, endMs, group, columns }) => [
      resultName(aggregate.name, startMs, JSON.stringify(group)),
      aggregate.type === 'session' ? { ...columns, endMs } : columns,
    ]),
  );
}

const NONE: BatchResult['refused'] = new Map();
const NOTHING: BatchResult = {
  rows: new Map(),
  accepted: 0,
  repeats: 0,
  refused: NONE,
  doubts: new Map(),
  derived: [],
};

/** The quarantine is compared record by record elsewhere. */
function differencesOf(
  program: Program,
  stored: BatchRows,
  computed: BatchResult,
): readonly Difference[] {
  const result = { ...computed, rows: withoutOrder(program, computed.rows), refused: NONE };
  return compareResults({ rows: withoutOrder(program, stored), refused: NONE }, result).differences;
}

/** Sessions are merged from parts: their rows have no order. */
function withoutOrder({ aggregates }: Program, rows: BatchRows): BatchRows {
  const sessions = aggregates.filter(({ type }) => type === 'session').map(({ name }) => name);
  if (sessions.length === 0) return rows;
  return new Map(
    [...rows].map(([name, columns]) => [
      name,
      sessions.some((session) => name.startsWith(`${session} `)) ? unordered(columns) : columns,
    ]),
  );
}

function told({ where, stored, computed }: Difference): string {
  return `${where}: stored ${JSON.stringify(stored)}, computed ${JSON.stringify(computed)}`;
}
