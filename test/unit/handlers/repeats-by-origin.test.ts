import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { derive } from '../../../src/core/derive.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { entryLifeMs } from '../../../src/handlers/lifetimes.ts';
import { fedPipeline, feedingPipeline } from '../../helpers/stage-pipelines.ts';
import {
  envelope,
  invocation,
  makeWorld,
  NOON_MS,
  record,
  type World,
} from '../../helpers/world.ts';

const feeding = compile(feedingPipeline);
const fed = compile(fedPipeline);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The derived event of a source event, as bytes. */
function derived(id: string, originMs: number, amount = 35): Uint8Array {
  const source = { name: `urn:test ${id}`, timeMs: NOON_MS, arrivalMs: originMs };
  const [event] = derive(feeding, source, [{ place: 'ATL', at: NOON_MS, amount }]);
  return event?.bytes ?? new Uint8Array();
}

/** Other events of the writer: one ledger entry for each minute in between. */
async function pass(world: World, fromMs: number, minutes: number): Promise<void> {
  const consume = makeConsume(world, fed);
  for (let minute = 1; minute < minutes; minute += 1) {
    const arrivalMs = fromMs + minute * MINUTE_MS;
    world.clock.advance(Math.max(0, arrivalMs - world.clock.now()));
    const data = { place: 'ORD', at: NOON_MS, tens: 1, amount: 1 };
    const one = record({ sequence: arrivalMs, id: `other ${minute}`, data, arrivalMs });
    await consume({ Records: [one] }, invocation(world));
  }
}

/** Consumes one record that arrives then, in a container that knows nothing; what became of it. */
async function outcome(world: World, bytes: Uint8Array, arrivalMs: number) {
  world.clock.advance(Math.max(0, arrivalMs - world.clock.now()));
  const one = record({ sequence: arrivalMs, bytes, arrivalMs });
  const { report, response } = await makeConsume(world, fed)({ Records: [one] }, invocation(world));
  expect(response.batchItemFailures).toEqual([]);
  return { accepted: report.accepted, duplicates: report.duplicates, reasons: report.reasons };
}

const ACCEPTED = { accepted: 1, duplicates: 0, reasons: {} };
const DUPLICATE = { accepted: 0, duplicates: 1, reasons: {} };

describe('a copy of a derived event', () => {
  it('is a repeat long after the horizon, as long as it can have been sent before', async () => {
    const world = makeWorld();
    const bytes = derived('e1', NOON_MS);
    expect(await outcome(world, bytes, NOON_MS + 1_000)).toEqual(ACCEPTED);
    await pass(world, NOON_MS, 5 * 60);
    expect(await outcome(world, bytes, NOON_MS + 5 * HOUR_MS)).toEqual(DUPLICATE);
    // The id that is found again does not have to be asked for by the next container alone.
    expect(await outcome(world, bytes, NOON_MS + 6 * HOUR_MS)).toEqual(DUPLICATE);
  });

  it('is a repeat within the batch that has the first', async () => {
    const world = makeWorld();
    const arrivalMs = NOON_MS + 5 * HOUR_MS;
    world.clock.advance(5 * HOUR_MS);
    const bytes = derived('e1', NOON_MS);
    const Records = [1, 2].map((sequence) => record({ sequence, bytes, arrivalMs }));
    const { report } = await makeConsume(world, fed)({ Records }, invocation(world));
    expect(report).toMatchObject({ accepted: 1, duplicates: 1 });
  });

  it('is new where no copy of it came, however late it is', async () => {
    const world = makeWorld();
    await outcome(world, derived('e1', NOON_MS), NOON_MS + 1_000);
    await pass(world, NOON_MS, 60);
    expect(await outcome(world, derived('e2', NOON_MS), NOON_MS + HOUR_MS)).toEqual(ACCEPTED);
  });

  it('is a repeat also of an event that was sent twice to the first stage within its horizon', async () => {
    const world = makeWorld();
    await outcome(world, derived('e1', NOON_MS), NOON_MS + 1_000);
    const again = derived('e1', NOON_MS + 2_000);
    expect(await outcome(world, again, NOON_MS + 3_000)).toEqual(DUPLICATE);
  });

  it('with other data under the same id is a conflict', async () => {
    const world = makeWorld();
    await outcome(world, derived('e1', NOON_MS), NOON_MS + 1_000);
    await pass(world, NOON_MS, 60);
    const other = derived('e1', NOON_MS, 36);
    expect((await outcome(world, other, NOON_MS + HOUR_MS)).reasons).toEqual({ 'id-conflict': 1 });
  });

  it('counts again where it was folded before its own origin', async () => {
    const world = makeWorld();
    await outcome(world, derived('e1', NOON_MS), NOON_MS + 1_000);
    const later = derived('e1', NOON_MS + 2 * HOUR_MS);
    expect(await outcome(world, later, NOON_MS + 2 * HOUR_MS + 1_000)).toEqual(ACCEPTED);
  });

  it('is a repeat also where it waits in the stream as long as that keeps it', async () => {
    const world = makeWorld();
    const bytes = derived('e1', NOON_MS);
    await outcome(world, bytes, NOON_MS + 1_000);
    // The first stage was out for as long as its stream keeps records; then this one was.
    const arrivalMs = NOON_MS + 24 * HOUR_MS;
    world.clock.advance(48 * HOUR_MS - 1_000);
    world.ledger.expire(world.clock.now());
    expect(await outcome(world, bytes, arrivalMs)).toEqual(DUPLICATE);
  });

  it('is looked for no further back than entries live, whatever it says of its origin', async () => {
    const world = makeWorld();
    const bytes = derived('e1', 0);
    await outcome(world, bytes, NOON_MS);
    expect(await outcome(world, bytes, NOON_MS + 24 * HOUR_MS)).toEqual(DUPLICATE);
    expect(await outcome(world, bytes, NOON_MS + 25 * HOUR_MS)).toEqual(ACCEPTED);
  });
});

