import { compile } from '../core/compile.ts';
import { MillraceError } from '../core/errors.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../core/partition.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { ReferenceRows } from '../core/reference.ts';
import type { RejectionReason } from '../core/rejection.ts';
import type { MappingSettings } from '../mapping/settings.ts';
import { FAULT_NAMES, type FaultName, LOSING_FAULTS, onlyFaults } from './faults.ts';
import type { SimResult } from './schedule.ts';
import { simulate } from './simulate.ts';
import { type ResultRow, resultRows } from './stored-items.ts';
import type { SimEvent } from './stream.ts';
import { timelineText } from './timeline.ts';
import { WITNESS, witnessed } from './witness.ts';

/** An event of a test. */
export interface TestEvent {
  /** As the pipeline's schema reads it. */
  readonly data: unknown;
  /** Default: the event's place in the list. */
  readonly id?: string;
  /** These very bytes are sent instead, to try what is not decodable. */
  readonly bytes?: Uint8Array;
  /** The producer's partition key; default: the one of the event's key. Where no partition has it, the event is quarantined. */
  readonly partitionKey?: string;
}

/** What is tried. */
export interface PipelineTest {
  /** Sent in this order, a tenth of a second apart. */
  readonly events: readonly TestEvent[];
  /** When the first one arrives, milliseconds since 1970 UTC; default: the latest event time. */
  readonly startMs?: number;
  /** What goes wrong; default nothing. `'all'` is everything but what loses records: `retention` and `recreate`. */
  readonly faults?: readonly FaultName[] | 'all';
  /** How many schedules of faults are tried; default 1 without faults, else 20. */
  readonly seeds?: number;
  /** Rows of the pipeline's references, by name. */
  readonly references?: ReferenceRows;
  /** Of the event source mapping; default: batches of 10 records or one second, halved after a failure. */
  readonly mapping?: Partial<MappingSettings>;
}

/** One result: when its window starts (ISO 8601), its group's fields, its columns. A session has an `end` too. */
export type TestRow = Readonly<Record<string, unknown>> & { readonly start: string };

/** What came out. */
export interface PipelineTestResult {
  /** The rows of each window, in the order of start and group. */
  readonly windows: Readonly<Record<string, readonly TestRow[]>>;
  /** Refused events: the reason, and the event's id where it could be read. In the order of partitions. */
  readonly quarantined: readonly { readonly reason: RejectionReason; readonly id: string }[];
  /** What each output sent, each event once, in the order of its ids: events as the fed pipeline gets them. */
  readonly outputs: Readonly<Record<string, readonly TestDerived[]>>;
  /** How often each fault happened, over all schedules. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
}

/** An event for another pipeline: what a test of that one can be given. */
export interface TestDerived {
  readonly id: string;
  readonly data: unknown;
}

/** A promise was broken; its message has the seed and the timeline. */
export class SimulationError extends MillraceError {
  override readonly name = 'SimulationError';

