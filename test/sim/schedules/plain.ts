import { BatchComputation } from '../../../src/batch/batch.ts';
import { compile } from '../../../src/core/compile.ts';
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
import { Bytes } from './stored/bytes.ts';
import { differs, outside } from './stored/facts.ts';

const program = compile(smallPipeline);
const HOUR_MS = 3_600_000;
const BELIEVED_MS = 60_000;

/**
 * Where nothing goes wrong: each invocation reports what it did, sends no request too many, and keeps to
 * the order in which things become durable.
 */
export const PLAIN: Schedule = {
  name: 'plain',
  seeds: 10,
  run: async (seed) => {
    const events = simEvents(seed, 90, { repeats: 0.2, late: 0.1 });
    const everyMs = 200 + (seed % 5) * 500;
    const stretched = events.map((event, index) => ({ ...event, atMs: NOON_MS + index * everyMs }));
    const observed = await observe({
      ...smallOptions(seed, {
        events: stretched,
        faults: NO_FAULTS,
        policies: PLAIN_POLICIES,
        // One container: another's writes would be conflicts.
        shards: 1,
        settings: { batchSize: 12, windowMs: 1_000 },
      }),
      pipeline: smallPipeline,
      program: () => program,
    });
    return [
      ...observed.result.violations,
      ...checkReports(observed),
      ...checkRequests(observed),
      ...checkOrder(observed),
      ...checkOnce(observed),
      ...checkHeld(observed),
    ];
  },
};

/** In the end the one container keeps everything that was ever stored, and says so. */
function checkHeld({ runs, result }: Observed): readonly string[] {
  const { held } = runs.at(-1)?.result?.report ?? {};
  const reports = runs.flatMap((run) => run.result?.report ?? []);
  const ids = reports.reduce((sum, { accepted }) => sum + accepted, 0);
  const chains = result.world.ledger.items().filter(({ sk }) => sk === 'e#000000000001');
  const cells = result.world.aggregates.items().reduce((sum, { d }) => sum + cellCount(d), 0);
  return differs('held', held, { cells, writers: chains.length, ids });
}

/** Cells in the bytes of a page: a number, a group and a state each. */
function cellCount(value: unknown): number {
  const bytes = new Bytes(value);
  bytes.number(1);
  let count = 0;
  for (; bytes.rest > 0; count += 1) {
    bytes.varint();
    bytes.value();
    bytes.value();
  }
  return count;
}

/** What a record has to count as. */
interface Expectation {
  readonly verdict: string;
  readonly partlyLate: boolean;
  /** Behind the watermark, where a window that has ended is changed, or where it is late for all. */
  readonly correctsMs: number;
  readonly lateMs: number;
}

/** What each record of a lane has to count as, in the order of the runs. */
class Expected {
  readonly #batch = new BatchComputation(smallPipeline, program);
  readonly #watermarks = new Map<string, number>();

  of({ kinesis }: Run['batch']['Records'][number]): Expectation {
    const lane = kinesis.partitionKey;
    const nothing = { partlyLate: false, correctsMs: 0, lateMs: 0 };
    if (lane === 'p-7') return { ...nothing, verdict: 'unknown-partition' };
    const bytes = Buffer.from(kinesis.data, 'base64');
    const arrivalMs = Math.round(kinesis.approximateArrivalTimestamp * 1000);
    const verdict = this.#batch.add({ bytes, lane, arrivalMs });
    const before = this.#watermarks.get(lane) ?? Number.NEGATIVE_INFINITY;
    if (verdict !== 'accepted' && verdict !== 'late') return { ...nothing, verdict };
    const { at } = JSON.parse(bytes.toString()).data;
    const behindMs = before - at;
    if (verdict === 'late') return { ...nothing, verdict, lateMs: behindMs };
    this.#watermarks.set(lane, Math.max(before, at));
    const ends = [HOUR_MS, 24 * HOUR_MS].map((sizeMs) => (Math.floor(at / sizeMs) + 1) * sizeMs);
    const live = ends.filter((endMs) => endMs + HOUR_MS > before);
    const corrects = live.some((endMs) => endMs <= before);
    return {
      ...nothing,
      verdict,
      partlyLate: live.length < 2,
      correctsMs: corrects ? behindMs : 0,
    };
  }
}

function checkReports({ runs }: Observed): readonly string[] {
  const expected = new Expected();
  return [...runs].flatMap((run) => {
    const where = `report of ${run.invocation.requestId}`;
    const { report, response } = run.result ?? {};
    if (report === undefined) return [`${where}: is missing`];
    const all = run.batch.Records.map((record) => expected.of(record));
    const counts = Map.groupBy(all, ({ verdict }) => verdict);
    const count = (name: string) => counts.get(name)?.length ?? 0;
    const good = ['accepted', 'repeat'];
    const reasons = [...counts].filter(([name]) => !good.includes(name));
    const arrivals = run.batch.Records.filter(({ kinesis }) => kinesis.partitionKey !== 'p-7').map(
      ({ kinesis }) => Math.round(kinesis.approximateArrivalTimestamp * 1000),
    );
    const longestMs = Math.max(0, (run.endMs ?? 0) - Math.min(...arrivals));
    const { latencyMs, reasons: found, held: _held, writeMs: _writeMs, ...rest } = report;
    return [
      ...differs(where, response, { batchItemFailures: [] }),
      ...differs(where, rest, {
        received: run.batch.Records.length,
        accepted: count('accepted'),
        duplicates: count('repeat'),
        quarantined: reasons.reduce((sum, [, { length }]) => sum + length, 0),
        partlyLate: all.filter(({ partlyLate }) => partlyLate).length,
        corrections: all.filter(({ correctsMs }) => correctsMs > 0).length,
        correctionMs: Math.max(...all.map(({ correctsMs }) => correctsMs)),
        lateMs: Math.max(...all.map(({ lateMs }) => lateMs)),
        derived: 0,
        unfinished: 0,
        repeated: 0,
        conflicts: 0,
        writers: new Set(run.batch.Records.map(({ kinesis }) => kinesis.partitionKey)).size,
        stops: [],
      }),
      ...differs(
        `${where}: reasons`,
        Object.entries(found).sort(),
        reasons.map(([name, { length }]) => [name, length]).sort(),
      ),
      ...outside(`${where}: latency`, latencyMs, [Math.max(0, longestMs - 300), longestMs]),
    ];
  });
}

