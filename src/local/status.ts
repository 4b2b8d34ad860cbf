import Table from 'cli-table3';
import pc from 'picocolors';
import type { RowState } from '../core/closing.ts';
import type { WindowRow } from '../core/read.ts';
import type { StageProgress } from './fed-stages.ts';
import { showHead, showValue } from './show-value.ts';

/** The groups of one window that have the most. */
export interface TopTable {
  readonly window: string;
  readonly startMs: number;
  readonly by: readonly string[];
  readonly rows: readonly WindowRow[];
  /** Groups that the window has in all. */
  readonly groups: number;
  /** Of each row, where the pipeline closes the window. */
  readonly states?: readonly RowState[];
}

/** A run at one moment. */
export interface RunStatus {
  readonly sent: number;
  /** Events that will be sent, repeats left out; what is sent can be more. */
  readonly total: number;
  readonly processed: number;
  readonly quarantined: number;
  readonly lagMs: number;
  /** Events processed a second, over the last seconds. */
  readonly rate: number;
  readonly top: TopTable | undefined;
  /** Names of the alarms that are on. */
  readonly alarms: readonly string[];
  /** The pipelines that are fed. */
  readonly fed: readonly StageProgress[];
}

const ROWS_SHOWN = 8;
const BAR_WIDTH = 24;

/** The groups with the most in their first numeric column. */
export function topRows(rows: readonly WindowRow[]): readonly WindowRow[] {
  const size = ({ columns }: WindowRow) =>
    Number(Object.values(columns).find((value) => typeof value === 'number') ?? 0);
  return [...rows].sort((left, right) => size(right) - size(left)).slice(0, ROWS_SHOWN);
}

/** One line: events in, processed, quarantined, lag. */
export function statusLine(status: RunStatus): string {
  const count = (value: number) => value.toLocaleString('en-US');
  return [
    `in ${count(status.sent)}`,
    `processed ${count(status.processed)} (${count(Math.round(status.rate))}/s)`,
    `quarantined ${count(status.quarantined)}`,
    `lag ${(status.lagMs / 1000).toFixed(1)} s`,
    ...status.fed.map(({ pipeline, processed }) => `${pipeline} ${count(processed)}`),
    ...(status.alarms.length === 0 ? [] : [`alarms ${status.alarms.join(', ')}`]),
  ].join(' · ');
}

/** The live picture: a bar, the line, the table. */
export function renderStatus(status: RunStatus): string {
  const share = Math.min(1, status.total === 0 ? 1 : status.processed / status.total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  const head = `${pc.cyan(bar)} ${Math.floor(share * 100)} %  ${statusLine(status)}`;
  return status.top === undefined ? head : `${head}\n\n${renderTop(status.top)}`;
}

/** The table of a window's largest groups. */
export function renderTop({ window, startMs, by, rows, groups, states }: TopTable): string {
  const columns = Object.keys(rows[0]?.columns ?? {});
  const table = new Table({
    head: [
      ...by,
      ...columns.map((name) => showHead(name, rows[0]?.columns[name])),
      ...(states === undefined ? [] : ['state']),
    ].map((name) => pc.bold(name)),
    style: { head: [], border: [], compact: true },
    colAligns: [...by.map(() => 'left' as const), ...columns.map(() => 'right' as const)],
  });
  for (const [index, { group, columns: values }] of rows.entries()) {
    const state = states?.[index];
    table.push([
      ...group.map(String),
      ...columns.map((name) => showValue(values[name])),
      ...(state === undefined ? [] : [state]),
    ]);
  }
  const start = new Date(startMs).toISOString().slice(0, 16).replace('T', ' ');
  const title = `${window} of ${start} UTC: ${rows.length} of ${groups} groups`;
  return `${pc.bold(title)}\n${table.toString()}`;
}
