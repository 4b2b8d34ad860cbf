import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { TransientError } from '../../../src/core/errors.ts';
import { mergePages } from '../../../src/core/read.ts';
import { makeAggregate, type UserRecord } from '../../../src/handlers/aggregate.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { splitByWriter } from '../../../src/handlers/kinesis-batch.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import {
  envelope,
  invocation,
  makeWorld,
  NOON_MS,
  record,
  type World,
} from '../../helpers/world.ts';

const program = compile(smallPipeline);

/** Amounts 1, 2, 4, 8 ...: a sum tells which of them were counted, and how often. */
function user(place: number, partitionKey = 'p-0', data?: unknown): UserRecord {
  const amount = 2 ** place;
  const event = data ?? { place: 'ATL', at: NOON_MS, amount };
  return {
    partitionKey,
    data: envelope({ sequence: 0, id: `${partitionKey}/${place}`, data: event }),
  };
}

function aggregate(sequence: number, users: readonly UserRecord[], partitionKey = 'p-0') {
  return record({ sequence, partitionKey, bytes: makeAggregate(users) });
}

function totals(world: World) {
  const found = program.aggregates.find(({ name }) => name === 'places');
  if (found === undefined) throw new Error('no window');
  const items = world.aggregates.items().filter(({ pk }) => pk.startsWith('1|places|'));
  return mergePages(found, items).map(({ columns }) => [columns.events, columns.total]);
}

function indexItems(world: World) {
  return world.quarantineIndex.items().map(({ sk, r }) => [sk.slice(-11), r]);
}

describe('aggregated records', () => {
  it('count one by one, and bad ones among them are quarantined by their place', async () => {
    const world = makeWorld();
    const bad = user(1, 'p-0', { place: 'ATL', at: 'noon', amount: 2 });

    const { response, report } = await makeConsume(world, program)(
      {
        Records: [aggregate(7, [user(0), bad, user(2)]), record({ sequence: 8, bytes: bad.data })],
      },
      invocation(world),
    );

    expect(response).toEqual({ batchItemFailures: [] });
    expect(report).toMatchObject({ received: 4, accepted: 2, quarantined: 2, writers: 1 });
    expect(totals(world)).toEqual([[2, 5]]);
    expect(indexItems(world)).toEqual([
      ['7:000000001', 'schema'],
      ['8:000000000', 'schema'],
    ]);
  });

  it('go on in the middle: what was finished does not count again, the rest comes by the outer number', async () => {
    const world = makeWorld();
    let isDown = true;
    const quarantine: World['quarantine'] = {
      ...world.quarantine,
      put: async (...put) => {
        if (isDown) throw new TransientError('down');
        return world.quarantine.put(...put);
      },
    };
    const bad = user(2, 'p-0', 'none');
    const batch = { Records: [aggregate(7, [user(0), user(1), bad, user(3)])] };
    const consume = makeConsume({ ...world, quarantine }, program);

    const first = await consume(batch, invocation(world, 5_000));
    expect(first.response).toEqual({ batchItemFailures: [{ itemIdentifier: '7' }] });
    expect(first.report).toMatchObject({ accepted: 2, unfinished: 2 });
    expect(totals(world)).toEqual([[2, 3]]);

    isDown = false;
    const second = await consume(batch, invocation(world));
    expect(second.response).toEqual({ batchItemFailures: [] });
    expect(second.report).toMatchObject({ accepted: 1, quarantined: 1, repeated: 2 });
    expect(totals(world)).toEqual([[3, 11]]);
    expect(indexItems(world)).toEqual([['7:000000002', 'schema']]);
  });

  it('pass as they are when their checksum is broken', async () => {
    const world = makeWorld();
    const bytes = Uint8Array.from(makeAggregate([user(0)]));
    bytes.set([1, 2, 3], bytes.length - 3);

    const { report } = await makeConsume(world, program)(
      { Records: [record({ sequence: 1, bytes })] },
      invocation(world),
    );
    expect(report).toMatchObject({ received: 1, reasons: { 'not-decodable': 1 } });
  });

  it('are quarantined where their partition key is not that of the outer record, which chose lane and shard', async () => {
    const world = makeWorld();

    const { report } = await makeConsume(world, program)(
      {
        Records: [
          aggregate(1, [user(0, 'p-0'), user(1, 'p-1'), user(2, 'elsewhere'), user(3, 'p-0')]),
          aggregate(2, [user(4, 'p-0'), user(5, 'p-0')], 'a'),
        ],
      },
      invocation(world),
    );

    expect(report).toMatchObject({ accepted: 2, reasons: { 'unknown-partition': 4 } });
    expect(totals(world)).toEqual([[2, 9]]);
    expect(indexItems(world).map(([place]) => place)).toEqual([
      '1:000000001',
      '1:000000002',
      '2:000000000',
      '2:000000001',
    ]);
  });

  it('belong to the shard where writers are shards, whatever their keys', async () => {
    const world = makeWorld();
    const shards = { ...program, settings: { ...program.settings, partitions: 'shard' as const } };

    const { report } = await makeConsume(world, shards)(
      { Records: [aggregate(1, [user(0, 'x'), user(1, 'y'), user(2, 'x')], 'a')] },
      invocation(world),
    );

    expect(report).toMatchObject({ accepted: 3, writers: 1 });
    expect(totals(world)).toEqual([[3, 7]]);
  });
});

const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });

describe('splitByWriter', () => {
  it('gives aggregates and records that repeat a sequence number the same positions', () => {
    fc.assert(
      fc.property(shape, fc.nat({ max: 1 }), (sizes, odd) => {
        const keyOf = (sequence: number) => `p-${(sequence * odd) % 2}`;
        const users = (sequence: number, size: number) =>
          Array.from({ length: size }, (_, place) => user(place, keyOf(sequence)));
        const packed = sizes.map((size, sequence) =>
          aggregate(sequence, users(sequence, size), keyOf(sequence)),
        );
        const repeated = sizes.flatMap((size, sequence) =>
          users(sequence, size).map(({ partitionKey, data }) =>
            record({ sequence, partitionKey, bytes: data }),
          ),
        );

        const [left, right] = [packed, repeated].map((Records) =>
          splitByWriter({ Records }, 'e', 2).map(({ writer, records }) => ({
            writer,
            records: records.map(({ position, sequence, bytes }) => ({
              position,
              sequence,
              text: Buffer.from(bytes).toString(),
            })),
          })),
        );
        expect(left).toEqual(right);
        expect(left?.flatMap(({ records }) => records)).toHaveLength(
          sizes.reduce((sum, size) => sum + size, 0),
        );
      }),
    );
  });

  it('keeps what belongs to a writer in the order in which it was packed', () => {
    const Records = [
      aggregate(10, [user(0), user(1), user(2)]),
      record({ sequence: 9, bytes: user(5).data }),
    ];
    const [writer] = splitByWriter({ Records }, 'e', 2);
    const places = writer?.records.map(({ position: { sequence, index } }) => [sequence, index]);

    expect(places).toEqual([
      ['9', 0],
      ['10', 0],
      ['10', 1],
      ['10', 2],
    ]);
  });
});
