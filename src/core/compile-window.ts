import { columnsCell, isGroupValue, sessionsCell } from './cell.ts';
import { compileColumn } from './compile-column.ts';
import { reader, TransformError } from './compile-field.ts';
import { durationMs } from './duration.ts';
import { DefinitionError } from './errors.ts';
import { layoutOf } from './layout.ts';
import { GROUP_BYTES_MAX, PAGE_BYTES } from './page.ts';
import type { AnyPipeline, WindowDefinition } from './pipeline/types.ts';
import type { Aggregate, Column, GroupValue, WindowSpan } from './program.ts';
import { hoppingSpans, tumblingSpan } from './window.ts';

/** A window and the pipeline that it stands in. */
export interface WindowSource {
  readonly pipeline: AnyPipeline;
  readonly name: string;
  readonly window: WindowDefinition;
}

/** What differs between the kinds of windows. */
type Timing = Pick<Aggregate, 'cell' | 'assign' | 'isLive'> & { readonly gridMs: number };

/** A window ready to run. @throws DefinitionError */
export function compileWindow(source: WindowSource): Aggregate {
  const { pipeline, name, window } = source;
  const path = `${pipeline.name}.windows.${name}`;
  const columns = Object.entries(window.keep).map(([column, definition]) =>
    compileColumn(`${path}.${column}`, column, definition),
  );
  const latenessMs = durationMs(path, window.lateness ?? pipeline.lateness);
  const retentionMs = durationMs(path, window.retention ?? pipeline.retention.windows);
  const { gridMs, ...timing } = timingOf(path, window, { columns, latenessMs });
  const stateBytes = fittedStateBytes(path, window, columns);
  const groupReaders = window.by.map((field) => ({ field, read: reader(`${path}.by`, field) }));
  const where = window.where as ((row: unknown) => unknown) | undefined;
  return {
    name,
    type: window.type,
    latenessMs,
    retentionMs,
    gapMs: window.gap === undefined ? 0 : durationMs(`${path}.gap`, window.gap),
    closes: pipeline.closing?.windows.includes(name) ?? false,
    by: window.by,
    columns,
    ...timing,
    stateBytes,
    layout: layoutOf({
      gridMs,
      groups: groupsOfWriter(source),
      // The window's number and 5 bytes a field of the group.
      cellBytes: 3 + 5 * window.by.length + stateBytes,
      retentionMs,
    }),
    takes: where === undefined ? () => true : (row) => where(row) === true,
    groupOf: (row) =>
      groupReaders.map(({ field, read }) => groupIn(`${path}.by.${field}`, read(row))),
  };
}

function timingOf(
  path: string,
  window: WindowDefinition,
  { columns, latenessMs }: { readonly columns: readonly Column[]; readonly latenessMs: number },
): Timing {
  const sizeMs = durationMs(path, window.size);
  const byEnd: Aggregate['isLive'] = ({ endMs }, _timeMs, watermarkMs) =>
    endMs + latenessMs > watermarkMs;
  if (window.type === 'hopping') {
    const everyMs = durationMs(`${path}.every`, window.every);
    return {
      gridMs: everyMs,
      cell: columnsCell(path, columns),
      assign: (timeMs) => hoppingSpans(timeMs, { sizeMs, everyMs }),
      isLive: byEnd,
    };
  }
  const tumbling = { gridMs: sizeMs, assign: lastKept((timeMs) => tumblingSpan(timeMs, sizeMs)) };
  if (window.type === 'tumbling') {
    return { ...tumbling, cell: columnsCell(path, columns), isLive: byEnd };
  }
  return {
    ...tumbling,
    cell: sessionsCell(path, columns, durationMs(`${path}.gap`, window.gap)),
    // Where a session ends isn't known before it has: an event is judged by its own time.
    isLive: (_span, timeMs, watermarkMs) => timeMs + latenessMs > watermarkMs,
  };
}

/** Most events fall into the window of the event before. */
function lastKept(assign: (timeMs: number) => WindowSpan): Aggregate['assign'] {
  let last: readonly [WindowSpan] = [assign(0)];
  return (timeMs) => {
    const [{ startMs, endMs }] = last;
    if (timeMs < startMs || timeMs >= endMs) last = [assign(timeMs)];
    return last;
  };
}

/** Groups expected where the definition doesn't say, and writers where they are shards. */
const GROUPS_DEFAULT = 100;
const SHARDS_EXPECTED = 4;

/** How many of a window's groups one writer sees: its share, if groups don't spread over writers. */
function groupsOfWriter({ pipeline, window }: WindowSource): number {
  if (window.by.length === 0) return 1;
  const groups = window.groups ?? GROUPS_DEFAULT;
  const { partitions, key } = pipeline;
  const own = typeof key === 'string' && window.by.includes(key);
  const writers = partitions === 'shard' ? SHARDS_EXPECTED : partitions;
  return own ? Math.max(1, Math.ceil(groups / writers)) : groups;
}

/** Bytes of a column's stored state where its accumulator doesn't say. */
const STATE_BYTES = 16;

/** Sessions that a cell is expected to hold, and bytes of each beside its states. */
const SESSIONS_EXPECTED = 3;
const SESSION_BYTES = 8;

function stateBytesOf({ type }: WindowDefinition, columns: readonly Column[]): number {
  const states = columns.reduce(
    (sum, { accumulator }) => sum + (accumulator.size?.typical ?? STATE_BYTES),
    0,
  );
  return type === 'session' ? SESSIONS_EXPECTED * (states + SESSION_BYTES) : states;
}

/** A page at its worst: DynamoDB's 400 KB less its keys. */
const PAGE_WORST_BYTES = 390_000;

/** Longest state where an accumulator doesn't say; see `Accumulator`. */
const STATE_BYTES_MAX = 4_096;

/**
 * Bytes that a state counts as. Where states could grow a page past what an item may have, they count as more than
 * they usually get: so fewer cells share a page.
 *
 * @throws DefinitionError when one cell alone could be too large
 */
function fittedStateBytes(
  path: string,
  window: WindowDefinition,
  columns: readonly Column[],
): number {
  const most = columns.reduce(
    (sum, { accumulator }) => sum + (accumulator.size?.max ?? STATE_BYTES_MAX),
    0,
  );
  const sessions =
    window.type === 'session'
      ? Math.ceil(durationMs(path, window.size) / durationMs(`${path}.gap`, window.gap)) + 1
      : 1;
  const bytes = GROUP_BYTES_MAX + most * sessions;
  const cells = Math.floor(PAGE_WORST_BYTES / bytes);
  const usual = stateBytesOf(window, columns);
  // Besides its state a cell has at least the two bytes of its group.
  if (cells > 0) return Math.max(usual, Math.ceil(PAGE_BYTES / cells) - 2);
  throw new DefinitionError(
    `${path}.keep`,
    `columns whose states can take ${bytes} bytes in one item`,
    `at most ${PAGE_WORST_BYTES}: fewer columns, a shorter \`max\` of sessions, or smaller accumulators`,
  );
}

function groupIn(path: string, value: unknown): GroupValue {
  const plain = value ?? null;
  if (isGroupValue(plain)) return plain;
  throw new TransformError(path, value, 'a text, a finite number, true, false or null');
}
