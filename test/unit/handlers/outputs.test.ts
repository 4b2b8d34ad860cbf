import { describe, expect, it } from 'vitest';
import { type MemoryOutlet, makeMemoryOutlet } from '../../../src/adapters/memory/outlet.ts';
import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { decodeEntry, ENTRIES } from '../../../src/core/ledger.ts';
import { partitionKey, partitionOf } from '../../../src/core/partition.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { ConsumePorts } from '../../../src/handlers/ports.ts';
import type { SendResult } from '../../../src/ports/outlet.ts';
import { feedingPipeline } from '../../helpers/stage-pipelines.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const program = compile(feedingPipeline);
const HOUR_MS = 3_600_000;
/** Of the pipeline that is fed. */
const PARTITIONS = 3;

interface Fed extends World {
  readonly outlet: MemoryOutlet;
  readonly outlets: ConsumePorts['outlets'];
}

function makeFed(): Fed {
  const world = makeWorld();
  const outlet = makeMemoryOutlet(world.clock);
  return { ...world, outlet, outlets: { large: { outlet, partitions: PARTITIONS } } };
}

function event(sequence: number, amount: number, over: Partial<Parameters<typeof record>[0]> = {}) {
  return record({ sequence, data: { place: 'ATL', at: NOON_MS, amount }, ...over });
}

/** Ids of what was sent, in its order. */
function sentIds({ outlet }: Fed): readonly string[] {
  return outlet.records.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()).id);
}

/** The outlet takes so many records and refuses what comes after them. */
function refusingAfter(world: Fed, taken: number): Fed {
  let left = taken;
  const outlet: MemoryOutlet = {
    ...world.outlet,
    send: async (records, options) => {
      const results = await world.outlet.send(records.slice(0, left), options);
      left -= results.length;
      const error = new TransientError('throttled');
      const refused = records
        .slice(results.length)
        .map((): SendResult => ({ status: 'failed', error }));
      return [...results, ...refused];
    },
  };
  return { ...world, outlets: { large: { outlet, partitions: PARTITIONS } } };
}

describe('a pipeline that feeds another one', () => {
  it('sends the events of accepted rows, in order, to the partitions of their keys', async () => {
    const world = makeFed();
    const batch = { Records: [event(1, 10), event(2, 35), event(3, 61)] };
    const { response, report } = await makeConsume(world, program)(batch, invocation(world));

    expect(response.batchItemFailures).toEqual([]);
    expect(report).toMatchObject({ accepted: 3, derived: 3 });
    expect(sentIds(world)).toEqual(['urn:test e2 0', 'urn:test e3 0', 'urn:test e3 1']);
    expect(world.outlet.records.map((one) => one.partitionKey)).toEqual(
      ['3', '6', '6'].map((key) => partitionKey(partitionOf(key, PARTITIONS))),
    );
    expect(world.outlet.records.every((one) => one.explicitHashKey !== undefined)).toBe(true);
  });

  it('sends nothing for repeats, nor for what is quarantined or late for all its windows', async () => {
    const world = makeFed();
    const past = { place: 'ATL', at: NOON_MS - 24 * HOUR_MS, amount: 50 };
    const Records = [
      event(1, 35, { id: 'one' }),
      event(2, 35, { id: 'one' }),
      event(3, 36, { id: 'one' }),
      event(4, 0, { data: past }),
      event(5, 0, { data: { place: 'nowhere', at: NOON_MS, amount: 50 } }),
      event(6, 0, { data: { place: 7 } }),
    ];
    const { report } = await makeConsume(world, program)({ Records }, invocation(world));

    expect(report.reasons).toEqual({ 'id-conflict': 1, late: 1, transform: 1, schema: 1 });
    expect(report).toMatchObject({ duplicates: 1, derived: 1 });
    expect(sentIds(world)).toEqual(['urn:test one 0']);
  });

  it('names what has no id by its position', async () => {
    const json = compile({ ...feedingPipeline, format: 'json' });
    const world = makeFed();
    const bytes = Buffer.from(JSON.stringify({ place: 'ATL', at: NOON_MS, amount: 35 }));
    await makeConsume(world, json)({ Records: [event(7, 0, { bytes })] }, invocation(world));
    expect(sentIds(world)).toEqual([expect.stringMatching(/\.p0 0:7:0 0$/)]);
  });

  it('does not send what is finished again', async () => {
    const world = makeFed();
    const batch = { Records: [event(1, 35)] };
    await makeConsume(world, program)(batch, invocation(world));
    await makeConsume(world, program)(batch, invocation(world));
    expect(sentIds(world)).toEqual(['urn:test e1 0']);
  });

  it('ends before the first record whose events were not all taken, and sends these again', async () => {
    const world = makeFed();
    const Records = [event(1, 35), event(2, 61), event(3, 40), event(4, 1)];
    const failed = await makeConsume(refusingAfter(world, 2), program)(
      { Records },
      invocation(world),
    );

    expect(failed.response.batchItemFailures).toEqual([{ itemIdentifier: '2' }]);
    expect(failed.report).toMatchObject({ accepted: 1, derived: 1, unfinished: 3 });
    expect(failed.report.stops.join()).toContain('throttled');
    const entries = () =>
      world.ledger
        .items()
        .filter(({ sk }) => sk.startsWith(ENTRIES))
        .map(decodeEntry);
    expect(entries().map(({ position }) => position?.sequence)).toEqual(['1']);

    const again = await makeConsume(world, program)({ Records }, invocation(world));
    expect(again.response.batchItemFailures).toEqual([]);
    expect(entries().map(({ position }) => position?.sequence)).toEqual(['1', '4']);
    const [first, second, ...resent] = sentIds(world);
    expect([first, second]).toEqual(['urn:test e1 0', 'urn:test e2 0']);
    expect(resent).toEqual(['urn:test e2 0', 'urn:test e2 1', 'urn:test e3 0']);
    const [, once, twice] = world.outlet.records;
    expect(twice?.bytes).toEqual(once?.bytes);
  });

  it('sends nothing for a record whose cells are not written', async () => {
    const world = makeFed();
    const aggregates: World['aggregates'] = {
      ...world.aggregates,
      putIf: async (writes) =>
        writes.map(() => ({ status: 'failed', error: new TransientError('throttled') })),
    };
    await makeConsume({ ...world, aggregates }, program)(
      { Records: [event(1, 35)] },
      invocation(world),
    );
    expect(sentIds(world)).toEqual([]);
  });

  it('is not started without the stream of an output', () => {
    expect(() => makeConsume(makeWorld(), program)).toThrow('output large');
  });
});
