import { BatchComputation } from '../../../src/batch/batch.ts';
import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { NO_FAULTS } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import { simEvents } from '../../helpers/sim-records.ts';
import { smallOptions } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { NOON_MS } from '../../helpers/world.ts';
import {
  itemsOf,
  nameOf,
  type Observed,
  observe,
  type Request,
  type Run,
  requestsOf,
  writersOf,
} from './observe.ts';
import type { Schedule } from './schedule.ts';
import { checkSeen } from './seen.ts';
import { spoil } from './spoil.ts';
import { differs, outside } from './stored/facts.ts';

const program = compile(smallPipeline);

/** Requests of the protocol, and the run of the one container in which they are refused. */
const TARGETS = {
  'stream.identify': 0,
  'ledger.query': 0,
  'ledger.get id-key': 0,
  'ledger.putIf id-key': 0,
  'ledger.putAll registry': 0,
  'events.putAll': 0,
  'bucket.put': 0,
  'index.putAll': 0,
  'aggregates.query': 0,
  'aggregates.putIf': 0,
  'ledger.putIf e#': 0,
  'ledger.get e#': 1,
  'ledger.get attempt': 0,
  'ledger.putIf attempt': 0,
} as const;

type Target = keyof typeof TARGETS;

/** How they fail: how many times, with the answer lost or nothing applied, each input or every second. */
const MODES = [
  { times: 1, applied: false, every: 1, timeoutMs: 30_000 },
  { times: 3, applied: true, every: 1, timeoutMs: 30_000 },
  { times: 4, applied: false, every: 2, timeoutMs: 30_000 },
  { times: 1_000, applied: false, every: 1, timeoutMs: 120_000 },
  { times: 1_000, applied: false, every: 1, timeoutMs: 4_000 },
  { times: 1_000, applied: true, every: 2, timeoutMs: 120_000 },
] as const;

interface Failing {
  readonly target: Target;
  readonly mode: (typeof MODES)[number];
  readonly run: number;
}

/** Only this writer's requests fail, where a request is one writer's. */
const LANE = 'p-0';
const GUARDING = { ...PLAIN_POLICIES, guardLagMs: 0 };
const NAMES = Object.keys(TARGETS) as readonly Target[];
const TRIES_MAX = 12;

/**
 * One kind of request is refused a few times, or for a whole invocation: tries come with pauses that grow,
 * and never too many; what was finished before counts, other writers finish, the rest is reported.
 */
export const REFUSED: Schedule = {
  name: 'refused',
  seeds: NAMES.length * MODES.length,
  run: async (seed) => {
    const target = NAMES[seed % NAMES.length] ?? 'events.putAll';
    const mode = MODES[Math.floor(seed / NAMES.length) % MODES.length] ?? MODES[0];
    const failing = { target, mode, run: TARGETS[target] };
    const observed = await observe(
      {
        ...smallOptions(seed, {
          events: [...batchAt(seed, 0), ...batchAt(seed, 250_000)],
          faults: NO_FAULTS,
          // Tries are noted where they are the target.
          policies: target.endsWith('attempt') ? GUARDING : PLAIN_POLICIES,
          shards: 1,
          settings: { batchSize: 100, windowMs: 10_000 },
          timeoutMs: mode.timeoutMs,
          faultsForMs: 1_200_000,
        }),
        pipeline: smallPipeline,
        program: () => program,
      },
      (ports, where) => {
        let failures = 0;
        return spoil(ports, (request) => {
          const { container, run } = where();
          const isTarget = container === 0 && run === failing.run && nameOf(request) === target;
          if (!isTarget || failures >= mode.times || !concerns(request)) return undefined;
          failures += 1;
          const { operation } = request;
          const isOwn = (input: unknown) => concerns({ operation, input: [input] });
          return { error: new TransientError('refused'), ...mode, concerns: isOwn };
        });
      },
    );
    const where = `${target} refused ${mode.times} times of ${mode.timeoutMs} ms`;
    return [...observed.result.violations, ...check(observed, failing)].map(
      (text) => `${where}: ${text}`,
    );
  },
};

