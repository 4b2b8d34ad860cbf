import { describe, expect, it } from 'vitest';
import { makeMemoryPublisher } from '../../../src/adapters/memory/publisher.ts';
import { makeMemoryTable } from '../../../src/adapters/memory/table.ts';
import { compile } from '../../../src/core/compile.ts';
import { decodeEntry, ENTRIES } from '../../../src/core/ledger.ts';
import type { Program } from '../../../src/core/program.ts';
import { mergePages } from '../../../src/core/read.ts';
import type { RedriveChoice } from '../../../src/core/redrive.ts';
import { makeClose } from '../../../src/handlers/close.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { makeKeep } from '../../../src/handlers/keep.ts';
import { quarantinedDocuments } from '../../../src/handlers/read-quarantine.ts';
import {
  makeRedrive,
  type RedriveAnswer,
  type RedriveOptions,
} from '../../../src/handlers/redrive.ts';
import type { RedriveRequest } from '../../../src/handlers/redrive-request.ts';
import { type TracedDocument, tracedDocuments } from '../../../src/handlers/redriven.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import {
  invocation,
  makeWorld,
  NOON_MS,
  type RecordOptions,
  record,
  type World,
} from '../../helpers/world.ts';

const DAY_MS = 86_400_000;
const good = { place: 'ATL', at: NOON_MS, amount: 1 };
const mended = compile(smallPipeline);

/** Refuses what the mended pipeline takes. */
const first: Program = {
  ...mended,
  validate: () => ({ ok: false, issues: [{ path: 'amount', message: 'no' }] }),
};

const ALL: RedriveChoice = {
  fromMs: NOON_MS - 30 * DAY_MS,
  toMs: NOON_MS + DAY_MS,
  reason: undefined,
  limit: 1_000,
};

async function refuse(world: World, events: readonly Partial<RecordOptions>[], program = first) {
  const Records = events.map((event, index) =>
    record({ sequence: index + 1, data: { ...good, amount: index + 1 }, ...event }),
  );
  await makeConsume(world, program)({ Records }, invocation(world));
}

interface Caller {
  readonly program?: Program;
  readonly options?: RedriveOptions;
}

function call<Action extends RedriveRequest['action']>(
  world: World,
  request: RedriveRequest & { readonly action: Action },
  { program = mended, options = {} }: Caller = {},
) {
  const redrive = makeRedrive(world, program, options);
  return redrive(request, invocation(world)) as Promise<
    RedriveAnswer & { readonly action: Action }
  >;
}

async function look(world: World, over: Partial<RedriveChoice> = {}, caller: Caller = {}) {
  return (await call(world, { action: 'look', choice: { ...ALL, ...over } }, caller)).findings;
}

/** Asks for a job, and runs it to its end. */
async function redrive(world: World, over: Partial<RedriveChoice> = {}, caller: Caller = {}) {
  const choice = { ...ALL, ...over };
  const { job } = await call(world, { action: 'ask', choice, by: 'me' }, caller);
  return (await call(world, { action: 'run', job: job.number }, caller)).progress;
}

function totals(world: World) {
  const places = mended.aggregates.find(({ name }) => name === 'places');
  if (places === undefined) throw new Error('places');
  const items = world.aggregates.items().filter(({ pk }) => pk.startsWith('1|places|'));
  return mergePages(places, items).map(({ columns: { events, total } }) => ({ events, total }));
}

async function documentsOf(world: World) {
  const context = { clock: world.clock, random: world.random, deadlineMs: Infinity };
  const filter = { pipeline: 'small', ...ALL, limit: 1_000, streamMs: DAY_MS };
  const { reason: _reason, ...rest } = filter;
  const documents = quarantinedDocuments(world.quarantine, rest, context);
  const traced: TracedDocument[] = [];
  for await (const one of tracedDocuments(world.ledger, documents, context)) traced.push(one);
  return traced;
}

