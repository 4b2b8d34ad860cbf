import {
  CELL_FORMAT,
  CELL_POSITION,
  decodeCell,
  decodeStates,
  emptyStates,
  encodeStates,
} from '../core/cell.ts';
import type { CellPlan, Decision } from '../core/plan.ts';
import { encodePosition, isAfter, type Position } from '../core/position.ts';
import type { ConditionalWrite, Item, WriteResult } from '../ports/table.ts';
import type { CellCache, KnownCell } from './cell-cache.ts';
import { cellTtlSeconds } from './lifetimes.ts';
import { ATTEMPTS_MAX, pause, retryFailed } from './retry.ts';
import { firstError, type WriteContext } from './write-context.ts';

/**
 * Folds a prefix of the planned records into the cells that they touch.
 *
 * Invariants
 * 1. A cell at position p holds exactly the accepted records up to p that touch it: records at or
 *    before its position are left out, and the write happens only if the position is still the one
 *    that the fold started from.
 * 2. A write whose answer was lost is sent again as it was; if it had been applied, the condition fails
 *    and the item found holds all of its records.
 * 3. A cell that is not known is read before it is written.
 */

/** What is to be folded: the plan's cells and decisions, and how many records the prefix has. */
export interface CellsToWrite {
  readonly cells: Iterable<CellPlan>;
  readonly decisions: readonly Decision[];
  readonly prefix: number;
  readonly cache: CellCache;
}

/** How it went: the records before `finished` are in all their cells. */
export interface CellsWritten {
  readonly finished: number;
  /** Conditions that failed because another try had written. */
  readonly conflicts: number;
  /** Why it stopped before the prefix's end; undefined when it did not, or when time ran out. */
  readonly error: unknown;
}

interface Work {
  readonly plan: CellPlan;
  readonly key: string;
  /** Undefined: not known, has to be read. */
  known: KnownCell | undefined;
  /** Made but not acknowledged: sent again as it is. */
  prepared: { readonly write: ConditionalWrite; readonly cell: KnownCell } | undefined;
}

/** See the head of this file. */
export async function writeCells(
  context: WriteContext,
  toWrite: CellsToWrite,
): Promise<CellsWritten> {
  const end = toWrite.decisions[toWrite.prefix - 1]?.record.position;
  let open = end === undefined ? [] : worksOf(toWrite);
  let conflicts = 0;
  let error: unknown;
  for (let attempt = 1; end !== undefined && open.length > 0; attempt += 1) {
    error = (await readUnknown(context, open)) ?? error;
    const ready = open.filter((work) => prepare(context, work, { ...toWrite, end }));
    const results = await put(context, ready);
    error = firstError(results) ?? error;
    conflicts += results.filter((result) => result.status === 'conflict').length;
    for (const [index, work] of ready.entries()) settle(work, results[index]);
    open = open.filter((work) => !isDone(work, toWrite));
    if (open.length > 0 && !(await mayGoOn(context, results, attempt))) break;
  }
  const first = open.map((work) => work.plan.folds[0]?.ordinal ?? 0);
  return {
    finished: Math.min(toWrite.prefix, ...first),
    conflicts,
    error: open.length === 0 ? undefined : error,
  };
}

function worksOf({ cells, prefix, cache }: CellsToWrite): Work[] {
  const works: Work[] = [];
  for (const plan of cells) {
    const [first] = plan.folds;
    if (first === undefined || first.ordinal >= prefix) continue;
    const key = `${plan.pk}\n${plan.group}`;
    works.push({ plan, key, known: cache.take(key), prepared: undefined });
  }
  return works;
}

/** Returns why cells could not be read, if so. */
async function readUnknown(context: WriteContext, works: readonly Work[]): Promise<unknown> {
  const unknown = works.filter((work) => work.known === undefined && work.prepared === undefined);
  if (unknown.length === 0) return undefined;
  const keys = unknown.map(({ plan }) => ({ pk: plan.pk, sk: plan.group }));
  const results = await retryFailed(context, keys, (open) =>
    context.ports.aggregates.get(open, context),
  );
  for (const [index, work] of unknown.entries()) {
    const result = results[index];
    if (result?.status === 'read') work.known = knownOf(work.plan, result.item);
  }
  return results.find((result) => result.status === 'failed')?.error;
}

