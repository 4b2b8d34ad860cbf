import { compile } from '../core/compile.ts';
import { MillraceError } from '../core/errors.ts';
import { packParts } from '../core/layout.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../core/partition.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import { mergePages } from '../core/read.ts';
import type { ReferenceRows } from '../core/reference.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { FAULT_NAMES, type FaultName, LOSING_FAULTS, onlyFaults } from './faults.ts';
import type { SimResult } from './schedule.ts';
import { simulate } from './simulate.ts';
import type { SimEvent } from './stream.ts';
import { timelineText } from './timeline.ts';

/** An event of a test. */
export interface TestEvent {
  /** As the pipeline's schema reads it. */
  readonly data: unknown;
  /** Default: the event's place in the list. */
  readonly id?: string;
  /** These very bytes are sent instead, to try what is not decodable. */
  readonly bytes?: Uint8Array;
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
}

/** One result: when its window starts (ISO 8601), its group's fields, its columns. */
export type TestRow = Readonly<Record<string, unknown>> & { readonly start: string };

/** What came out. */
export interface PipelineTestResult {
  /** The rows of each window, in the order of start and group. */
  readonly windows: Readonly<Record<string, readonly TestRow[]>>;
  /** Refused events: the reason, and the event's id where it could be read. In the order of partitions. */
  readonly quarantined: readonly { readonly reason: RejectionReason; readonly id: string }[];
  /** What each output sent, each event once, in the order of its ids: events as the fed pipeline gets them. */
  readonly outputs: Readonly<Record<string, readonly TestDerived[]>>;
}

/** An event for another pipeline: what a test of that one can be given. */
export interface TestDerived {
  readonly id: string;
  readonly data: unknown;
}

/** A promise was broken, or results hung on the faults. */
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

/**
 * Runs a pipeline in virtual time, with the real handler, and gives back its results. Under faults every
 * schedule has to give the same.
 *
 * @throws SimulationError when a promise is broken; its message has seed and timeline
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
  const program = compile(pipeline, test.references ?? new Map());
  const startMs = test.startMs ?? latestTime(program, test.events);
  const faults = onlyFaults(test.faults === 'all' ? HARMLESS : (test.faults ?? []));
  const seeds = test.seeds ?? (test.faults === undefined ? 1 : 20);
  const events = test.events.map((event, index) =>
    simEvent(event, index, { program, pipeline, startMs }),
  );
  let result: SimResult | undefined;
  for (let seed = 1; seed <= seeds; seed += 1) {
    result = await simulate({
      seed,
      startMs,
      pipeline,
      program: () => program,
      events,
      settings: { batchSize: 10, windowMs: 1_000, bisect: true },
      faults,
      faultsForMs: FAULTS_FOR_MS,
    });
    if (result.violations.length > 0) throw new SimulationError(result);
  }
  return {
    windows: windowsOf(program, result),
    quarantined: quarantinedOf(result),
    outputs: outputsOf(result),
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
  const { partitions } = program.settings;
  const validation = program.validate(event.data);
  const key = validation.ok ? program.keyOf(validation.event) : '';
  const count = partitions === 'shard' ? 1 : partitions;
  const partition = partitionOf(key, count);
  return {
    atMs: startMs + index * INTERVAL_MS,
    partitionKey: partitionKey(partition),
    explicitHashKey: explicitHashKey(partition, count),
    bytes: event.bytes ?? bytesOf(event, index, pipeline),
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
  const items = result?.world.aggregates.items() ?? [];
  const windows = program.aggregates.map((aggregate) => {
    const own = items.filter(({ pk }) => packParts(pk).aggregate === aggregate.name);
    const rows = mergePages(aggregate, own).map(({ startMs, endMs, group, columns }) => ({
      start: new Date(startMs).toISOString(),
      ...(aggregate.type === 'session' ? { end: new Date(endMs).toISOString() } : {}),
      ...Object.fromEntries(aggregate.by.map((field, index) => [field, group[index]])),
      ...columns,
    }));
    return [aggregate.name, rows];
  });
  return Object.fromEntries(windows);
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