describe('a redrive', () => {
  it('brings back what passes now, with ids and times of its own, and says who asked', async () => {
    const world = makeWorld();
    await refuse(world, [{}, { arrivalMs: NOON_MS + 5 }]);
    const progress = await redrive(world);
    expect(progress).toMatchObject({
      events: 2,
      finished: 2,
      job: { number: 1, state: 'done', by: 'me', createdMs: NOON_MS },
    });
    expect(totals(world)).toEqual([{ events: 2, total: 3 }]);
    const names = world.events
      .items()
      .filter(({ sk }) => sk === 'event')
      .map(({ pk }) => pk);
    expect(names.map((name) => name.slice(-11)).sort()).toEqual(['urn:test e1', 'urn:test e2']);
    const traced = await documentsOf(world);
    expect(traced.map(({ job }) => job?.by)).toEqual(['me', 'me']);
  });

  it('takes nothing twice, whenever it is asked', async () => {
    const world = makeWorld();
    await refuse(world, [{}, {}]);
    await redrive(world);
    await world.clock.sleep(40 * DAY_MS);
    const choice = { fromMs: 0 };
    expect(await look(world, choice)).toMatchObject({ events: 0, leftOut: { redriven: 2 } });
    expect(await redrive(world, choice)).toMatchObject({ events: 0, job: { state: 'done' } });
    expect(totals(world)).toEqual([{ events: 2, total: 3 }]);
  });

  it('takes an event once that was refused twice, also in two jobs', async () => {
    const world = makeWorld();
    await refuse(world, [{ id: 'x', data: good }, { id: 'x', data: good }, { id: 'y' }]);
    expect(await look(world)).toMatchObject({ events: 2, leftOut: { repeat: 1 } });
    expect(await look(world, { limit: 2 })).toMatchObject({ events: 2, complete: true });
    expect(await redrive(world, { limit: 1 })).toMatchObject({ events: 1 });
    expect(await redrive(world)).toMatchObject({ events: 1 });
    expect(totals(world)).toMatchObject([{ events: 2 }]);
  });

  it('leaves out what was counted meanwhile under the same id, and what says so itself', async () => {
    const world = makeWorld();
    await refuse(world, [{ id: 'x' }, { id: 'y' }]);
    await refuse(world, [{ sequence: 11, id: 'x', data: good }], mended);
    await refuse(world, [{ sequence: 12, id: 'x', data: { ...good, amount: 9 } }], mended);
    expect(await look(world)).toMatchObject({
      events: 1,
      leftOut: { counted: 1, 'id-conflict': 1 },
    });
  });

  it('looks beyond what is left out, however much that is', async () => {
    const world = makeWorld();
    const counted = Array.from({ length: 1_200 }, (_, index) => ({ id: `x${index}` }));
    await refuse(world, [...counted, { id: 'y' }]);
    const again = counted.map(({ id }, index) => ({ sequence: 2_000 + index, id, data: good }));
    await refuse(world, again, mended);
    expect(await look(world, { limit: 1 })).toMatchObject({
      events: 1,
      complete: true,
      leftOut: { counted: 1_200 },
    });
  });

  it('counts an event of the same id beyond the horizon as another one', async () => {
    const world = makeWorld();
    await refuse(world, [{ id: 'x' }]);
    const arrivalMs = NOON_MS + mended.settings.horizonMs + 1;
    await refuse(world, [{ sequence: 11, id: 'x', data: good, arrivalMs }], mended);
    expect(await look(world)).toMatchObject({ events: 1, leftOut: { counted: 0 } });
  });

  it('takes what killed the function only where it is named', async () => {
    const world = makeWorld();
    await refuse(world, [{}]);
    const [[key, body] = ['', new Uint8Array()]] = world.quarantine.objects;
    const text = Buffer.from(body).toString().replace('"reason":"schema"', '"reason":"crash"');
    await world.quarantine.put(key, Buffer.from(text), '', { deadlineMs: Infinity });
    expect(await look(world)).toMatchObject({ events: 0, leftOut: { crash: 1 } });
    expect(await look(world, { reason: 'crash' })).toMatchObject({ events: 1 });
  });

  it('counts late events where their window is still kept, and refuses them where it is not', async () => {
    const world = makeWorld();
    const old = { ...good, at: NOON_MS - 5 * DAY_MS };
    const gone = { ...good, at: NOON_MS - 400 * DAY_MS };
    await refuse(world, [{ data: good }, { data: old }, { data: gone }], mended);
    const progress = await redrive(world);
    expect(progress.job.plan?.events).toBe(1);
    expect(totals(world)).toMatchObject([{ events: 1 }, { events: 1 }]);
    const { refused } = await look(world);
    expect(refused).toMatchObject([{ reason: 'late', count: 1 }]);
    expect(refused[0]?.expected).toContain('whose windows are still kept');
  });

  it('names an event without an id as its first writer and place did', async () => {
    const program = { ...mended, format: 'json' } as const;
    const world = makeWorld();
    const bytes = Buffer.from(JSON.stringify(good));
    await refuse(world, [{ bytes }], { ...first, format: 'json' });
    await redrive(world, {}, { program });
    const [event] = world.events.items().filter(({ sk }) => sk === 'event');
    expect(event?.pk).toMatch(/\.p0 0:1:0$/);
  });

  it('does not depend on the stream: nothing but the documents is read', async () => {
    const world = makeWorld();
    await refuse(world, [{}, {}]);
    const emptied = { ...world, ledger: makeMemoryTable() };
    await emptied.clock.sleep(3 * DAY_MS);
    expect(await redrive(emptied)).toMatchObject({ events: 2, job: { state: 'done' } });
    expect(totals(world)).toEqual([{ events: 2, total: 3 }]);
  });
});

