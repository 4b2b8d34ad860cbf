import { compile } from '../../../src/core/compile.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { NO_FAULTS } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import type { SimOptions } from '../../../src/sim/schedule.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { smallOptions } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { envelope, NOON_MS } from '../../helpers/world.ts';
import { type Observed, observe, type Run, requestsOf } from './observe.ts';
import type { Schedule } from './schedule.ts';
import { differs, outside } from './stored/facts.ts';

const program = compile(smallPipeline);

/** Records that are decided between two looks at the clock. */
const LOOK = 32;
const QUIET_MS = 15_000;
/** Requests take up to 20 ms each, one after the other; the reading ones come before the computation. */
const OVERHEAD_MS = 400;

/** How slow what is. */
interface Pace {
  readonly timeoutMs: number;
  /** How long each record is computed, milliseconds. */
  readonly stepMs: number;
  /** How long the writes of the batches of one record take that come first, milliseconds. */
  readonly warmUpMs: readonly number[];
}

const PACES: readonly Pace[] = [
  { timeoutMs: 10_000, stepMs: 25, warmUpMs: [] },
  { timeoutMs: 4_500, stepMs: 12, warmUpMs: [] },
  { timeoutMs: 10_000, stepMs: 22, warmUpMs: [900] },
  { timeoutMs: 12_000, stepMs: 24, warmUpMs: [500, 1_000, 700] },
  { timeoutMs: 12_000, stepMs: 24, warmUpMs: [...Array(8).fill(1_300), ...Array(101).fill(700)] },
  {
    timeoutMs: 12_000,
    stepMs: 26,
    warmUpMs: [...Array(60).fill(700), 900, ...Array(60).fill(700)],
  },
  { timeoutMs: 12_000, stepMs: 24, warmUpMs: [...Array(98).fill(300), 900, 1_200] },
];

const RECORDS = 400;

/**
 * Computing takes long: an invocation plans as much as leaves time to write, answers in time, and what it
 * finished counts.
 */
export const SLOW: Schedule = {
  name: 'slow',
  seeds: PACES.length,
  run: async (seed) => {
    const pace = PACES[seed % PACES.length];
    if (pace === undefined) return [];
    const computedMs = new Map<string, number>();
    const observed = await observe({
      ...smallOptions(seed, {
        events: eventsOf(pace),
        faults: NO_FAULTS,
        policies: PLAIN_POLICIES,
        shards: 1,
        settings: { batchSize: RECORDS, windowMs: 10_000 },
        timeoutMs: pace.timeoutMs,
        faultsForMs: 3_600_000,
      }),
      pipeline: smallPipeline,
      program: () => program,
      makeHandler: slowHandler(pace, computedMs),
    });
    const first = observed.runs.findIndex(({ batch }) => batch.Records.length > 1);
    return [
      ...observed.result.violations,
      ...observed.runs.flatMap((run) => checkDeadlines(observed, run)),
      ...observed.runs
        .slice(first)
        .flatMap((run, index) => checkRun(run, index, { pace, computedMs })),
    ].map((text) => `${JSON.stringify({ ...pace, warmUpMs: pace.warmUpMs.length })}: ${text}`);
  },
};

function eventsOf({ warmUpMs }: Pace): readonly SimEvent[] {
  const event = (index: number, atMs: number): SimEvent => ({
    atMs,
    partitionKey: 'p-0',
    explicitHashKey: explicitHashKey(0, 2),
    bytes: envelope({ sequence: index, data: { place: 'ATL', at: NOON_MS, amount: index } }),
  });
  const afterMs = NOON_MS + warmUpMs.length * QUIET_MS;
  return [
    ...warmUpMs.map((_, index) => event(index, NOON_MS + index * QUIET_MS)),
    ...Array.from({ length: RECORDS }, (_, index) => event(1_000 + index, afterMs)),
  ];
}

/** Computing moves the handler's own clock; the writes of the first batches move everybody's. */
function slowHandler(
  { stepMs, warmUpMs }: Pace,
  computedMs: Map<string, number>,
): NonNullable<SimOptions['makeHandler']> {
  return (ports, given, options) => {
    let skewMs = 0;
    let runs = 0;
    const clock = { ...ports.clock, now: () => ports.clock.now() + skewMs };
    const transform = (event: unknown, arrivalMs: number) => {
      skewMs += stepMs;
      return given.transform(event, arrivalMs);
    };
    const events: typeof ports.events = {
      ...ports.events,
      putAll: async (items, sent) => {
        await ports.clock.sleep(warmUpMs[runs - 1] ?? 0);
        return ports.events.putAll(items, sent);
      },
    };
    const consume = makeConsume({ ...ports, clock, events }, { ...given, transform }, options);
    return async (batch, invocation) => {
      skewMs = 0;
      runs += 1;
      const result = await consume(batch, invocation);
      computedMs.set(invocation.requestId, skewMs);
      return result;
    };
  };
}

/** The end of an invocation is kept for its answer. */
function checkDeadlines(observed: Observed, run: Run): readonly string[] {
  const { deadlineMs, requestId } = run.invocation;
  const answerMs = Math.min(500, (deadlineMs - run.startMs) / 10);
  return requestsOf(observed, run).flatMap((request) =>
    differs(
      `${requestId} ${request.operation}: deadline`,
      request.deadlineMs,
      deadlineMs - answerMs,
    ),
  );
}

interface Slow {
  readonly pace: Pace;
  readonly computedMs: ReadonlyMap<string, number>;
}

function checkRun(run: Run, index: number, { pace, computedMs }: Slow): readonly string[] {
  const { requestId, deadlineMs } = run.invocation;
  const where = `${requestId}, ${index + 1} of the long ones`;
  const { report } = run.result ?? {};
  const spentMs = computedMs.get(requestId) ?? 0;
  if (report === undefined) return [`${where}: did not answer`];
  const reserveMs = index === 0 ? reserveOf(pace) : pace.timeoutMs / 3;
  const stopMs = pace.timeoutMs - reserveMs;
  const isShort = report.received * pace.stepMs < stopMs - OVERHEAD_MS;
  return [
    ...outside(`${where}: end`, (run.endMs ?? 0) + spentMs, [0, deadlineMs]),
    ...outside(`${where}: finished`, report.accepted, [isShort ? report.received : LOOK, RECORDS]),
    ...(isShort || report.unfinished === 0
      ? []
      : outside(`${where}: computed`, spentMs, [
          stopMs - OVERHEAD_MS,
          stopMs + LOOK * pace.stepMs,
        ])),
  ];
}

/** The larger of 2 s and three times the 99th percentile of the last 100 write phases; at most a third. */
function reserveOf({ timeoutMs, warmUpMs, stepMs }: Pace): number {
  const sorted = warmUpMs.slice(-100).sort((left, right) => left - right);
  const p99 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
  const writeMs = p99 === 0 ? 0 : p99 + stepMs;
  return Math.min(Math.max(2_000, 3 * writeMs), timeoutMs / 3);
}