  constructor(result: SimResult) {
    super(
      'simulation',
      `seed ${result.seed}: ${result.violations.join('; ')}\n${timelineText(result)}`,
      { fields: { seed: result.seed } },
    );
  }
}

const HARMLESS = FAULT_NAMES.filter((name) => !LOSING_FAULTS.includes(name));
const INTERVAL_MS = 100;
const FAULTS_FOR_MS = 120_000;
const HOUR_MS = 3_600_000;

/**
 * Runs a pipeline in virtual time, with the real handler, and gives back its results. Under faults every
 * schedule has to keep every promise; the results are the last one's.
 *
 * @throws SimulationError when a promise is broken
 * @example
 * const { windows } = await simulatePipeline(orders, {
 *   events: [{ data: { shop: 'a', at: 0, total: 2 } }],
 *   faults: ['crash', 'loseAnswer'],
 * });
 * expect(windows.shops).toEqual([{ start: '1970-01-01T00:00:00.000Z', shop: 'a', orders: 1, revenue: 2 }]);
 */
export async function simulatePipeline(
  pipeline: AnyPipeline,
  test: PipelineTest,
): Promise<PipelineTestResult> {
  const watched = witnessed(pipeline);
  const program = compile(watched, test.references ?? new Map());
  const startMs = test.startMs ?? latestTime(program, test.events);
  const names = test.faults === 'all' ? HARMLESS : (test.faults ?? []);
  const events = test.events.map((event, index) =>
    simEvent(event, index, { program, pipeline, startMs }),
  );
  const faults: Partial<Record<FaultName, number>> = {};
  let result: SimResult | undefined;
  for (let seed = 1; seed <= (test.seeds ?? (names.length === 0 ? 1 : 20)); seed += 1) {
    result = await simulate({
      seed,
      startMs,
      pipeline: watched,
      program: () => program,
      events,
      settings: { batchSize: 10, windowMs: 1_000, bisect: true, ...test.mapping },
      faults: onlyFaults(names),
      faultsForMs: FAULTS_FOR_MS,
      keepEveryMs: HOUR_MS,
    });
    if (result.violations.length > 0) throw new SimulationError(result);
    for (const name of names) faults[name] = (faults[name] ?? 0) + (result.counts[name] ?? 0);
  }
  return {
    windows: windowsOf(program, result),
    quarantined: quarantinedOf(result),
    outputs: outputsOf(result),
    faults,
  };
}

function latestTime(program: Program, events: readonly TestEvent[]): number {
  const times = events.flatMap(({ data }) => {
    const validation = program.validate(data);
    return validation.ok ? [program.timeOf(validation.event)] : [];
  });
  return Math.max(0, ...times);
}

function simEvent(
  event: TestEvent,
  index: number,
  { program, pipeline, startMs }: { program: Program; pipeline: AnyPipeline; startMs: number },
): SimEvent {
  return {
    atMs: startMs + index * INTERVAL_MS,
    bytes: event.bytes ?? bytesOf(event, index, pipeline),
    ...keysOf(event, program),
  };
}

function keysOf(
  { data, partitionKey: given }: TestEvent,
  { settings: { partitions }, validate, keyOf }: Program,
): Pick<SimEvent, 'partitionKey' | 'explicitHashKey'> {
  if (given !== undefined) return { partitionKey: given };
  const validation = validate(data);
  const key = validation.ok ? keyOf(validation.event) : '';
  if (partitions === 'shard') return { partitionKey: key || 'none' };
  const partition = partitionOf(key, partitions);
  return {
    partitionKey: partitionKey(partition),
    explicitHashKey: explicitHashKey(partition, partitions),
  };
}

function bytesOf(
  { data, id }: TestEvent,
  index: number,
  { name, format }: AnyPipeline,
): Uint8Array {
  const envelope = {
    specversion: '1.0',
    id: id ?? String(index),
    source: 'urn:millrace:test',
    type: `${name}.event`,
    datacontenttype: 'application/json',
    data,
  };
  return new TextEncoder().encode(JSON.stringify(format === 'json' ? data : envelope));
}

function windowsOf(program: Program, result: SimResult | undefined): PipelineTestResult['windows'] {
  const rows = resultRows(program, result?.world.aggregates.items() ?? []);
  const windows = program.aggregates.map(({ name }) => [
    name,
    rows.filter(({ aggregate }) => aggregate.name === name).map(testRow),
  ]);
  return Object.fromEntries(windows);
}

function testRow({ aggregate, startMs, endMs, group, columns }: ResultRow): TestRow {
  const { [WITNESS]: _witness, ...own } = columns;
  return {
    start: new Date(startMs).toISOString(),
    ...(aggregate.type === 'session' ? { end: new Date(endMs).toISOString() } : {}),
    ...Object.fromEntries(aggregate.by.map((field, index) => [field, group[index]])),
    ...own,
  };
}

function quarantinedOf(result: SimResult | undefined): PipelineTestResult['quarantined'] {
  const items = result?.world.quarantineIndex.items() ?? [];
  return items.map(({ r, i }) => ({ reason: r as RejectionReason, id: String(i) }));
}

function outputsOf(result: SimResult | undefined): PipelineTestResult['outputs'] {
  const outputs = Object.entries(result?.world.outlets ?? {}).map(([name, { outlet }]) => {
    const events = outlet.records.map(({ bytes }): [string, TestDerived] => {
      const { id, data } = JSON.parse(new TextDecoder().decode(bytes));
      return [id, { id, data }];
    });
    const once = [...new Map(events)].sort(([left], [right]) => (left < right ? -1 : 1));
    return [name, once.map(([, event]) => event)];
  });
  return Object.fromEntries(outputs);
}
