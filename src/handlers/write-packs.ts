import { pageKey } from '../core/layout.ts';
import { encodePage, PAGE_BYTES, PAGE_POSITION } from '../core/page.ts';
import type { Decision } from '../core/plan.ts';
import type { CellPlan, Fold, PackPlan } from '../core/plan-packs.ts';
import { isAfter, type Position } from '../core/position.ts';
import type { ConditionalWrite, WriteResult } from '../ports/table.ts';
import { forEachBounded } from './bounded.ts';
import { cellTtlSeconds } from './lifetimes.ts';
import { type LivePage, Pack } from './pack.ts';
import type { PackCache } from './pack-cache.ts';
import { readAll } from './read-all.ts';
import { ATTEMPTS_MAX, pause } from './retry.ts';
import { endsTry } from './transient.ts';
import { firstError, type WriteContext } from './write-context.ts';

/**
 * Folds a prefix of the planned records into the cells that they touch.
 *
 * Invariants
 * 1. A page at position p holds exactly the accepted records up to p that touch its cells: records at or
 *    before its position are left out, and the write happens only if the position is still the one
 *    that the fold started from.
 * 2. A write whose answer was lost is sent again as it was; if it had been applied, the condition fails
 *    and the pages found hold all of its records.
 * 3. A pack that is not known is read before it is written; one whose condition failed is read again.
 * 4. A pack goes back into the cache only when all of its pages are as stored.
 */

/** What is to be folded: the plan's packs and decisions, and how many records the prefix has. */
export interface PacksToWrite {
  readonly packs: Iterable<PackPlan>;
  readonly decisions: readonly Decision[];
  readonly prefix: number;
  readonly cache: PackCache;
}

/** How it went: the records before `finished` are in all their cells. */
export interface PacksWritten {
  readonly finished: number;
  /** Conditions that failed because another try had written. */
  readonly conflicts: number;
  /** Why it stopped before the prefix's end; undefined when it did not, or when time ran out. */
  readonly error: unknown;
}

interface Work {
  readonly plan: PackPlan;
  readonly key: string;
  /**
   * The cells that the prefix touches, in the order of their first record, without those that are known to be stored
   * with all of it: positions only grow, so they stay so.
   */
  cells: readonly CellPlan[];
  /** Undefined: not known, has to be read. */
  pack: Pack | undefined;
  /** Made but not acknowledged: sent again as it is. */
  readonly prepared: Map<LivePage, Prepared>;
}

interface Prepared {
  readonly write: ConditionalWrite;
  readonly sealed: boolean;
  readonly bytes: number;
}

interface Batch {
  readonly decisions: readonly Decision[];
  readonly prefix: number;
  readonly end: Position;
}

/** Packs read at the same time. */
const READS_AT_ONCE = 8;

/** See the head of this file. */
export async function writePacks(
  context: WriteContext,
  toWrite: PacksToWrite,
): Promise<PacksWritten> {
  const end = toWrite.decisions[toWrite.prefix - 1]?.record.position;
  if (end === undefined) return { finished: toWrite.prefix, conflicts: 0, error: undefined };
  const batch: Batch = { decisions: toWrite.decisions, prefix: toWrite.prefix, end };
  let open = worksOf(toWrite);
  let conflicts = 0;
  let error: unknown;
  for (let attempt = 1; open.length > 0; ) {
    error = (await readUnknown(context, open)) ?? error;
    const ready = open.flatMap((work) => prepare(context, work, batch));
    const results = await put(context, ready);
    error = firstError(results) ?? error;
    conflicts += results.filter(({ status }) => status === 'conflict').length;
    for (const [index, one] of ready.entries()) settle(one, results[index], batch.end);
    const went = results.some(({ status }) => status === 'written');
    open = open.filter((work) => !isDone(work, batch, toWrite.cache));
    if (open.length === 0) break;
    if (!(await mayGoOn(context, results, attempt))) break;
    // Progress, such as a seal that the next page waited for, is no repeat.
    if (!went) attempt += 1;
  }
  return {
    finished: Math.min(toWrite.prefix, ...open.map((work) => firstOpen(work, batch))),
    conflicts,
    error: open.length === 0 ? undefined : error,
  };
}

function worksOf({ packs, prefix, cache }: PacksToWrite): Work[] {
  const works: Work[] = [];
  for (const plan of packs) {
    const cells = [...plan.cells.values()].filter(({ folds }) => (folds[0]?.ordinal ?? 0) < prefix);
    if (cells.length === 0) continue;
    const key = `${plan.pk}\n${plan.block}`;
    works.push({ plan, key, cells, pack: cache.take(key), prepared: new Map() });
  }
  return works;
}

/** Returns why packs could not be read, if so. */
async function readUnknown(context: WriteContext, works: readonly Work[]): Promise<unknown> {
  const unknown = works.filter(({ pack }) => pack === undefined);
  let failure: unknown;
  await forEachBounded(unknown, READS_AT_ONCE, async (work) => {
    try {
      const { aggregate, pk, block } = work.plan;
      const query = { pk, prefix: block };
      work.pack = new Pack(aggregate, await readAll(context.ports.aggregates, query, context));
    } catch (error) {
      if (!endsTry(error)) throw error;
      failure = error;
    }
  });
  return failure;
}

/** One page to be written, with its work. */
interface Ready {
  readonly work: Work;
  readonly page: LivePage;
  readonly prepared: Prepared;
}