describe('a job', () => {
  it('says when there is more than its limit', async () => {
    const world = makeWorld();
    await refuse(world, [{}, {}, {}]);
    expect(await look(world, { limit: 2 })).toMatchObject({ events: 2, complete: false });
    expect(await look(world)).toMatchObject({ events: 3, complete: true });
  });

  it('goes on where the call before it stopped', async () => {
    const world = makeWorld();
    const events = Array.from({ length: 2 }, (_, day) => ({
      arrivalMs: NOON_MS + day * 0.6 * DAY_MS,
    }));
    await refuse(world, events);
    const caller = { options: { sliceMs: 0 } };
    const { job } = await call(world, { action: 'ask', choice: ALL, by: 'me' });
    const run = () => call(world, { action: 'run', job: job.number }, caller);
    expect((await run()).progress).toMatchObject({ events: 2, finished: 0 });
    const whole = await call(world, { action: 'run', job: job.number });
    expect(whole.progress).toMatchObject({ finished: 2, job: { state: 'done' } });
    expect((await run()).progress).toMatchObject({ finished: 2, job: { state: 'done' } });
    expect(totals(world)).toMatchObject([{ events: 2 }]);
  });

  it('is not planned as nothing where there is no time to look', async () => {
    const world = makeWorld();
    await refuse(world, [{}]);
    const { job } = await call(world, { action: 'ask', choice: ALL, by: 'me' });
    const slow = {
      ...world,
      ledger: {
        ...world.ledger,
        get: async (...args: Parameters<typeof world.ledger.get>) => {
          world.clock.advance(59_000);
          return world.ledger.get(...args);
        },
      },
    };
    const { progress } = await call(slow, { action: 'run', job: job.number });
    expect(progress).toMatchObject({ job: { state: 'asked' }, events: 0 });
    expect(progress.report.stops[0]).toContain('no time to plan job 1');
    expect(await call(world, { action: 'run', job: job.number })).toMatchObject({
      progress: { finished: 1, job: { state: 'done' } },
    });
  });

  it('waits for the jobs before it', async () => {
    const world = makeWorld();
    await refuse(world, [{}, {}]);
    const asks = [1, 2].map(() => call(world, { action: 'ask', choice: ALL, by: 'me' }));
    await Promise.all(asks);
    const { progress } = await call(world, { action: 'run', job: 2 });
    expect(progress).toMatchObject({ working: 2, events: 0, job: { state: 'done' } });
    const one = await call(world, { action: 'run', job: 1 });
    expect(one.progress.job).toMatchObject({ state: 'done', plan: { events: 2 } });
  });

  it('can be cancelled until it is planned', async () => {
    const world = makeWorld();
    await refuse(world, [{}]);
    await call(world, { action: 'ask', choice: ALL, by: 'me' });
    const cancelled = await call(world, { action: 'cancel', job: 1 });
    expect(cancelled.job).toMatchObject({ state: 'cancelled', endedMs: NOON_MS });
    expect((await call(world, { action: 'run', job: 1 })).progress.job.state).toBe('cancelled');
    expect(totals(world)).toEqual([]);
    const { job } = await redrive(world);
    const late = await call(world, { action: 'cancel', job: job.number });
    expect(late.job.state).toBe('done');
    await expect(call(world, { action: 'run', job: 9 })).rejects.toThrow('got job 9');
  });

  it('puts back what a pipeline that was changed meanwhile refuses, and a later one takes it', async () => {
    const world = makeWorld();
    await refuse(world, [{}, {}]);
    const { job } = await call(world, { action: 'ask', choice: ALL, by: 'me' });
    await call(world, { action: 'run', job: job.number }, { options: { sliceMs: 0 } });
    const other = await call(world, { action: 'run', job: job.number }, { program: first });
    expect(other.progress).toMatchObject({ report: { quarantined: 2 }, job: { state: 'done' } });
    expect(totals(world)).toEqual([]);
    expect(await redrive(world)).toMatchObject({ events: 2, report: { accepted: 2 } });
    expect(totals(world)).toEqual([{ events: 2, total: 3 }]);
    expect(await look(world)).toMatchObject({ events: 0 });
  });
});

