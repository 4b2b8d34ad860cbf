import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { explicitHashKey } from '../../../src/core/partition.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { ConsumePorts } from '../../../src/handlers/ports.ts';
import { NO_FAULTS } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import type { SimEvent } from '../../../src/sim/stream.ts';
import { smallOptions } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { envelope, invocation, makeWorld, NOON_MS, record } from '../../helpers/world.ts';
import { nameOf, observe, type Request, requestsOf, writersOf } from './observe.ts';
import type { Schedule } from './schedule.ts';
import { differs } from './stored/facts.ts';

const DAY_MS = 86_400_000;
const PARTITIONS = 30;
const WRITERS_DEFAULT = 8;
const READS_MAX = 8;

const many = { ...smallPipeline, partitions: PARTITIONS };
const program = compile(many);

/** Many writers in one batch: so many at a time as is set, and no more reads of one at a time than eight. */
export const MANY: Schedule = {
  name: 'many',
  seeds: 5,
  run: async (seed) => {
    if (seed === 5) return [...(await checkStops()), ...(await checkFull())];
    const writersAtOnce = seed % 2 === 0 ? undefined : 1 + seed * 3;
    const observed = await observe({
      ...smallOptions(seed, {
        events: eventsOf(),
        faults: NO_FAULTS,
        policies: PLAIN_POLICIES,
        shards: 1,
        settings: { batchSize: 1_000, windowMs: 10_000 },
        timeoutMs: 60_000,
      }),
      pipeline: many,
      program: () => program,
      makeHandler: (ports, given) =>
        makeConsume(ports, given, writersAtOnce === undefined ? {} : { writersAtOnce }),
    });
    const [first] = observed.runs;
    const requests = first === undefined ? [] : requestsOf(observed, first);
    return [
      ...observed.result.violations,
      ...differs(
        'writers at once',
        mostOf(spansOfWork(requests)),
        writersAtOnce ?? WRITERS_DEFAULT,
      ),
      ...differs('reads at once', Math.min(READS_MAX, mostReads(requests)), READS_MAX),
      ...(mostReads(requests) > READS_MAX ? ['more reads at once than eight'] : []),
    ];
  },
};

/** Each of many writers stops, and five reasons are enough. */
async function checkStops(): Promise<readonly string[]> {
  const world = makeWorld();
  const error = new TransientError('refused');
  const putAll: ConsumePorts['events']['putAll'] = async (items) =>
    items.map(() => ({ status: 'failed', error }));
  const ports = { ...world, events: { ...world.events, putAll } };
  const Records = eventsOf().map(({ partitionKey, bytes }, index) =>
    record({ sequence: index + 1, partitionKey, bytes }),
  );
  const { report, response } = await makeConsume(ports, program)({ Records }, invocation(world));
  return [
    ...differs('stops', report.stops, Array(5).fill('TransientError: refused')),
    ...differs('answer', response.batchItemFailures, [{ itemIdentifier: '1' }]),
    ...differs('unfinished', report.unfinished, Records.length),
  ];
}

/** More new ids in one batch than a table of them holds at first. */
async function checkFull(): Promise<readonly string[]> {
  const world = makeWorld();
  const consume = makeConsume(world, program);
  const batchOf = (from: number, count: number) => ({
    Records: Array.from({ length: count }, (_, index) =>
      record({
        sequence: from + index,
        bytes: envelope({ sequence: from + index, data: { place: 'ATL', at: NOON_MS, amount: 1 } }),
      }),
    ),
  });
  const reports = [];
  // As many as there are slots at first, one by one in a batch, and over two batches.
  for (const [from, count] of [
    [1, 1_024],
    [1_025, 1],
    [2_000, 2_100],
  ] as const) {
    reports.push((await consume(batchOf(from, count), invocation(world))).report.accepted);
  }
  const again = await consume(batchOf(5_000, 1), invocation(world));
  return differs('accepted', [...reports, again.report.held.ids], [1_024, 1, 2_100, 3_126]);
}

/** An event for each partition, and for the first one many windows, so that it has many packs. */
function eventsOf(): readonly SimEvent[] {
  const event = (partition: number, index: number, at: number): SimEvent => ({
    atMs: NOON_MS,
    partitionKey: `p-${partition}`,
    explicitHashKey: explicitHashKey(partition, PARTITIONS),
    bytes: envelope({ sequence: index, data: { place: `P${index % 9}`, at, amount: 1 } }),
  });
  const old = Array.from({ length: 40 }, (_, index) => index - 40);
  return [
    // Oldest first, so that none is late.
    ...old.map((days) => event(0, 100 - days, NOON_MS + 2 * days * DAY_MS)),
    ...Array.from({ length: PARTITIONS }, (_, partition) => event(partition, partition, NOON_MS)),
  ];
}

type Span = readonly [fromMs: number, toMs: number];

/** From a writer's registration to its entry in the ledger. */
function spansOfWork(requests: readonly Request[]): readonly Span[] {
  const named = (name: string) => requests.filter((one) => nameOf(one) === name);
  const entries = named('ledger.putIf e#');
  return named('ledger.putAll registry').map((registered) => {
    const [writer] = writersOf(registered);
    const entry = entries.find((one) => writersOf(one)[0] === writer);
    return [registered.sentMs, entry?.answeredMs ?? Number.POSITIVE_INFINITY];
  });
}

function mostReads(requests: readonly Request[]): number {
  const reads = requests.filter(({ operation }) => operation === 'aggregates.query');
  const writers = Map.groupBy(reads, (one) => writersOf(one)[0]);
  const spans = (some: readonly Request[]): readonly Span[] =>
    some.map(({ sentMs, answeredMs = Number.POSITIVE_INFINITY }) => [sentMs, answeredMs]);
  return Math.max(...[...writers.values()].map((some) => mostOf(spans(some))));
}

/** The most of them that hold at one time. */
function mostOf(spans: readonly Span[]): number {
  return Math.max(
    ...spans.map(([at]) => spans.filter(([fromMs, toMs]) => fromMs <= at && at < toMs).length),
  );
}
