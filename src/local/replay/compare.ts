import type { WindowRow } from '../../core/read.ts';
import type { GenerationDescription } from '../../handlers/generation-rows.ts';
import { askDescription, askRows, type Replayer } from './ask.ts';

/** How far apart two numbers of a column are, over all rows. */
export interface ColumnChange {
  readonly column: string;
  readonly rows: number;
  /** Sum of right less left over rows where both are numbers; undefined where none are. */
  readonly difference: number | undefined;
  /** The largest distance among them. */
  readonly largest: number | undefined;
}

/** One row that differs. */
export interface ChangedRow {
  readonly start: string;
  readonly group: readonly unknown[];
  /** Columns that differ: what the one and the other generation have. */
  readonly columns: Readonly<Record<string, readonly [left: unknown, right: unknown]>>;
}

/** How a window's results differ between two generations. */
export interface WindowComparison {
  readonly window: string;
  /** Rows of windows that are whole in both. */
  readonly compared: number;
  readonly equal: number;
  readonly changed: number;
  readonly onlyLeft: number;
  readonly onlyRight: number;
  readonly columns: readonly ColumnChange[];
  /** Some of the changed rows. */
  readonly samples: readonly ChangedRow[];
}

/** What is compared. */
export interface CompareOptions {
  readonly left: Replayer;
  readonly right: Replayer;
  /** Windows that settle later are left out, milliseconds since 1970 UTC; undefined: none. */
  readonly untilMs: number | undefined;
}

/** How two generations differ. */
export interface GenerationComparison {
  readonly windows: readonly WindowComparison[];
  /** Windows that only one of the pipelines has. */
  readonly onlyLeft: readonly string[];
  readonly onlyRight: readonly string[];
}

const SAMPLES = 5;

/** Compares the windows that both have, where both are whole. */
export async function compareGenerations(options: CompareOptions): Promise<GenerationComparison> {
  const left = await askDescription(options.left);
  const right = await askDescription(options.right);
  const names = (one: GenerationDescription) => one.windows.map(({ name }) => name);
  const windows: WindowComparison[] = [];
  for (const window of left.windows) {
    const other = right.windows.find(({ name }) => name === window.name);
    if (other === undefined) continue;
    const fromMs = Math.max(
      window.wholeFromMs ?? Number.NEGATIVE_INFINITY,
      other.wholeFromMs ?? Number.NEGATIVE_INFINITY,
    );
    const settlesMs = Math.max(window.settlesMs, other.settlesMs);
    const toMs = options.untilMs === undefined ? undefined : options.untilMs - settlesMs;
    const isWhole = ({ startMs, endMs }: WindowRow) =>
      startMs >= fromMs && (toMs === undefined || endMs <= toMs);
    const read = async (replayer: Replayer) => rowsOf(replayer, window.name, isWhole);
    windows.push(compareRows(window.name, await read(options.left), await read(options.right)));
  }
  return {
    windows,
    onlyLeft: names(left).filter((name) => !names(right).includes(name)),
    onlyRight: names(right).filter((name) => !names(left).includes(name)),
  };
}

type Rows = ReadonlyMap<string, WindowRow>;

async function rowsOf(
  replayer: Replayer,
  window: string,
  isWanted: (row: WindowRow) => boolean,
): Promise<Rows> {
  const rows = new Map<string, WindowRow>();
  let after: number | null | undefined;
  do {
    const page = await askRows(replayer, { window, ...(after == null ? {} : { after }) });
    for (const row of page.rows.filter(isWanted)) {
      rows.set(`${row.startMs} ${JSON.stringify(row.group)}`, row);
    }
    after = page.next;
  } while (after !== null);
  return rows;
}

/** Compares rows by window and group. */
export function compareRows(window: string, left: Rows, right: Rows): WindowComparison {
  const columns = new Map<string, { rows: number; pairs: number; sum: number; largest: number }>();
  const samples: ChangedRow[] = [];
  let [equal, changed, onlyLeft] = [0, 0, 0];
  for (const [key, row] of left) {
    const other = right.get(key);
    if (other === undefined) {
      onlyLeft += 1;
      continue;
    }
    const differing = differingColumns(row, other);
    if (differing.length === 0) equal += 1;
    else changed += 1;
    for (const [column, one, two] of differing) note(columns, column, [one, two]);
    if (differing.length > 0 && samples.length < SAMPLES) samples.push(sampleOf(row, differing));
  }
  const onlyRight = [...right.keys()].filter((key) => !left.has(key)).length;
  return {
    window,
    compared: left.size + onlyRight,
    equal,
    changed,
    onlyLeft,
    onlyRight,
    columns: [...columns].map(([column, { rows, pairs, sum, largest }]) => ({
      column,
      rows,
      difference: pairs === 0 ? undefined : sum,
      largest: pairs === 0 ? undefined : largest,
    })),
    samples,
  };
}

type Differing = readonly [column: string, left: unknown, right: unknown];

function differingColumns(left: WindowRow, right: WindowRow): readonly Differing[] {
  const names = new Set([...Object.keys(left.columns), ...Object.keys(right.columns)]);
  const own = [...names].map((name): Differing => [name, left.columns[name], right.columns[name]]);
  const all: readonly Differing[] = [...own, ['end', left.endMs, right.endMs]];
  return all.filter(([, one, two]) => JSON.stringify(one) !== JSON.stringify(two));
}

function note(
  columns: Map<string, { rows: number; pairs: number; sum: number; largest: number }>,
  column: string,
  [left, right]: readonly [unknown, unknown],
): void {
  const known = columns.get(column) ?? { rows: 0, pairs: 0, sum: 0, largest: 0 };
  known.rows += 1;
  if (typeof left === 'number' && typeof right === 'number') {
    known.pairs += 1;
    known.sum += right - left;
    known.largest = Math.max(known.largest, Math.abs(right - left));
  }
  columns.set(column, known);
}

function sampleOf({ startMs, group }: WindowRow, differing: readonly Differing[]): ChangedRow {
  const columns = differing.map(([column, left, right]) => [column, [left, right]] as const);
  return { start: new Date(startMs).toISOString(), group, columns: Object.fromEntries(columns) };
}