function batchAt(seed: number, afterMs: number) {
  const mix = { ids: `${afterMs}-`, strays: 0.1, bad: 0.2, repeats: 0.15 };
  return simEvents(seed + afterMs, 30, mix).map((event) => ({ ...event, atMs: NOON_MS + afterMs }));
}

function concerns(request: Pick<Request, 'operation' | 'input'>): boolean {
  const writers = writersOf(request);
  const isShared = /identify|id-key/.test(nameOf(request));
  return isShared || writers.some((writer) => writer.endsWith('.p0'));
}

function check(observed: Observed, failing: Failing): readonly string[] {
  const run = observed.runs.find((one) => one.container === 0 && one.run === failing.run);
  if (run === undefined) return ['the run is missing'];
  const isOver = failing.mode.times >= 1_000;
  return [
    ...outside('end', run.endMs, [run.startMs, run.invocation.deadlineMs]),
    ...checkSeen(observed),
    ...checkTries(observed, failing, run),
    ...(isOver ? checkUnfinished(observed, failing, run) : checkRecovered(run)),
  ];
}

/** A few refusals are nobody's business. */
function checkRecovered({ result, error }: Run): readonly string[] {
  const { response, report } = result ?? {};
  return [
    ...differs('error', String(error), 'undefined'),
    ...differs('answer', response, { batchItemFailures: [] }),
    ...differs('unfinished', [report?.unfinished, report?.stops], [0, []]),
  ];
}

function checkUnfinished(
  observed: Observed,
  { target, mode }: Failing,
  run: Run,
): readonly string[] {
  if (/identify|id-key|get attempt/.test(target)) return checkNothing(observed, run);
  const { response, report } = run.result ?? {};
  const own = run.batch.Records.filter(({ kinesis }) => kinesis.partitionKey === LANE);
  const verdicts = verdictsOf(observed, run);
  const isFirst = FIRST[target] ?? (() => true);
  const at = own.findIndex(({ kinesis }) => isFirst(verdicts.get(kinesis.sequenceNumber) ?? ''));
  if (at < 0 || report === undefined) return ['nothing was to be refused'];
  // Then there may be no time left for others, who wait for the heads too, or for the ledger.
  const isLate = mode.timeoutMs < 10_000 && /ledger\.(query|get)|aggregates/.test(target);
  if (isLate) {
    return outside('unfinished', report.unfinished, [own.length - at, run.batch.Records.length]);
  }
  const left = own.length - at;
  const { accepted, duplicates, quarantined, stops } = report;
  const reasons = mode.timeoutMs > 100_000 ? /^TransientError: / : /^(Transient|Deadline)Error: /;
  return [
    ...differs('answer', response?.batchItemFailures, [
      { itemIdentifier: own[at]?.kinesis.sequenceNumber },
    ]),
    ...differs('unfinished', report.unfinished, left),
    ...differs('finished', accepted + duplicates + quarantined, run.batch.Records.length - left),
    ...outside('stops', stops.length, [1, 5]),
    ...differs(
      'stops',
      stops.every((stop) => reasons.test(stop)),
      true,
    ),
  ];
}

/** Without the stream's identity, or the key of the ids, nothing is known: every lane's records come again. */
function checkNothing(observed: Observed, run: Run): readonly string[] {
  const { response, report } = run.result ?? {};
  const writes = requestsOf(observed, run).filter(({ operation }) =>
    /events|aggregates/.test(operation),
  );
  const isKnown = writes.length > 0;
  const lanes = run.batch.Records.filter(({ kinesis }) => kinesis.partitionKey !== 'p-7');
  const identified = requestsOf(observed, run).some(
    ({ operation }) => operation === 'ledger.query',
  );
  const left = identified ? lanes : run.batch.Records;
  return [
    ...differs('writes', isKnown, false),
    ...differs('answer', response?.batchItemFailures, [
      { itemIdentifier: left[0]?.kinesis.sequenceNumber },
    ]),
    ...differs('unfinished', report?.unfinished, left.length),
    ...differs(
      'stops',
      report?.stops.every((stop) => stop.startsWith('TransientError: ')),
      true,
    ),
    ...outside('stops', report?.stops.length, [1, 5]),
  ];
}