/** Folds what is to be folded and makes the writes that may be sent now. */
function prepare(context: WriteContext, work: Work, batch: Batch): readonly Ready[] {
  const { pack } = work;
  if (pack === undefined) return [];
  for (const [page, cells] of touchedPages(work, pack, batch)) {
    if (work.prepared.has(page) || !pack.mayWrite(page)) continue;
    for (const cell of cells) pack.fold(cell.key, foldsAfter(cell, batch, page.position));
    work.prepared.set(page, pageWrite(context, work.plan, page, batch));
  }
  return [...work.prepared].map(([page, prepared]) => ({ work, page, prepared }));
}

/** The pages with records to be folded, and the cells that those touch. */
function touchedPages(work: Work, pack: Pack, batch: Batch): Map<LivePage, CellPlan[]> {
  const pages = new Map<LivePage, CellPlan[]>();
  const open: CellPlan[] = [];
  for (const cell of work.cells) {
    const first = batch.decisions[cell.folds[0]?.ordinal ?? 0]?.record.position;
    if (first === undefined) continue;
    const page = pack.place(cell, first);
    if (firstAfter(cell, batch, page.position) === undefined) continue;
    open.push(cell);
    const touched = pages.get(page);
    if (touched === undefined) pages.set(page, [cell]);
    else touched.push(cell);
  }
  work.cells = open;
  return pages;
}

function pageWrite(
  context: WriteContext,
  plan: PackPlan,
  page: LivePage,
  { end }: Batch,
): Prepared {
  const key = { pk: plan.pk, sk: pageKey(plan.block, page.number) };
  const ttlSeconds = cellTtlSeconds(context.program.settings, plan.aggregate, {
    endMs: plan.endMs,
    nowMs: context.clock.now(),
  });
  const encode = (sealed: boolean) =>
    encodePage(plan.aggregate, key, { position: end, sealed, cells: page.cells, ttlSeconds });
  let item = encode(page.full);
  const bytes = item.d instanceof Uint8Array ? item.d.length : 0;
  const sealed = page.full || bytes >= PAGE_BYTES;
  if (sealed && !page.full) item = encode(true);
  return {
    sealed,
    bytes,
    write: {
      item,
      condition:
        page.encodedPosition === undefined
          ? { type: 'absent' }
          : { type: 'equals', attribute: PAGE_POSITION, value: page.encodedPosition },
    },
  };
}

/** The folds of the prefix after a position; folds stand in the order of position. */
function foldsAfter(
  { folds }: CellPlan,
  batch: Batch,
  position: Position | undefined,
): readonly Fold[] {
  const first = folds.findIndex((one) => isOpen(one, batch, position));
  const end = folds.findIndex(({ ordinal }) => ordinal >= batch.prefix);
  return first === -1 ? [] : folds.slice(first, end === -1 ? folds.length : end);
}

/** The first of them. */
function firstAfter(
  { folds }: CellPlan,
  batch: Batch,
  position: Position | undefined,
): Fold | undefined {
  // Nearly always the page is before or after all of them: the last one tells.
  const last = folds.findLast(({ ordinal }) => ordinal < batch.prefix);
  if (last === undefined || !isOpen(last, batch, position)) return undefined;
  return folds.find((one) => isOpen(one, batch, position));
}

function isOpen(
  { ordinal }: Fold,
  { decisions, prefix }: Batch,
  position: Position | undefined,
): boolean {
  const record = ordinal < prefix ? decisions[ordinal]?.record : undefined;
  return record !== undefined && isAfter(record.position, position);
}

async function put(
  context: WriteContext,
  ready: readonly Ready[],
): Promise<readonly WriteResult[]> {
  if (ready.length === 0) return [];
  const writes = ready.map(({ prepared }) => prepared.write);
  return context.ports.aggregates.putIf(writes, context);
}

function settle({ work, page, prepared }: Ready, result: WriteResult | undefined, end: Position) {
  if (result === undefined || result.status === 'failed') return;
  work.prepared.delete(page);
  if (result.status === 'written') work.pack?.written(page, { ...prepared, position: end });
  else work.pack = undefined;
  // Another try was at this pack: everything of it that isn't acknowledged is folded anew.
  if (work.pack === undefined) work.prepared.clear();
}

function isDone(work: Work, batch: Batch, cache: PackCache): boolean {
  const { pack } = work;
  if (pack === undefined || work.prepared.size > 0) return false;
  if (touchedPages(work, pack, batch).size > 0) return false;
  cache.put(work.key, pack);
  return true;
}

/** Ordinal of the first record that may not be in all its cells of a pack. */
function firstOpen(work: Work, batch: Batch): number {
  const { pack } = work;
  const open =
    pack === undefined
      ? work.cells.flatMap(({ folds }) => folds[0] ?? [])
      : [...touchedPages(work, pack, batch)].flatMap(([page, cells]) =>
          cells.flatMap((cell) => firstAfter(cell, batch, page.position) ?? []),
        );
  return open.reduce((least, { ordinal }) => Math.min(least, ordinal), Number.POSITIVE_INFINITY);
}

/** Conflicts and progress are taken up at once; what failed waits a moment, as long as there is time. */
async function mayGoOn(
  context: WriteContext,
  results: readonly WriteResult[],
  attempt: number,
): Promise<boolean> {
  const clean = results.length > 0 && results.every(({ status }) => status !== 'failed');
  if (!clean) return pause(context, attempt);
  return attempt < ATTEMPTS_MAX && context.clock.now() < context.deadlineMs;
}
