import { makeMemoryBucket } from '../../adapters/memory/bucket.ts';
import { type MemoryTable, makeMemoryTable } from '../../adapters/memory/table.ts';
import type { ReplaySettings } from '../../core/contract.ts';
import { programOf } from '../../core/generation.ts';
import { packParts } from '../../core/layout.ts';
import type { Program } from '../../core/program.ts';
import { mergePages } from '../../core/read.ts';
import type { ReplayPorts } from '../../handlers/ports.ts';
import { makeReplay } from '../../handlers/replay.ts';
import { generationJob, liveJob } from '../../handlers/replay-job.ts';
import type { ReplayReport } from '../../handlers/replay-report.ts';
import type { Table } from '../../ports/table.ts';
import { archivePorts, type OpenReplay, tableOf } from './open.ts';

/** What a replay would do and cost. What was not tried is reckoned from what was. */
export interface ReplayEstimate {
  /** Share of the range that was tried, 0 to 1: at 1 the counts are exact. */
  readonly tried: number;
  readonly events: number;
  readonly bytes: number;
  /** Of the events, at or before their writer's head: they would change nothing. */
  readonly repeated: number;
  readonly quarantined: number;
  /** Windows, with their groups, that would be written, of those that were tried. */
  readonly rows: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Dollars: tables and function, list prices of us-east-1. */
  readonly dollars: number;
  /** At the rate that was asked for, or at the pace of the try. */
  readonly minutes: number;
  readonly gaps: ReplayReport['gaps'];
}

/** List prices, dollars. */
export interface EstimatePrices {
  readonly writeUnitsMillion: number;
  readonly readUnitsMillion: number;
  /** Of a function on arm64. */
  readonly lambdaGbSecond: number;
}

/** What is estimated. */
export interface EstimateOptions {
  /** Null: into the live generation. */
  readonly settings: ReplaySettings | null;
  readonly rate: number | undefined;
  /** Longest try. */
  readonly seconds: number;
  readonly prices: EstimatePrices;
}

/** Of the function that replays, about. */
const FUNCTION_GB = 1;

/** Replays the beginning of the range into memory: the real decisions, and the units that tables would bill. */
export async function estimateReplay(
  open: OpenReplay,
  { settings, rate, seconds, prices }: EstimateOptions,
): Promise<ReplayEstimate> {
  const tables = [makeMemoryTable(), makeMemoryTable(), makeMemoryTable(), makeMemoryTable()];
  const [ledger, aggregates, events, quarantineIndex] = tables as [
    MemoryTable,
    MemoryTable,
    MemoryTable,
    MemoryTable,
  ];
  const memory = { ledger, aggregates, events, quarantineIndex, quarantine: makeMemoryBucket() };
  const program = programOf(open.program, 'estimate');
  const ports: ReplayPorts = {
    ...archivePorts(open),
    ...memory,
    ...(settings === null ? liveTables(open, memory) : {}),
  };
  const startMs = Date.now();
  const deadlineMs = startMs + (seconds + 60) * 1000;
  const { job, filtered } =
    settings === null
      ? { job: await liveJob(ports, program, deadlineMs), filtered: program }
      : generationJob(program, settings);
  const request = { seconds, acceptGaps: true };
  const invocation = { requestId: 'estimate', deadlineMs };
  const report = await makeReplay(ports, filtered, job)(request, invocation);
  const units = {
    read: sum(tables.map(({ usage }) => usage.readUnits)),
    write: sum(tables.map(({ usage }) => usage.writeUnits)),
  };
  const rows = countRows(program, aggregates);
  return reckon(report, { units, rows, rate, prices, seconds: (Date.now() - startMs) / 1000 });
}

/** What the live generation knows, with writes that go nowhere but are counted. */
function liveTables(
  open: OpenReplay,
  { ledger, aggregates }: { readonly ledger: MemoryTable; readonly aggregates: MemoryTable },
): Pick<ReplayPorts, 'ledger' | 'aggregates'> {
  const { ledgerTable, aggregatesTable } = open.deployment;
  return {
    ledger: onlyRead(tableOf(open, ledgerTable), ledger),
    aggregates: onlyRead(tableOf(open, aggregatesTable), aggregates),
  };
}

function onlyRead(table: Table, counted: MemoryTable): Table {
  return {
    get: table.get,
    query: table.query,
    putAll: counted.putAll,
    putIf: (writes, options) =>
      counted.putAll(
        writes.map(({ item }) => item),
        options,
      ),
  };
}

function countRows(program: Program, aggregates: MemoryTable): number {
  const items = aggregates.items();
  return sum(
    program.aggregates.map(
      (aggregate) =>
        mergePages(
          aggregate,
          items.filter(({ pk }) => packParts(pk).aggregate === aggregate.name),
        ).length,
    ),
  );
}

function reckon(
  report: ReplayReport,
  tried: {
    readonly units: { readonly read: number; readonly write: number };
    readonly rows: number;
    readonly rate: number | undefined;
    readonly seconds: number;
    readonly prices: EstimatePrices;
  },
): ReplayEstimate {
  // Of a shard's first batch there is no share yet.
  const share = Math.max(report.fraction, 1e-6);
  const whole = (count: number) => Math.round(count / share);
  const events = whole(report.read);
  const pace = tried.rate ?? Math.max(1, report.read / tried.seconds);
  const [writeUnits, readUnits] = [whole(tried.units.write), whole(tried.units.read)];
  const functionSeconds = events / pace;
  const { prices } = tried;
  return {
    tried: report.fraction,
    events,
    bytes: whole(report.bytes),
    repeated: whole(report.repeated),
    quarantined: whole(report.quarantined),
    rows: tried.rows,
    writeUnits,
    readUnits,
    dollars:
      (writeUnits * prices.writeUnitsMillion + readUnits * prices.readUnitsMillion) / 1e6 +
      functionSeconds * FUNCTION_GB * prices.lambdaGbSecond,
    minutes: functionSeconds / 60,
    gaps: report.gaps,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
