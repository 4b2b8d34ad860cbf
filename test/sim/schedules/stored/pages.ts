import { isDeepStrictEqual } from 'node:util';
import { type BatchRows, resultName } from '../../../../src/batch/batch.ts';
import type { Aggregate } from '../../../../src/core/program.ts';
import type { Item } from '../../../../src/ports/table.ts';
import { Bytes } from './bytes.ts';
import { attributes, differs, type Facts, outside, packedOf } from './facts.ts';
import { murmur3of32 } from './hashes.ts';

/** Where the cells of a window stand: part of the stored format, and so worked out by hand here. */
export interface ExpectedLayout {
  readonly gridMs: number;
  readonly windows: number;
  readonly buckets: number;
}

const HOUR_MS = 3_600_000;
const PAGE_BYTES = 880;
/** The last cell that joined, and what states have grown since. */
const CELL_BYTES = 260;

/** How a column's result is stored, where that can be told: in a list of one. */
export type StateOf = (accumulator: string, result: unknown) => readonly [unknown] | undefined;

/** Counts and extremes are stored as they are; sums and means have forms of their own. */
const plainState: StateOf = (accumulator, result) =>
  /^(count|min|max)-/.test(accumulator) ? [result] : undefined;

/** Every page: keys, life, and each cell with its state. */
export function checkPages(
  facts: Facts,
  layouts: Readonly<Record<string, ExpectedLayout>>,
  stateOf: StateOf = plainState,
): readonly string[] {
  const items = facts.result.world.aggregates.items();
  const found: string[] = [];
  const cells: string[] = [];
  for (const item of items) {
    const [generation, name = '', writer = '', bucket] = item.pk.split('|');
    const aggregate = facts.program.aggregates.find((one) => one.name === name);
    const layout = layouts[name];
    const lane = writer.slice(facts.epoch.length + 1);
    const rows = facts.rows.get(lane);
    if (
      generation !== '1' ||
      aggregate === undefined ||
      layout === undefined ||
      rows === undefined
    ) {
      found.push(`page ${item.pk}: of nothing that is known`);
      continue;
    }
    const page = { item, aggregate, layout, rows, lane, bucket: Number(bucket), facts, stateOf };
    found.push(...checkPage(page));
    cells.push(...cellsOf(page).map(({ startMs, group }) => `${name} ${lane} ${startMs} ${group}`));
  }
  if (new Set(cells).size < cells.length) found.push('pages: a cell stands in two of them');
  // States that can shrink may leave a sealed page half empty.
  return [...found, ...checkSeals(items, stateOf === plainState ? PAGE_BYTES / 2 : 0)];
}

interface Page {
  readonly item: Item;
  readonly aggregate: Aggregate;
  readonly layout: ExpectedLayout;
  readonly rows: BatchRows;
  readonly lane: string;
  readonly bucket: number;
  readonly facts: Facts;
  readonly stateOf: StateOf;
}

interface Cell {
  readonly startMs: number;
  readonly group: string;
  readonly state: unknown;
}

function checkPage(page: Page): readonly string[] {
  const { item, aggregate, layout, lane, bucket, facts } = page;
  const where = `page ${item.pk} ${item.sk}`;
  const blockMs = blockOf(item);
  const sizeMs = aggregate.type === 'hopping' ? 2 * HOUR_MS : layout.gridMs;
  const endMs = blockMs + layout.gridMs * (layout.windows - 1) + sizeMs;
  const { horizonMs, retention } = facts.program.settings;
  const needMs = Math.max(
    aggregate.latenessMs + retention.streamMs + horizonMs,
    aggregate.retentionMs,
  );
  const record = facts.lanes.get(lane)?.find((one) => packedOf(one) === item.p);
  return [
    ...attributes(where, item, ['pk', 'sk', 'v', 'p', 'd', 'ttl']),
    ...differs(`${where}: v`, item.v, 2),
    ...differs(`${where}: block`, blockMs % (layout.gridMs * layout.windows), 0),
    ...differs(`${where}: key`, /^[^|]{24}\|[0-9a-z]{5}$/.test(item.sk), true),
    ...(record === undefined ? [`${where}: at ${item.p}, where no record is`] : []),
    ...outside(`${where}: ttl`, Number(item.ttl) * 1000, [
      Math.max(endMs, record?.arrivalMs ?? 0) + needMs,
      Math.max(endMs, facts.endMs) + needMs + 2 * HOUR_MS,
    ]),
    ...cellsOf(page).flatMap((cell) => [
      ...differs(`${where}: bucket`, murmur3of32(Buffer.from(cell.group)) % layout.buckets, bucket),
      ...checkCell(`${where} ${cell.group}`, page, cell),
    ]),
  ];
}