/** The requests of each run, by what they are for. */
function checkRequests(observed: Observed): readonly string[] {
  return observed.runs.flatMap((run) => {
    const own = requestsOf(observed, run);
    const where = `requests of ${run.invocation.requestId}`;
    const keys = new Set(run.batch.Records.map(({ kinesis }) => kinesis.partitionKey));
    const lanes = [...keys].filter((key) => key !== 'p-7').length;
    const named = (name: string) => own.filter((one) => nameOf(one) === name).length;
    const most = (name: string, count: number) =>
      outside(`${where}: ${name}`, named(name), [0, count]);
    return [
      ...checkWritePhase(run, own),
      ...differs(`${where}: entries`, named('ledger.putIf e#'), lanes),
      ...most('ledger.get e#', 1),
      ...most('stream.identify', 1),
      ...most('ledger.get id-key', 2 * lanes),
      ...most('events.putAll', lanes),
      ...most('bucket.put', keys.size),
      ...most('index.putAll', keys.size),
      ...most('aggregates.putIf', lanes),
      ...most('ledger.get attempt', 0),
    ];
  });
}

/** From the first thing that a writer writes, or reads to write it, to its entry in the ledger. */
function checkWritePhase(run: Run, requests: readonly Request[]): readonly string[] {
  const entries = requests.filter((one) => nameOf(one) === 'ledger.putIf e#');
  const phases = entries.map((entry) => {
    const [writer = ''] = writersOf(entry);
    const own = requests.filter(
      (one) => /^(events|bucket|aggregates)/.test(one.operation) && writersOf(one).includes(writer),
    );
    return (entry.answeredMs ?? 0) - Math.min(entry.sentMs, ...own.map(({ sentMs }) => sentMs));
  });
  const { writeMs = -1 } = run.result?.report ?? {};
  return differs(`write phase of ${run.invocation.requestId}`, writeMs, Math.max(0, ...phases));
}

/** Quarantine and events first, then cells, then the ledger. */
function checkOrder(observed: Observed): readonly string[] {
  const stages = [
    ['events.putAll', 'bucket.put', 'index.putAll'],
    ['aggregates.putIf'],
    ['ledger.putIf'],
  ];
  return observed.runs.flatMap((run) => {
    const own = requestsOf(observed, run);
    const entries = own.filter((one) => nameOf(one) === 'ledger.putIf e#');
    return entries.flatMap((entry) => {
      const writer = writersOf(entry)[0] ?? '';
      const mine = own.filter((one) => writersOf(one).includes(writer));
      const times = stages.map((names) =>
        mine.filter(({ operation }) => names.includes(operation)),
      );
      const late = (stage: number) =>
        times[stage]?.some(({ answeredMs }) =>
          times
            .slice(stage + 1)
            .flat()
            .some(({ sentMs }) => sentMs < (answeredMs ?? Number.POSITIVE_INFINITY)),
        );
      return late(0) || late(1)
        ? [`${run.invocation.requestId}: ${writer} writes out of order`]
        : [];
    });
  });
}

/** What a container asks once, and then knows. */
function checkOnce({ requests, runs }: Observed): readonly string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const request of requests) {
    const { container, operation, input } = request;
    const isRead = operation === 'aggregates.query' || operation === 'ledger.query';
    const name = `${container} ${operation} ${JSON.stringify(input)}`;
    if (isRead && seen.has(name)) found.push(`asked twice: ${name}`);
    seen.add(name);
  }
  const registered = requests.filter((one) => nameOf(one) === 'ledger.putAll registry');
  const writers = registered.flatMap(({ input }) => itemsOf(input).map(({ sk }) => sk));
  return [
    ...found,
    ...differs('registered', writers.length, new Set(writers).size),
    ...checkIdentity(requests, runs),
  ];
}

/** The stream's identity is asked anew after a minute, and not before. */
function checkIdentity(requests: readonly Request[], runs: readonly Run[]): readonly string[] {
  const askedMs = new Map<number, number>();
  return runs.flatMap(({ container, run, startMs }) => {
    const before = askedMs.get(container);
    const request = requests.find(
      (one) =>
        one.container === container && one.run === run && one.operation === 'stream.identify',
    );
    const isDue = before === undefined || startMs - before >= BELIEVED_MS;
    if (request !== undefined) askedMs.set(container, startMs);
    return differs(
      `container ${container} run ${run}: asks for the stream`,
      request !== undefined,
      isDue,
    );
  });
}