function knownOf({ aggregate }: CellPlan, item: Item | undefined): KnownCell {
  if (item === undefined) {
    return { position: undefined, encodedPosition: undefined, states: emptyStates(aggregate) };
  }
  const { position, states } = decodeCell(item);
  return {
    position,
    encodedPosition: encodePosition(position),
    states: decodeStates(aggregate, states),
  };
}

/** Folds and makes the write; false when the cell isn't known or has everything already. */
function prepare(
  context: WriteContext,
  work: Work,
  batch: CellsToWrite & { readonly end: Position },
): boolean {
  if (work.prepared !== undefined) return true;
  const { known, plan } = work;
  if (known === undefined || !foldsAfter(work, batch, known.position).next().value) return false;
  const states = fold(work, batch, known);
  work.known = undefined;
  const encodedPosition = encodePosition(batch.end);
  work.prepared = {
    cell: { position: batch.end, encodedPosition, states },
    write: {
      item: {
        pk: plan.pk,
        sk: plan.group,
        v: CELL_FORMAT,
        p: encodedPosition,
        e: plan.span.endMs,
        s: JSON.stringify(encodeStates(plan.aggregate, states)),
        ttl: cellTtlSeconds(context.program.settings, plan.aggregate, {
          endMs: plan.span.endMs,
          nowMs: context.clock.now(),
        }),
      },
      condition:
        known.encodedPosition === undefined
          ? { type: 'absent' }
          : { type: 'equals', attribute: CELL_POSITION, value: known.encodedPosition },
    },
  };
  return true;
}

function fold(work: Work, batch: CellsToWrite, known: KnownCell): unknown[] {
  const states = known.states;
  for (const { inputs, timeMs, name } of foldsAfter(work, batch, known.position)) {
    for (const [index, { accumulator }] of work.plan.aggregate.columns.entries()) {
      const input = inputs[index] ?? null;
      if (input !== null) states[index] = accumulator.add(states[index], input, timeMs, name);
    }
  }
  return states;
}

function* foldsAfter(
  { plan }: Work,
  { decisions, prefix }: CellsToWrite,
  position: Position | undefined,
): Generator<CellPlan['folds'][number], undefined> {
  for (const one of plan.folds) {
    if (one.ordinal >= prefix) return;
    const record = decisions[one.ordinal]?.record;
    if (record !== undefined && isAfter(record.position, position)) yield one;
  }
}

async function put(context: WriteContext, works: readonly Work[]): Promise<readonly WriteResult[]> {
  if (works.length === 0) return [];
  const writes = works.flatMap(({ prepared }) => prepared?.write ?? []);
  return context.ports.aggregates.putIf(writes, context);
}

function settle(work: Work, result: WriteResult | undefined): void {
  if (result === undefined || result.status === 'failed' || work.prepared === undefined) return;
  const { current } = result.status === 'conflict' ? result : { current: undefined };
  if (result.status === 'written') work.known = work.prepared.cell;
  else work.known = current === undefined ? undefined : knownOf(work.plan, current);
  work.prepared = undefined;
}

function isDone(work: Work, batch: CellsToWrite): boolean {
  if (work.known === undefined) return false;
  if (foldsAfter(work, batch, work.known.position).next().value !== undefined) return false;
  batch.cache.put(work.key, work.known);
  return true;
}

/** Conflicts are taken up at once; what failed waits a moment, as long as there is time. */
async function mayGoOn(
  context: WriteContext,
  results: readonly WriteResult[],
  attempt: number,
): Promise<boolean> {
  const conflictsOnly = results.length > 0 && results.every((result) => result.status !== 'failed');
  if (!conflictsOnly) return pause(context, attempt);
  return attempt < ATTEMPTS_MAX && context.clock.now() < context.deadlineMs;
}
