import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { decodeEntry } from '../../../src/core/ledger.ts';
import { mergePages } from '../../../src/core/read.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const program = compile(smallPipeline);
const HOUR_MS = 3_600_000;

function event(
  sequence: number,
  amount: number | null,
  options: Partial<Parameters<typeof record>[0]> = {},
) {
  return record({ sequence, data: { place: 'ATL', at: NOON_MS, amount }, ...options });
}

function rows(world: World, aggregate: string) {
  const found = program.aggregates.find(({ name }) => name === aggregate);
  if (found === undefined) throw new Error(aggregate);
  return mergePages(
    found,
    world.aggregates.items().filter(({ pk }) => pk.startsWith(`1|${aggregate}|`)),
  );
}

function reasons(world: World) {
  return world.quarantineIndex.items().map(({ r }) => r);
}

describe('consume', () => {
  it('folds a batch into cells and answers success', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);

    const { response, report } = await consume(
      { Records: [event(1, 2), event(2, 0.5), event(3, null)] },
      invocation(world),
    );

    expect(response).toEqual({ batchItemFailures: [] });
    expect(report).toMatchObject({ received: 3, accepted: 3, quarantined: 0, unfinished: 0 });
    expect(rows(world, 'places')).toMatchObject([
      { group: ['ATL'], columns: { events: 3, total: 2.5, mean: 1.25, least: 0.5, most: 2 } },
    ]);
    expect(world.events.items().filter(({ sk }) => sk === 'event')).toHaveLength(3);
  });

  it('changes nothing when the same batch comes again, to this container or another', async () => {
    const world = makeWorld();
    const batch = { Records: [event(1, 2), event(2, 3)] };
    const first = makeConsume(world, program);
    await first(batch, invocation(world));
    const before = { cells: world.aggregates.items(), ledger: world.ledger.items() };

    const again = await first(batch, invocation(world));
    const elsewhere = await makeConsume(world, program)(batch, invocation(world));

    expect(again.report.repeated).toBe(2);
    expect(elsewhere.report.repeated).toBe(2);
    expect(world.aggregates.items()).toEqual(before.cells);
    expect(world.ledger.items()).toEqual(before.ledger);
  });

  it('counts a repeated id once within the horizon, and again beyond it', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);
    const repeat = { id: 'same', data: { place: 'ATL', at: NOON_MS, amount: 1 } };
    await consume({ Records: [record({ sequence: 1, ...repeat })] }, invocation(world));

    await consume(
      { Records: [record({ sequence: 2, ...repeat, arrivalMs: NOON_MS + 1_800_000 })] },
      invocation(world),
    );
    const within = rows(world, 'places')[0]?.columns.events;
    await consume(
      { Records: [record({ sequence: 3, ...repeat, arrivalMs: NOON_MS + 1_800_001 })] },
      invocation(world),
    );

    expect(within).toBe(1);
    expect(rows(world, 'places')[0]?.columns.events).toBe(2);
  });

  it.each([
    ['not-decodable', { bytes: Buffer.from('{"half') }],
    ['not-decodable', { bytes: Buffer.from([0xff, 0xfe]) }],
    ['not-decodable', { bytes: Buffer.from('{"specversion":"1.0"}') }],
    ['schema', { data: { place: 7 } }],
    ['transform', { data: { place: 'nowhere', at: NOON_MS, amount: 1 } }],
    ['future', { data: { place: 'ATL', at: NOON_MS + 300_001, amount: 1 } }],
    ['too-large', { data: { place: 'x'.repeat(1025), at: NOON_MS, amount: 1 } }],
    ['unknown-partition', { partitionKey: 'p-2' }],
  ])('quarantines a record as %s with its bytes and folds the others', async (reason, bad) => {
    const world = makeWorld();
    const consume = makeConsume(world, program);

    const { response, report } = await consume(
      { Records: [event(1, 1), event(2, 1, bad), event(3, 1)] },
      invocation(world),
    );

    expect(response.batchItemFailures).toEqual([]);
    expect(report.reasons).toEqual({ [reason]: 1 });
    expect(rows(world, 'places')).toMatchObject([{ columns: { events: 2 } }]);
    const [item] = world.quarantineIndex.items();
    const [object] = world.quarantine.objects.values();
    const document = JSON.parse(
      Buffer.from(object ?? [])
        .toString()
        .split('\n')[Number(item?.l)] ?? '',
    );
    expect(document).toMatchObject({ v: 1, reason, pipeline: 'small', position: '0:2:0' });
    expect(document.bytes).toBe(event(2, 1, bad).kinesis.data);
  });

  it('names the source and id of an event that does not fit the schema', async () => {
    const world = makeWorld();
    await makeConsume(world, program)(
      { Records: [event(1, 1, { id: 'broken', data: { place: 7 } })] },
      invocation(world),
    );
    const [object] = world.quarantine.objects.values();
    expect(JSON.parse(Buffer.from(object ?? []).toString())).toMatchObject({
      reason: 'schema',
      source: 'urn:test',
      id: 'broken',
    });
  });

  it('quarantines another event under the same id as an id conflict', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);

    await consume(
      {
        Records: [
          event(1, 1, { id: 'x' }),
          event(2, 2, { id: 'x', data: { place: 'ATL', at: NOON_MS, amount: 2 } }),
        ],
      },
      invocation(world),
    );

    expect(reasons(world)).toEqual(['id-conflict']);
    expect(rows(world, 'places')).toMatchObject([{ columns: { total: 1 } }]);
  });

  it('refuses an event that is late for all its windows, and folds it where it is not', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);
    const at = (sequence: number, atMs: number) =>
      event(sequence, 1, { data: { place: 'ATL', at: atMs, amount: 1 } });

    const { report } = await consume(
      { Records: [at(1, NOON_MS), at(2, NOON_MS - 2 * HOUR_MS), at(3, NOON_MS - 24 * HOUR_MS)] },
      invocation(world),
    );

    expect(report).toMatchObject({ accepted: 2, partlyLate: 1, reasons: { late: 1 } });
    // Each behind the first event: the second changed no window that had ended, the third none at all.
    expect(report).toMatchObject({ corrections: 0, correctionMs: 0, lateMs: 24 * HOUR_MS });
    expect(rows(world, 'days')).toMatchObject([{ group: [], columns: { events: 2, total: 2 } }]);
    expect(rows(world, 'places')).toMatchObject([{ columns: { events: 1 } }]);
  });

  it('reports the lowest unfinished record of a writer and finishes the others', async () => {
    const world = makeWorld();
    const failing: World = {
      ...world,
      aggregates: {
        ...world.aggregates,
        putIf: (writes, options) =>
          world.aggregates
            .putIf(
              writes.filter(({ item }) => item.pk.includes('.p0|')),
              options,
            )
            .then((results) => {
              const queue = [...results];
              return writes.map(({ item }) => {
                const written = item.pk.includes('.p0|') ? queue.shift() : undefined;
                return written ?? { status: 'failed' as const, error: new Error('throttled') };
              });
            }),
      },
    };
    const consume = makeConsume(failing, program);
    const batch = {
      Records: [
        event(1, 1),
        event(2, 1, { partitionKey: 'p-1' }),
        event(3, 1),
        event(4, 1, { partitionKey: 'p-1' }),
      ],
    };

    const { response, report } = await consume(batch, invocation(world));

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: '2' }]);
    expect(report).toMatchObject({ accepted: 2, unfinished: 2 });
    const again = await makeConsume(world, program)(batch, invocation(world));
    expect(again.response.batchItemFailures).toEqual([]);
    expect(rows(world, 'places')).toMatchObject([{ columns: { events: 4 } }]);
  });

  it('keeps a dense chain of ledger entries with position and watermark', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);
    await consume({ Records: [event(1, 1)] }, invocation(world));
    await consume({ Records: [event(7, 1)] }, invocation(world));

    const entries = world.ledger
      .items()
      .filter(({ sk }) => sk.startsWith('e#'))
      .map(decodeEntry);

    expect(entries.map(({ n }) => n)).toEqual([1, 2]);
    expect(entries.map(({ position }) => position?.sequence)).toEqual(['1', '7']);
    expect(entries[1]).toMatchObject({
      watermarkMs: NOON_MS,
      highArrivalMs: NOON_MS,
      fingerprint: program.fingerprint,
    });
  });

  it('takes sequence numbers with leading zeros, and answers them as they came', async () => {
    const world = makeWorld();
    const padded = (sequence: number, over: Parameters<typeof event>[2] = {}) => {
      const made = event(sequence, 1, over);
      return {
        ...made,
        kinesis: { ...made.kinesis, sequenceNumber: String(sequence).padStart(30, '0') },
      };
    };
    const failing: World = {
      ...world,
      aggregates: {
        ...world.aggregates,
        putIf: async (writes) =>
          writes.map(() => ({ status: 'failed', error: new Error('throttled') })),
      },
    };

    const failed = await makeConsume(failing, program)({ Records: [padded(9)] }, invocation(world));
    await makeConsume(world, program)({ Records: [padded(9), padded(10)] }, invocation(world));

    expect(failed.response.batchItemFailures).toEqual([{ itemIdentifier: '9'.padStart(30, '0') }]);
    expect(rows(world, 'places')).toMatchObject([{ columns: { events: 2 } }]);
  });

  it('throws before writing when the stream was made again, and goes on with new writers', async () => {
    const world = makeWorld();
    const consume = makeConsume(world, program);
    await consume({ Records: [event(1, 1)] }, invocation(world));
    const cells = world.aggregates.items();
    world.stream.recreate(1_800_000_000_000);
    world.clock.advance(60_000);

    await expect(
      consume({ Records: [event(1, 1, { id: 'new' })] }, invocation(world)),
    ).rejects.toThrow('epoch');
    expect(world.aggregates.items()).toEqual(cells);

    await consume({ Records: [event(1, 1, { id: 'new' })] }, invocation(world));
    expect(rows(world, 'places')).toMatchObject([{ columns: { events: 2 } }]);
  });
});
