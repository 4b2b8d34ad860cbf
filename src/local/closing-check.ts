import { systemClock } from '../adapters/aws/clock.ts';
import { systemRandom } from '../adapters/aws/random.ts';
import { makeAwsTable } from '../adapters/aws/table.ts';
import { type BatchResult, resultName } from '../batch/batch.ts';
import { compareResults, type Difference } from '../batch/compare.ts';
import {
  finalAt,
  publishedRows,
  type Revision,
  type RowState,
  rowStates,
  type WindowEvent,
  windowEvents,
} from '../core/closing.ts';
import type { Aggregate } from '../core/program.ts';
import type { WindowRow } from '../core/read.ts';
import { readAllRevisions, readClosedThrough, readRevisions } from '../handlers/read-revisions.ts';
import type { RetryContext } from '../handlers/retry.ts';
import type { Table } from '../ports/table.ts';
import type { ResultSource } from './results.ts';

/** What is known of closed windows at one moment. */
export interface ClosedState {
  readonly aggregate: Aggregate;
  readonly throughMs: number | undefined;
  readonly revisions: ReadonlyMap<number, readonly Revision[]>;
}

/** How closing went. */
export interface ClosingResult {
  /** Windows that were published, and rows of them. */
  readonly windows: number;
  readonly rows: number;
  /** Rows that stand in a later revision than their first. */
  readonly corrected: number;
  /** Rows that are not final yet. */
  readonly open: number;
  /** Events that were heard in this run. */
  readonly heard: number;
  readonly differences: readonly Difference[];
}

/** Whether the rows of one window can still change without anybody being told. */
export async function readRowStates(
  source: ResultSource,
  aggregate: Aggregate,
  { startMs, rows }: { readonly startMs: number; readonly rows: readonly WindowRow[] },
): Promise<readonly RowState[]> {
  const window = { table: tableOf(source), aggregate, windowMs: startMs };
  return rowStates(rows, await readRevisions(window, context()));
}

function tableOf({ client, deployment }: ResultSource): Table {
  return makeAwsTable({ client, tableName: deployment.aggregatesTable, clock: systemClock });
}

function context(): RetryContext {
  return { clock: systemClock, random: systemRandom, deadlineMs: Date.now() + 60_000 };
}

/** Reads how far every window that the pipeline closes is. */
export async function readClosed(source: ResultSource): Promise<readonly ClosedState[]> {
  const table = tableOf(source);
  const states: ClosedState[] = [];
  for (const aggregate of source.program.aggregates.filter(({ closes }) => closes)) {
    const throughMs = await readClosedThrough({ table, aggregate }, context());
    const revisions = await readAllRevisions({ table, aggregate }, context());
    states.push({ aggregate, throughMs, revisions });
  }
  return states;
}

/**
 * Holds what was published against a batch computation, final windows only, and what was heard against what
 * is kept: every revision of this run, whole, under its id.
 */
export function checkClosed(
  {
    before,
    after,
  }: { readonly before: readonly ClosedState[]; readonly after: readonly ClosedState[] },
  heard: readonly WindowEvent[],
  computed: BatchResult,
): ClosingResult {
  const rows = after.flatMap((state) => publishedOf(state));
  const final = after.flatMap((state) => finalOf(state, computed));
  const { differences } = compareResults(
    { rows: new Map(rows.map(({ name, columns }) => [name, columns])), refused: new Map() },
    { ...computed, rows: new Map(final), refused: new Map(), doubts: new Map() },
  );
  const closing = new Set(after.map(({ aggregate }) => aggregate.name));
  const all = [...computed.rows.keys()].filter((name) => closing.has(name.split(' ')[0] ?? ''));
  return {
    windows: after.reduce((sum, { revisions }) => sum + revisions.size, 0),
    rows: rows.length,
    corrected: rows.filter(({ replaces }) => replaces > 0).length,
    open: all.length - final.length,
    heard: heard.length,
    differences: [...differences, ...unheard(eventsOf(after), eventsOf(before), heard)],
  };
}

interface PublishedRow {
  readonly name: string;
  readonly columns: Readonly<Record<string, unknown>>;
  readonly replaces: number;
}

function publishedOf({ aggregate, revisions }: ClosedState): readonly PublishedRow[] {
  return [...revisions.values()].flatMap((own) =>
    [...publishedRows(own).values()].map(({ row }) => ({
      name: resultName(aggregate.name, row.startMs, JSON.stringify(row.group)),
      columns: { ...row.columns, ...(aggregate.type === 'session' ? { endMs: row.endMs } : {}) },
      replaces: row.replaces,
    })),
  );
}

/** The computed rows that are final at the watermark through which windows are closed. */
function finalOf({ aggregate, throughMs }: ClosedState, { rows }: BatchResult) {
  return [...rows].filter(([name, columns]) => {
    const [window = '', start = ''] = name.split(' ');
    if (window !== aggregate.name || throughMs === undefined) return false;
    const startMs = Date.parse(start);
    const span = aggregate.assign(startMs).find((one) => one.startMs === startMs);
    const endMs = aggregate.type === 'session' ? Number(columns.endMs) : (span?.endMs ?? startMs);
    return finalAt(aggregate, { endMs }) <= throughMs;
  });
}

function eventsOf(states: readonly ClosedState[]): ReadonlyMap<string, string> {
  const events = states.flatMap(({ aggregate, revisions }) =>
    [...revisions].flatMap(([windowMs, own]) =>
      own.flatMap((revision) => windowEvents(aggregate, windowMs, revision)),
    ),
  );
  return new Map(events.map((event) => [event.id, JSON.stringify(event)]));
}

function unheard(
  after: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, string>,
  heard: readonly WindowEvent[],
): readonly Difference[] {
  const told = new Map(heard.map((event) => [event.id, JSON.stringify(event)]));
  const names = new Set([...[...after.keys()].filter((id) => !before.has(id)), ...told.keys()]);
  return [...names].flatMap((id) =>
    told.get(id) === after.get(id)
      ? []
      : [{ where: `event ${id}`, stored: told.get(id), computed: after.get(id) }],
  );
}