describe('an origin', () => {
  it('is believed of the pipelines that feed this one only', async () => {
    const world = makeWorld();
    const document = JSON.parse(Buffer.from(derived('e1', NOON_MS)).toString());
    const bytes = Buffer.from(JSON.stringify({ ...document, source: 'urn:millrace:feed:large' }));
    await outcome(world, bytes, NOON_MS + 1_000);
    expect(await outcome(world, bytes, NOON_MS + HOUR_MS)).toEqual(ACCEPTED);
  });

  it('lets ledger entries live longer, where there can be one', () => {
    const ownMs = feeding.settings.retention.streamMs + feeding.settings.horizonMs;
    expect(entryLifeMs(feeding.settings)).toBe(ownMs + HOUR_MS);
    expect(entryLifeMs(fed.settings)).toBe(2 * 24 * HOUR_MS + 1.5 * HOUR_MS);
  });
});

describe('an event without an origin', () => {
  it.each([undefined, 'noon', '-1', '1e3', 1_000_000, null])(
    'such as %s counts again beyond the horizon',
    async (originms) => {
      const world = makeWorld();
      const plain = envelope({
        sequence: 1,
        data: { place: 'ATL', at: NOON_MS, tens: 3, amount: 35 },
      });
      const document = JSON.parse(Buffer.from(plain).toString());
      const source = 'urn:millrace:feeding:large';
      const bytes = Buffer.from(JSON.stringify({ ...document, source, originms }));
      expect(await outcome(world, bytes, NOON_MS)).toEqual(ACCEPTED);
      expect(await outcome(world, bytes, NOON_MS + 10 * MINUTE_MS)).toEqual(DUPLICATE);
      expect(await outcome(world, bytes, NOON_MS + 11 * MINUTE_MS)).toEqual(ACCEPTED);
    },
  );
});

describe('the memory of a copy', () => {
  it('holds the ids of the batch, not those that passed in between', async () => {
    const world = makeWorld();
    await outcome(world, derived('e1', NOON_MS), NOON_MS + 1_000);
    await pass(world, NOON_MS, 3 * 60);
    const before = world.ledger.usage.requests;
    await outcome(world, derived('e1', NOON_MS), NOON_MS + 3 * HOUR_MS);
    // The head, the look further back in two pages, the key of the ids: no request for each entry.
    expect(world.ledger.usage.requests - before).toBeLessThan(12);
  });

  it('is not asked for where the head reaches back far enough', async () => {
    const world = makeWorld();
    await outcome(world, derived('e1', NOON_MS), NOON_MS + 1_000);
    const requests = async (originMs: number) => {
      const before = world.ledger.usage.requests;
      await outcome(world, derived(`o${originMs}`, originMs), world.clock.now() + 1_000);
      return world.ledger.usage.requests - before;
    };
    await pass(world, NOON_MS, 3 * 60);
    const near = await requests(world.clock.now());
    expect(await requests(NOON_MS)).toBeGreaterThan(near);
  });
});