/** The first record of the lane that can't be finished, where it is not simply the first. */
const FIRST: Readonly<Partial<Record<Target, (verdict: string) => boolean>>> = {
  'events.putAll': (verdict) => verdict === 'accepted',
  'aggregates.query': (verdict) => verdict === 'accepted',
  'aggregates.putIf': (verdict) => verdict === 'accepted',
  'bucket.put': (verdict) => verdict !== 'accepted' && verdict !== 'repeat',
  'index.putAll': (verdict) => verdict !== 'accepted' && verdict !== 'repeat',
};

/** What becomes of the lane's records up to the end of a run, by sequence number. */
function verdictsOf({ runs }: Observed, until: Run): ReadonlyMap<string, string> {
  const batch = new BatchComputation(smallPipeline, program);
  const verdicts = new Map<string, string>();
  for (const { batch: given } of runs.slice(0, runs.indexOf(until) + 1)) {
    for (const { kinesis } of given.Records) {
      const arrivalMs = Math.round(kinesis.approximateArrivalTimestamp * 1000);
      const event = { bytes: Buffer.from(kinesis.data, 'base64'), lane: LANE, arrivalMs };
      if (kinesis.partitionKey === LANE) verdicts.set(kinesis.sequenceNumber, batch.add(event));
    }
  }
  return verdicts;
}

/** Pauses are random times up to a bound that doubles from 50 ms to 2 s, and only what failed is sent again. */
function checkTries(observed: Observed, { target, mode }: Failing, run: Run): readonly string[] {
  const tries = requestsOf(observed, run).filter((one) => nameOf(one) === target && concerns(one));
  // Side by side, or for two things: the key of the ids, packs, notes of the two phases.
  if (/id-key|aggregates.query|putIf attempt/.test(target)) return [];
  return checkSequence(tries, mode, target);
}

function checkSequence(
  sequence: readonly Request[],
  { times, timeoutMs }: Failing['mode'],
  target: Target,
): readonly string[] {
  const isOver = times >= 1_000;
  // What went through with the first try is no repeat.
  const triesMax = TRIES_MAX + (target === 'aggregates.putIf' ? 1 : 0);
  const shares: number[] = [];
  const found = sequence.slice(1).flatMap((request, index) => {
    const before = sequence[index];
    const bound = Math.min(2_000, 50 * 2 ** index);
    const gapMs = request.sentMs - (before?.answeredMs ?? 0);
    shares.push(gapMs / bound);
    return [
      ...outside(`pause ${index + 1}`, gapMs, [0, bound]),
      ...outside('sent', request.sentMs, [0, request.deadlineMs - 1]),
      ...(target === 'aggregates.putIf' || before === undefined
        ? []
        : checkSentAgain(before, request)),
    ];
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return [
    ...found,
    ...(shares.length >= 8 ? outside('pauses', mean, [0.2, 0.8]) : []),
    ...(isOver && timeoutMs > 100_000
      ? outside('tries', sequence.length, [TRIES_MAX, triesMax])
      : []),
    ...outside('tries', sequence.length, [isOver ? 4 : times + 1, isOver ? triesMax : times + 1]),
  ];
}

function checkSentAgain(before: Request, request: Request): readonly string[] {
  if (!Array.isArray(before.answer)) return [];
  const answers: readonly unknown[] = before.answer;
  const failed = itemsOf(before.input).filter(
    (_, index) => Reflect.get(Object(answers[index]), 'status') === 'failed',
  );
  const names = (items: ReturnType<typeof itemsOf>) => items.map(({ pk, sk }) => `${pk} ${sk}`);
  return differs('sent again', names(itemsOf(request.input)), names(failed));
}
