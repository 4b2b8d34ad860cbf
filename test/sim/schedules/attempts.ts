import { compile } from '../../../src/core/compile.ts';
import type { Program } from '../../../src/core/program.ts';
import { NO_FAULTS } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import { simEvents } from '../../helpers/sim-records.ts';
import { smallOptions } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import {
  itemsOf,
  nameOf,
  type Observed,
  observe,
  type Request,
  type Run,
  requestsOf,
} from './observe.ts';
import type { Schedule } from './schedule.ts';
import { attributes, differs, outside } from './stored/facts.ts';

const program = compile(smallPipeline);
const HOUR_MS = 3_600_000;
const LIFE_MS = program.settings.horizonMs + program.settings.retention.streamMs;
const TIMEOUT_MS = 20_000;
const GUARD_LAG_MS = 5_000;

/**
 * The notes of tries at records that kill the function, one after the other: what each says has to follow
 * from the one before, by the rules as they are written down, and a record is given up only after three
 * deaths alone.
 */
export const ATTEMPTS: Schedule = {
  name: 'attempts',
  seeds: 10,
  run: async (seed) => {
    const mix = { killers: 0.06, strays: 0, bad: 0.05 };
    const observed = await observe({
      ...smallOptions(seed, {
        events: simEvents(seed, 50, mix),
        faults: NO_FAULTS,
        policies: { ...PLAIN_POLICIES, guardLagMs: GUARD_LAG_MS },
        shards: 1,
        settings: { batchSize: 8 + (seed % 3) * 9, windowMs: 1_000, bisect: seed % 2 === 0 },
        timeoutMs: TIMEOUT_MS,
      }),
      pipeline: smallPipeline,
      program: deadly,
    });
    // What a dead container goes on to send never arrives.
    const notes = observed.requests.filter(
      (one) => nameOf(one) === 'ledger.putIf attempt' && one.answeredMs !== undefined,
    );
    const writers = Map.groupBy(notes, ({ input }) => String(itemsOf(input)[0]?.pk));
    return [
      ...observed.result.violations,
      ...(notes.length < 5 ? ['hardly anything was noted'] : []),
      ...[...writers].flatMap(([writer, some]) => checkNotes(observed, writer, some)),
      ...checkGuarded(observed),
      ...checkSuspects(observed),
    ];
  },
};

function deadly(die: () => void): Program {
  const transform = (event: unknown, arrivalMs: number) => {
    if (Reflect.get(Object(event), 'place') === 'killer') die();
    return program.transform(event, arrivalMs);
  };
  return { ...program, transform };
}

type Note = Readonly<Record<string, string | number>>;

function checkNotes(
  observed: Observed,
  writer: string,
  requests: readonly Request[],
): readonly string[] {
  let before: Computing | undefined;
  return requests.flatMap((request, index) => {
    const note = itemsOf(request.input)[0] as Note;
    const where = `note ${index + 1} of ${writer}`;
    const computing = {
      note,
      before: before?.note,
      request,
      records: recordsOf(observed, request, note),
    };
    const found = [
      ...checkForm(where, note, request),
      ...(note.h === 'writing'
        ? checkWriting(where, note, before)
        : checkComputing(where, computing)),
    ];
    before = computing;
    return found;
  });
}

function checkForm(where: string, note: Note, { sentMs, answer }: Request): readonly string[] {
  return [
    ...attributes(where, note, [...'vrobucdhekt', 'pk', 'sk', 'ttl']),
    ...differs(`${where}: v`, note.v, 1),
    ...differs(`${where}: owner`, /^[0-9a-f]{16}$/.test(String(note.o)), true),
    ...differs(`${where}: written`, JSON.stringify(answer), '[{"status":"written"}]'),
    ...outside(`${where}: life`, Number(note.ttl) * 1000, [
      sentMs + LIFE_MS - 100,
      sentMs + LIFE_MS + 2 * HOUR_MS,
    ]),
  ];
}

/** The same try, which has computed everything that it began: or nothing, where it gave up a record. */
function checkWriting(where: string, note: Note, before: Computing | undefined): readonly string[] {
  if (before === undefined) return [`${where}: comes first`];
  const { ttl: _ttl, k: _k, ...begun } = before.note;
  const { ttl: _ttl2, k, ...own } = note;
  const computed = givesUp(before) ? before.note.k : before.note.e;
  return [
    ...differs(where, own, { ...begun, r: Number(begun.r) + 1, h: 'writing' }),
    ...differs(`${where}: computed`, k, computed),
  ];
}

/** Three deaths alone, and longer ago than any try can still run. */
function givesUp({ note, request, records }: Computing): boolean {
  const isSingle = records.length === 1 || note.c === 1;
  const isAlone = request.sentMs - Number(note.t) >= TIMEOUT_MS;
  return isSingle && Number(note.d) >= 3 && isAlone && note.k === '';
}

interface Computing {
  readonly note: Note;
  readonly before: Note | undefined;
  readonly request: Request;
  /** Positions of the writer's records that the run was given, after the note's base. */
  readonly records: readonly string[];
}

