import { InvariantError } from './errors.ts';
import { hashKeyOf, sipHash } from './hash.ts';
import { bytesIn, checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { GENERATION } from './ledger.ts';
import type { Aggregate, GroupValue } from './program.ts';
import type { WindowRow } from './read.ts';

/**
 * What is stored and published of closed windows.
 *
 * A window's *revisions* are a chain: revision 1 holds its rows when it was closed, each later one what
 * changed after that. A revision is written before it is published and never changes, so who dies while
 * publishing leaves behind exactly what has to be published again.
 */

/** Format version of the items of closing. */
export const CLOSING_FORMAT = 1;

/** A row of a closed window as it is published. */
export interface ClosedRow {
  readonly group: readonly GroupValue[];
  /** Of the window, or the session: milliseconds since 1970 UTC. */
  readonly startMs: number;
  readonly endMs: number;
  /** Undefined where the row is withdrawn: a later session took its events in. */
  readonly columns: Readonly<Record<string, unknown>> | undefined;
  /** The revision that published this row before, 0 for none. */
  readonly replaces: number;
}

/** One revision of a window. */
export interface Revision {
  /** 1, 2, 3 and so on. */
  readonly number: number;
  /** False until everyone has been told. */
  readonly published: boolean;
  readonly rows: readonly ClosedRow[];
}

/** Names a row among those of its window. */
export function rowKey({ group, startMs }: Pick<ClosedRow, 'group' | 'startMs'>): string {
  return `${startMs} ${JSON.stringify(group)}`;
}

/** What readers see of a window that was closed: its newest rows, each with the revision that it is from. */
export function publishedRows(
  revisions: readonly Revision[],
): ReadonlyMap<string, { readonly row: ClosedRow; readonly revision: number }> {
  const rows = new Map<string, { readonly row: ClosedRow; readonly revision: number }>();
  for (const { number, rows: changed } of revisions) {
    for (const row of changed) {
      if (row.columns === undefined) rows.delete(rowKey(row));
      else rows.set(rowKey(row), { row, revision: number });
    }
  }
  return rows;
}

/**
 * Whether a row can still change without anybody being told: `open` has not been published, `closed` was
 * published once and stands, `corrected` stands in a later revision, `changing` has changed since it was
 * published and is published again by one of the next runs of the closer.
 */
export type RowState = 'open' | 'closed' | 'corrected' | 'changing';

/** The state of each row of a window, in their order, by what is stored of its revisions. */
export function rowStates(
  rows: readonly WindowRow[],
  revisions: readonly Revision[],
): readonly RowState[] {
  const published = publishedRows(revisions.filter((one) => one.published));
  const changing = new Set(changedRows(rows, revisions).map(rowKey));
  return rows.map((row) => {
    const before = published.get(rowKey(row));
    if (before === undefined) return 'open';
    if (changing.has(rowKey(row))) return 'changing';
    return before.row.replaces > 0 ? 'corrected' : 'closed';
  });
}

/** The rows that have changed since the last revision: what the next one has to say; none where nothing did. */
export function changedRows(
  current: readonly WindowRow[],
  revisions: readonly Revision[],
): readonly ClosedRow[] {
  const published = publishedRows(revisions);
  const seen = new Set<string>();
  const changed: ClosedRow[] = [];
  for (const { group, startMs, endMs, columns } of current) {
    const key = rowKey({ group, startMs });
    const before = published.get(key);
    seen.add(key);
    const same = before?.row.endMs === endMs && textOf(before.row.columns) === textOf(columns);
    if (!same) changed.push({ group, startMs, endMs, columns, replaces: before?.revision ?? 0 });
  }
  for (const [key, { row, revision }] of published) {
    if (!seen.has(key)) changed.push({ ...row, columns: undefined, replaces: revision });
  }
  return changed;
}

function textOf(value: unknown): string {
  return JSON.stringify(value);
}

/** True when a row can't change any more unless a writer was closed without being waited for. */
export function isFinal(aggregate: Aggregate, row: WindowRow, throughMs: number): boolean {
  return finalAt(aggregate, row) <= throughMs;
}

/** The watermark at which a row is final. */
export function finalAt(
  { latenessMs, type, gapMs }: Aggregate,
  { endMs }: { readonly endMs: number },
): number {
  return endMs + latenessMs + (type === 'session' ? gapMs : 0);
}

/** The window, or the slot of a session's grid, that a row is stored under: its start. */
export function windowStart(aggregate: Aggregate, { startMs }: Pick<WindowRow, 'startMs'>): number {
  const spans = aggregate.assign(startMs);
  return (spans.find((span) => span.startMs === startMs) ?? spans[0])?.startMs ?? startMs;
}

/** Partition key of a window's revisions. */
export function revisionPartition(aggregate: string): string {
  return `${GENERATION}|final|${aggregate}`;
}

/** Start of the sort keys of a window's revisions. */
export function revisionPrefix(windowMs: number): string {
  return `${new Date(windowMs).toISOString()}|`;
}

/** After every token, which is lower-case letters and digits. */
const HEADER = '~';

/** Rows in one item; more stand in items of their own. */
const ROWS_PER_PART = 1_000;

/** A revision as items: its header, which makes it exist, and parts that are written before. */
export interface RevisionItems {
  readonly header: StoredItem;
  readonly parts: readonly StoredItem[];
}

const TOKEN_KEY = hashKeyOf(new TextEncoder().encode('millrace close 1'));
const utf8 = new TextEncoder();

/**
 * The items of a revision. Parts carry a token of the content in their key, and the header names it: what
 * another closer left behind of the same number is not mixed in.
 *
 * @param compress makes the bytes of a part smaller
 */
export function encodeRevision(
  place: { readonly aggregate: string; readonly windowMs: number; readonly ttlSeconds: number },
  revision: Revision,
  compress: (bytes: Uint8Array) => Uint8Array,
): RevisionItems {
  const texts = partsOf(revision.rows).map((rows) => JSON.stringify(rows));
  const { high, low } = sipHash(TOKEN_KEY, utf8.encode(texts.join('\n')));
  const token = (high.toString(36) + low.toString(36)).slice(0, 12);
  const pk = revisionPartition(place.aggregate);
  const start = `${revisionPrefix(place.windowMs)}${String(revision.number).padStart(6, '0')}`;
  const common = { pk, v: CLOSING_FORMAT, ttl: place.ttlSeconds };
  return {
    header: {
      ...common,
      sk: `${start}|${HEADER}`,
      n: revision.number,
      s: revision.published ? 'closed' : 'closing',
      c: texts.length,
      k: token,
    },
    parts: texts.map((text, part) => ({
      ...common,
      sk: `${start}|${token}|${String(part).padStart(5, '0')}`,
      d: compress(utf8.encode(text)),
    })),
  };
}

function partsOf(rows: readonly ClosedRow[]): readonly (readonly ClosedRow[])[] {
  const count = Math.ceil(rows.length / ROWS_PER_PART);
  return Array.from({ length: count }, (_, part) =>
    rows.slice(part * ROWS_PER_PART, (part + 1) * ROWS_PER_PART),
  );
}

/** The revisions among a window's items, in their order. @throws InvariantError where a part is missing */
export function decodeRevisions(
  items: readonly StoredItem[],
  decompress: (bytes: Uint8Array) => Uint8Array,
): readonly Revision[] {
  const byKey = new Map(items.map((item) => [item.sk, item]));
  return items
    .filter(({ sk }) => sk.endsWith(`|${HEADER}`))
    .map((header) => {
      checkVersion(header, CLOSING_FORMAT);
      const start = header.sk.slice(0, -HEADER.length);
      const rows = Array.from({ length: numberIn(header, 'c') }, (_, part) => {
        const sk = `${start}${textIn(header, 'k')}|${String(part).padStart(5, '0')}`;
        const item = byKey.get(sk);
        if (item === undefined) throw new InvariantError(`revision ${sk}: got no such part`);
        return JSON.parse(new TextDecoder().decode(decompress(bytesIn(item, 'd')))) as ClosedRow[];
      });
      return {
        number: numberIn(header, 'n'),
        published: textIn(header, 's') === 'closed',
        rows: rows.flat(),
      };
    });
}

/** How far an aggregate's windows are closed: everything that is final at this watermark. */
export interface ClosedThrough {
  readonly throughMs: number;
}

/** Key of an aggregate's `ClosedThrough`. */
export function closedThroughKey(aggregate: string) {
  return { pk: `${GENERATION}|closed`, sk: aggregate };
}

/**
 * Key of the watermark through which windows are being closed, or were: written before the first window is
 * looked at, so that a writer which nobody knows of yet can learn it.
 */
export const CLOSING_THROUGH = closedThroughKey('*');

/** Partition key of the requests to look at closed windows again. */
export const REVISION_REQUESTS = `${GENERATION}|revise`;

/** A window that may have changed after it was closed. */
export interface RevisionRequest {
  readonly aggregate: string;
  readonly windowMs: number;
  readonly writer: string;
  /** Encoded position of the last record that touched it. */
  readonly position: string;
}

/** The item of a request; s is `open` or `done`. */
export function encodeRequest(
  request: RevisionRequest,
  state: 'open' | 'done',
  ttlSeconds: number,
): StoredItem {
  const { aggregate, windowMs, writer, position } = request;
  return {
    pk: REVISION_REQUESTS,
    sk: `${aggregate}|${new Date(windowMs).toISOString()}|${writer}`,
    v: CLOSING_FORMAT,
    p: position,
    s: state,
    ttl: ttlSeconds,
  };
}

/** A request of an item that `encodeRequest` made, or undefined when it is done. */
export function decodeRequest(item: StoredItem): RevisionRequest | undefined {
  checkVersion(item, CLOSING_FORMAT);
  const [aggregate = '', window = '', writer = ''] = item.sk.split('|');
  if (textIn(item, 's') === 'done') return undefined;
  return { aggregate, windowMs: Date.parse(window), writer, position: textIn(item, 'p') };
}

/** A change of a closed window, for whoever wants to know. Its id is the same in every try. */
export interface WindowEvent {
  readonly id: string;
  readonly type: 'window.closed' | 'window.corrected' | 'window.withdrawn';
  readonly window: string;
  /** ISO 8601. */
  readonly start: string;
  readonly end: string;
  /** The group's fields by name. */
  readonly group: Readonly<Record<string, GroupValue>>;
  /** The columns; null when the row is withdrawn. */
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly revision: number;
  /** The revision that this one replaces; 0 for none. */
  readonly replaces: number;
}

/** The events of a revision, in the order of its rows. @param revision with the generation that it is of; default the first one */
export function windowEvents(
  aggregate: Aggregate,
  windowMs: number,
  {
    number,
    rows,
    generation = GENERATION,
  }: Pick<Revision, 'number' | 'rows'> & { readonly generation?: string },
): readonly WindowEvent[] {
  return rows.map((row) => {
    const start = new Date(row.startMs).toISOString();
    const { high, low } = sipHash(TOKEN_KEY, utf8.encode(rowKey(row)));
    const hash = high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
    const withdrawn = row.columns === undefined;
    return {
      id: `${generation}.${aggregate.name}.${new Date(windowMs).toISOString()}.${hash}.${number}`,
      type: withdrawn
        ? 'window.withdrawn'
        : row.replaces === 0
          ? 'window.closed'
          : 'window.corrected',
      window: aggregate.name,
      start,
      end: new Date(row.endMs).toISOString(),
      group: Object.fromEntries(aggregate.by.map((field, at) => [field, row.group[at] ?? null])),
      result: row.columns ?? null,
      revision: number,
      replaces: row.replaces,
    };
  });
}
