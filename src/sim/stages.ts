import { BatchComputation, resultName } from '../batch/batch.ts';
import { compareResults, type StoredResults } from '../batch/compare.ts';
import { TransientError } from '../core/errors.ts';
import { ENTRIES } from '../core/ledger.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { makeConsume } from '../handlers/consume.ts';
import type { ConsumePorts } from '../handlers/ports.ts';
import { type FaultRates, LOSING_FAULTS } from './faults.ts';
import type { SimOptions, SimResult } from './schedule.ts';
import { simulate } from './simulate.ts';
import { resultRows } from './stored-items.ts';
import type { SimEvent } from './stream.ts';
import type { SimWorld } from './world.ts';

/** One of two stages. */
export type SimStage = Pick<
  SimOptions,
  'pipeline' | 'program' | 'settings' | 'shards' | 'makeHandler'
>;

/** Two stages under faults. */
export interface StagesOptions
  extends Pick<SimOptions, 'seed' | 'startMs' | 'events' | 'faults' | 'faultsForMs' | 'keepTrace'> {
  readonly first: SimStage;
  readonly second: SimStage;
  /** The output of the first stage that feeds the second. */
  readonly output: string;
  /** From when to when no entry can be appended to the first stage's ledger, milliseconds since 1970 UTC. */
  readonly appendOutage?: { readonly fromMs: number; readonly untilMs: number };
}

/** How it ended. */
export interface StagesResult {
  readonly first: SimResult;
  readonly second: SimResult;
  /** Promises that were broken, of either stage or of the two together; empty when all held. */
  readonly violations: readonly string[];
  /** Records in the second stage's stream beyond one an event. */
  readonly copies: number;
  /** The longest time from the first to the last copy of an event, milliseconds. */
  readonly spreadMs: number;
}

/**
 * Runs the real handlers of two stages, each with its own stream, tables and faults. The first one is run
 * to its end, then the second on what came into its stream, at the times at which it came: nothing leads
 * back, so that nothing is lost by not running them side by side.
 *
 * Nothing may be late in the second stage: then its results must equal a batch computation over each
 * derived event once, in whatever order its copies came. Faults that lose records are left out.
 */
export async function simulateStages(options: StagesOptions): Promise<StagesResult> {
  const { seed, startMs, keepTrace = false, output, second, appendOutage } = options;
  const outageMs = appendOutage === undefined ? 0 : appendOutage.untilMs - startMs;
  const faultsForMs = Math.max(options.faultsForMs, outageMs);
  const losing = Object.fromEntries(LOSING_FAULTS.map((name) => [name, 0]));
  const faults: FaultRates = { ...options.faults, ...losing };
  const common = { seed, startMs, faults, faultsForMs, keepTrace };
  const fed = second.program(() => undefined);
  const first = await simulate({
    ...common,
    ...options.first,
    events: options.events,
    fedPartitions: { [output]: Number(fed.settings.partitions) },
    makeHandler: (ports, program, settings) => {
      const make = options.first.makeHandler ?? makeConsume;
      return make(withoutAppends(ports, appendOutage), program, settings);
    },
  });
  const records = first.world.outlets[output]?.outlet.records ?? [];
  const events = records.map(
    ({ arrivalMs, partitionKey, explicitHashKey = '0', bytes }): SimEvent => ({
      atMs: arrivalMs,
      partitionKey,
      explicitHashKey,
      bytes,
    }),
  );
  const lastMs = records.at(-1)?.arrivalMs ?? startMs;
  const end = await simulate({
    ...common,
    ...second,
    faultsForMs: lastMs - startMs + faultsForMs,
    events,
  });
  const once = firstCopies(events);
  return {
    first,
    second: end,
    violations: [
      ...first.violations.map((text) => `first stage: ${text}`),
      ...end.violations.map((text) => `second stage: ${text}`),
      ...checkOnce(end.world, { pipeline: second.pipeline, program: fed }, once),
    ],
    copies: records.length - once.length,
    spreadMs: spreadOf(events),
  };
}

/** Ports with which everything can be written but the end of the ledger. */
function withoutAppends(ports: ConsumePorts, outage: StagesOptions['appendOutage']): ConsumePorts {
  const { clock, ledger } = ports;
  const isOut = () =>
    outage !== undefined && clock.now() >= outage.fromMs && clock.now() < outage.untilMs;
  return {
    ...ports,
    ledger: {
      ...ledger,
      putIf: async (writes, options) => {
        const appends = writes.some(({ item }) => item.sk.startsWith(ENTRIES));
        if (!appends || !isOut()) return ledger.putIf(writes, options);
        const error = new TransientError('ledger.putIf: simulated outage of appends');
        return writes.map(() => ({ status: 'failed', error }));
      },
    },
  };
}

function idOf({ bytes }: SimEvent): string {
  return JSON.parse(new TextDecoder().decode(bytes)).id;
}

function firstCopies(events: readonly SimEvent[]): readonly SimEvent[] {
  const seen = new Set<string>();
  return events.filter((event) => seen.size < seen.add(idOf(event)).size);
}

function spreadOf(events: readonly SimEvent[]): number {
  const firstMs = new Map<string, number>();
  return events.reduce((longest, event) => {
    const id = idOf(event);
    const sinceMs = firstMs.get(id) ?? event.atMs;
    firstMs.set(id, sinceMs);
    return Math.max(longest, event.atMs - sinceMs);
  }, 0);
}

/** What the second stage holds, against each derived event once. */
function checkOnce(
  world: SimWorld,
  { pipeline, program }: { readonly pipeline: AnyPipeline; readonly program: Program },
  events: readonly SimEvent[],
): readonly string[] {
  const batch = new BatchComputation(pipeline, program);
  for (const { bytes, partitionKey, atMs } of events) {
    batch.add({ bytes, lane: partitionKey, arrivalMs: atMs });
  }
  const { differences } = compareResults(storedIn(world, program), batch.result());
  return differences.map(
    ({ where, stored, computed }) =>
      `both stages: ${where}: stored ${JSON.stringify(stored)}, of each event once ${JSON.stringify(computed)}`,
  );
}

function storedIn(world: SimWorld, program: Program): StoredResults {
  const rows = resultRows(program, world.aggregates.items()).map(
    ({ aggregate, startMs, group, columns }) =>
      [resultName(aggregate.name, startMs, JSON.stringify(group)), columns] as const,
  );
  const reasons = world.quarantineIndex.items().map(({ r }) => r as RejectionReason);
  const refused = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([reason, all]) => [reason, all.length] as const,
  );
  return { rows: new Map(rows), refused: new Map(refused) };
}