function blockOf({ sk }: Item): number {
  return Date.parse(sk.split('|')[0] ?? '');
}

/** One byte of flags, then the cells. */
function cellsOf({ item, layout }: Page): readonly Cell[] {
  const bytes = new Bytes(item.d);
  bytes.number(1);
  const cells: Cell[] = [];
  while (bytes.rest > 0) {
    const startMs = blockOf(item) + bytes.varint() * layout.gridMs;
    cells.push({ startMs, group: `[${bytes.value()}]`, state: bytes.value() });
  }
  return cells;
}

function checkCell(where: string, page: Page, cell: Cell): readonly string[] {
  const { aggregate, rows } = page;
  if (aggregate.type !== 'session') {
    const row = rows.get(resultName(aggregate.name, cell.startMs, cell.group));
    return checkStates(where, page, { states: cell.state, row });
  }
  const parts = Array.isArray(cell.state) ? cell.state : [];
  let atMs = 0;
  const found: string[] = [];
  for (let at = 0; at < parts.length; at += 3) {
    const startMs = atMs + Number(parts[at]);
    atMs = startMs + Number(parts[at + 1]);
    const row = rows.get(resultName(aggregate.name, startMs, cell.group));
    found.push(
      ...differs(`${where}: session's end`, atMs, row?.endMs),
      ...checkStates(where, page, { states: parts[at + 2], row }),
    );
  }
  return found;
}

function checkStates(
  where: string,
  { aggregate, stateOf }: Page,
  stored: {
    readonly states: unknown;
    readonly row: BatchRows extends ReadonlyMap<string, infer Row> ? Row | undefined : never;
  },
): readonly string[] {
  const { states, row } = stored;
  if (row === undefined) return [`${where}: has a cell of no event`];
  if (!Array.isArray(states) || states.length !== aggregate.columns.length) {
    return [`${where}: has other states than one a column`];
  }
  return aggregate.columns.flatMap(({ name, accumulator }, index) => {
    const expected = stateOf(accumulator.name, row[name]);
    if (expected === undefined || isDeepStrictEqual(states[index], expected[0])) return [];
    return [`${where}: ${name}: got ${states[index]}, expected ${expected[0]}`];
  });
}

/** A page is sealed when it is full, and only then is there a next one. */
function checkSeals(items: readonly Item[], leastBytes: number): readonly string[] {
  const names = new Set(items.map(({ pk, sk }) => `${pk} ${sk}`));
  return items.flatMap((item) => {
    const [block = '', number = ''] = item.sk.split('|');
    const at = Number.parseInt(number, 36);
    const exists = (page: number) =>
      names.has(`${item.pk} ${block}|${page.toString(36).padStart(5, '0')}`);
    const bytes = item.d instanceof Uint8Array ? item.d : new Uint8Array();
    const [flags] = bytes;
    const wrong = {
      'has other flags': flags !== 0 && flags !== 1,
      'is full and open': flags === 0 && bytes.length >= PAGE_BYTES,
      'is sealed and half empty': flags === 1 && bytes.length < leastBytes,
      'is overfull': leastBytes > 0 && bytes.length > PAGE_BYTES + CELL_BYTES,
      'is open before another': flags === 0 && exists(at + 1),
      'has none before it': at > 0 && !exists(at - 1),
    };
    return Object.entries(wrong).flatMap(([what, is]) =>
      is ? [`page ${item.pk} ${item.sk}: ${what}`] : [],
    );
  });
}