function checkComputing(where: string, computing: Computing): readonly string[] {
  const { note, before, request } = computing;
  const here = before?.b === note.b ? before : undefined;
  return [
    ...differs(where, pick(note), expectedOf(computing, here)),
    ...differs(`${where}: new owner`, note.o === before?.o, false),
    ...(here === undefined
      ? outside(`${where}: first`, note.t, [request.sentMs - 100, request.sentMs])
      : differs(`${where}: first`, note.t, here.t)),
  ];
}

/** By the rules: a death counts where it was not computed before, two of them halve, a single one suspects. */
function expectedOf({ note, before, records }: Computing, here: Note | undefined): object {
  const isSuspected =
    before !== undefined && before.u !== '' && placeOf(before.u) > placeOf(note.b);
  const known = here ?? (isSuspected ? before : undefined);
  const deaths = deathsOf(here);
  const limit = Number(known?.c ?? 0);
  const range = Math.min(limit === 0 ? records.length : limit, records.length);
  const halves = range > 1 && deaths >= 2;
  const take = halves ? Math.ceil(range / 2) : range;
  const suspects = known?.u ?? '';
  return {
    r: Number(before?.r ?? 0) + 1,
    u: suspects === '' && deaths > 0 ? records.at(-1) : suspects,
    c: halves ? take : limit,
    d: halves ? 0 : deaths,
    e: records[take - 1],
    k: here?.k ?? '',
  };
}

function deathsOf(here: Note | undefined): number {
  if (here === undefined) return 0;
  const died = here.h === 'computing' && placeOf(here.e) > placeOf(here.k);
  return Number(here.d) + (died ? 1 : 0);
}

function pick({ r, u, c, d, e, k }: Note): object {
  return { r, u, c, d, e, k };
}

/** The place of a position within its shard: there is one shard. */
function placeOf(position: unknown): number {
  return position === '' ? -1 : Number(String(position).split(':')[1]);
}

function runOf(
  { runs }: Observed,
  { container, run }: Pick<Request, 'container' | 'run'>,
): Run | undefined {
  return runs.find((one) => one.container === container && one.run === run);
}

function recordsOf(observed: Observed, request: Request, note: Note): readonly string[] {
  const lane = String(note.pk).split('.p').at(-1);
  const { Records = [] } = runOf(observed, request)?.batch ?? {};
  return Records.filter(({ kinesis }) => kinesis.partitionKey === `p-${lane}`)
    .map(({ kinesis }) => `0:${kinesis.sequenceNumber}:0`)
    .filter((position) => placeOf(position) > placeOf(note.b));
}

/** A container notes its tries at writers that lag, until it has proven itself. */
function checkGuarded(observed: Observed): readonly string[] {
  const { runs, requests } = observed;
  const proven = new Set<number>();
  return runs.flatMap((run) => {
    const own = requests.filter((one) => one.container === run.container && one.run === run.run);
    const reads = own.filter((one) => nameOf(one) === 'ledger.get attempt');
    const lanes = Map.groupBy(run.batch.Records, ({ kinesis }) => kinesis.partitionKey);
    const judgedMs = reads[0]?.sentMs ?? run.startMs;
    const lags = [...lanes.values()].map(
      ([first]) => judgedMs - (first?.kinesis.approximateArrivalTimestamp ?? 0) * 1000,
    );
    const where = `run ${run.run} of container ${run.container}`;
    const noted = reads.flatMap(({ input }) => itemsOf(input)).length;
    const due = proven.has(run.container)
      ? 0
      : lags.filter((lag) => lag > GUARD_LAG_MS + 100).length;
    const most = proven.has(run.container)
      ? 0
      : lags.filter((lag) => lag > GUARD_LAG_MS - 100).length;
    const isSuspicious = reads.some(({ answer }) =>
      (Array.isArray(answer) ? answer : []).some(suspicious),
    );
    if (run.result !== undefined && !isSuspicious) proven.add(run.container);
    return outside(`${where}: guarded`, noted, [due, most]);
  });
}

/** A note of a try that was suspected, or died. */
function suspicious(result: { readonly item?: Note }): boolean {
  return suspicionOf(result) > 0;
}

function suspicionOf({ item }: { readonly item?: Note }): number {
  const { c = 0, d = 0, h } = item ?? {};
  return Number(c) + Number(d) + (h === 'computing' ? 1 : 0);
}

/** The most suspected of the lagging writers comes last. */
function checkSuspects(observed: Observed): readonly string[] {
  return observed.runs.flatMap((run) => {
    const own = requestsOf(observed, run);
    const read = own.find(
      (one) => nameOf(one) === 'ledger.get attempt' && Array.isArray(one.answer),
    );
    if (read === undefined) return [];
    const answers = read.answer as readonly { readonly item?: Note }[];
    const suspicion = new Map(
      itemsOf(read.input).map(({ pk }, index) => [pk, suspicionOf(answers[index] ?? {})]),
    );
    const begun = own.filter((one) => nameOf(one) === 'ledger.putIf attempt' && isComputing(one));
    const order = begun.map(({ input }) => suspicion.get(itemsOf(input)[0]?.pk) ?? 0);
    return differs(
      `order of suspects in ${run.invocation.requestId}`,
      order,
      [...order].sort((left, right) => left - right),
    );
  });
}

function isComputing({ input }: Request): boolean {
  return itemsOf(input)[0]?.h === 'computing';
}