describe('the lane of the jobs', () => {
  it('has one ledger over all jobs, whose positions grow', async () => {
    const world = makeWorld();
    await refuse(world, [{}, {}, {}]);
    for (const limit of [1, 1, 1]) await redrive(world, { limit });
    const entries = world.ledger
      .items()
      .filter(({ pk, sk }) => pk.endsWith('.redrive') && sk.startsWith(ENTRIES))
      .map(decodeEntry);
    expect(entries.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(entries.map(({ position }) => position?.shard)).toEqual([1, 2, 3]);
    expect(entries.flatMap(({ ids }) => ids)).toEqual([]);
  });
});

describe('the writer that brings events back', () => {
  const closing = {
    ...smallPipeline,
    closing: { windows: ['places'], idle: '10 minutes' as const },
  };

  it('is kept alive, is not waited for when windows are closed, and gets no marker', async () => {
    const world = { ...makeWorld(), publisher: makeMemoryPublisher() };
    const at = NOON_MS - 10 * DAY_MS;
    await refuse(world, [{ data: { ...good, at } }]);
    await refuse(world, [{ sequence: 11, data: good }], mended);
    await redrive(world);
    await world.clock.sleep(60_000);
    const report = await makeClose(world, compile(closing))(invocation(world));
    expect(report).toMatchObject({ throughMs: NOON_MS, forced: 0 });
    await world.clock.sleep(DAY_MS);
    const kept = await makeKeep(world, mended.settings)(invocation(world));
    expect(kept).toMatchObject({ writers: 2, renewed: 2 });
  });

  it('asks for another look at a window that was closed without it', async () => {
    // As one version: what is refused and what is closed are the same pipeline's here.
    const { fingerprint, fingerprintAt } = mended;
    const program = { ...compile(closing), fingerprint, fingerprintAt };
    const world = { ...makeWorld(), publisher: makeMemoryPublisher() };
    const ended = { ...good, at: NOON_MS - 5 * 3_600_000 };
    await refuse(world, [{ data: ended }], { ...program, validate: first.validate });
    await refuse(
      world,
      [
        { sequence: 11, data: ended },
        { sequence: 12, data: good },
      ],
      program,
    );
    await makeClose(world, program)(invocation(world));
    await redrive(world, {}, { program });
    await makeClose(world, program)(invocation(world));
    expect(world.publisher.events.map(({ type, result }) => [type, result?.events])).toEqual([
      ['window.closed', 1],
      ['window.corrected', 2],
    ]);
  });
});

/** Dies before or after its request number `at`: what it awaits never comes. */
function dyingAt(world: World, at: number, phase: 'before' | 'after') {
  let requests = 0;
  let die: () => void = () => undefined;
  const death = new Promise<void>((resolve) => {
    die = resolve;
  });
  const wrap = <Port extends object>(port: Port): Port => {
    const entries = Object.entries(port).map(([name, method]) => [
      name,
      typeof method !== 'function' || name === 'items'
        ? method
        : async (...args: unknown[]) => {
            requests += 1;
            const isLast = requests >= at;
            const sends = !isLast || (requests === at && phase === 'after');
            const answer = sends ? await method(...args) : undefined;
            if (!isLast) return answer;
            die();
            return new Promise(() => undefined);
          },
    ]);
    return { ...port, ...Object.fromEntries(entries) };
  };
  const { ledger, aggregates, events, quarantine, quarantineIndex, stream } = world;
  const ports = {
    ...world,
    ledger: wrap(ledger),
    aggregates: wrap(aggregates),
    events: wrap(events),
    quarantine: wrap(quarantine),
    quarantineIndex: wrap(quarantineIndex),
    stream: wrap(stream),
  };
  return { ports, death };
}

describe('a function that dies at any of its requests', () => {
  it.each(['before', 'after'] as const)(
    '%s it leaves a job that comes to the same end',
    async (phase) => {
      let deaths = 0;
      for (let at = 1; ; at += 1) {
        const world = makeWorld();
        await refuse(world, [
          {},
          {},
          { bytes: Buffer.from('{"half') },
          { arrivalMs: NOON_MS + 0.6 * DAY_MS },
        ]);
        const { ports, death } = dyingAt(world, at, phase);
        const dies = redrive(ports).then(() => 'alive');
        const end = await Promise.race([dies, death.then(() => 'dead')]);
        await redrive(world);
        expect(totals(world)).toEqual([{ events: 3, total: 7 }]);
        if (end === 'alive') break;
        deaths += 1;
      }
      expect(deaths).toBeGreaterThan(20);
    },
  );
});
