import type { ReplaySettings } from '../core/contract.ts';
import { InvariantError } from '../core/errors.ts';
import { blockOf } from '../core/layout.ts';
import type { Aggregate, Program } from '../core/program.ts';
import { liveItems, mergePages, type WindowRow } from '../core/read.ts';
import { wholeFromMs } from '../core/replay.ts';
import type { Table } from '../ports/table.ts';
import { registeredWriters } from './ledger-tails.ts';
import { readBlocks } from './read-pages.ts';
import type { RetryContext } from './retry.ts';

/**
 * A generation's results, as its own pipeline reads them: who compares two generations has at most one of
 * their pipelines at hand.
 */

/** What a generation has. */
export interface GenerationDescription {
  /** Fingerprint of its pipeline. */
  readonly fingerprint: string;
  readonly windows: readonly {
    readonly name: string;
    readonly by: readonly string[];
    /** Windows that start earlier may lack events; null: none does. */
    readonly wholeFromMs: number | null;
    /** A window that ended so long before the last record can't be changed by later ones, milliseconds. */
    readonly settlesMs: number;
  }[];
}

/** Describes a generation. @param settings what it was rebuilt from; null for the first one */
export function describeGeneration(
  program: Program,
  settings: ReplaySettings | null,
): GenerationDescription {
  return {
    fingerprint: program.fingerprint,
    windows: program.aggregates.map((aggregate) => ({
      name: aggregate.name,
      by: aggregate.by,
      wholeFromMs: wholeSince(program, aggregate, settings),
      settlesMs: aggregate.latenessMs + aggregate.gapMs,
    })),
  };
}

function wholeSince(
  { settings }: Program,
  aggregate: Aggregate,
  replay: ReplaySettings | null,
): number | null {
  if (replay === null || replay.fromMs <= 0) return null;
  return wholeFromMs(settings, aggregate, replay.fromMs);
}

/** Which rows. */
export interface RowsQuery {
  readonly window: string;
  /** Where the page before ended; undefined: from the first window on. */
  readonly after?: number | undefined;
}

/** Some rows, in the order of windows. */
export interface RowsPage {
  readonly rows: readonly WindowRow[];
  /** The `after` of the next page; null at the end. */
  readonly next: number | null;
}

/** Rows of a page, a little more at most: an answer of a function has 6 MB at most. */
const PAGE_ROWS = 4_000;

/** After every window, and still written with four digits. */
const LAST_MS = Date.UTC(9999, 0, 1);

/** A page of a window's results. @throws InvariantError for an unknown window; TransientError */
export async function readRows(
  { ledger, aggregates }: { readonly ledger: Table; readonly aggregates: Table },
  {
    program,
    query,
    rowsMax = PAGE_ROWS,
  }: { readonly program: Program; readonly query: RowsQuery; readonly rowsMax?: number },
  context: RetryContext,
): Promise<RowsPage> {
  const aggregate = program.aggregates.find(({ name }) => name === query.window);
  if (aggregate === undefined) {
    const names = program.aggregates.map(({ name }) => name).join(', ');
    throw new InvariantError(`window: got '${query.window}', expected one of ${names}`);
  }
  const registered = await registeredWriters(ledger, context);
  const range = {
    writers: registered.map(({ writer }) => writer),
    fromMs: query.after === undefined ? undefined : query.after + reachOf(aggregate),
    throughMs: LAST_MS,
  };
  const rows: WindowRow[] = [];
  for await (const pages of readBlocks({ table: aggregates, aggregate, range }, context)) {
    rows.push(...mergePages(aggregate, liveItems(pages, context.clock.now())));
    const last = rows.at(-1);
    if (rows.length < rowsMax || last === undefined) continue;
    const windowMs = aggregate.assign(last.startMs)[0]?.startMs ?? last.startMs;
    return { rows, next: blockOf(aggregate.layout, windowMs).endMs };
  }
  return { rows, next: null };
}

/** A range of final windows begins so much before its time. */
function reachOf(aggregate: Aggregate): number {
  const [span] = aggregate.assign(0);
  const sizeMs = span === undefined ? 0 : span.endMs - span.startMs;
  return aggregate.latenessMs + aggregate.gapMs + sizeMs;
}
