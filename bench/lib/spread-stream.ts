import * as z from 'zod';
import { definePipeline } from '#millrace';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { partitionKey } from '../../src/core/partition.ts';
import type { KinesisBatch } from '../../src/handlers/kinesis-batch.ts';

/** What a synthetic stream is like. */
export interface SpreadOptions {
  readonly partitions: number;
  /** Groups that events may have, evenly. */
  readonly groups: number;
  /** Share of the events that have the first group, 0 to 1. */
  readonly hot: number;
  /** Records of each partition in a batch. */
  readonly perWriter: number;
  readonly batches: number;
  readonly nowMs: number;
  /** Records before, of which none is made again; default 0. */
  readonly from?: number;
}

/** Counts, sums and means per group and hour. */
export function spreadPipeline({
  partitions,
  groups,
}: Pick<SpreadOptions, 'partitions' | 'groups'>) {
  return definePipeline({
    name: 'spread',
    schema: z.object({ at: z.number(), group: z.string(), amount: z.number() }),
    key: 'group',
    time: 'at',
    partitions,
    lateness: '6 hours',
    windows: ({ tumbling, count, sum, mean, max }) => ({
      groups: tumbling('1 hour', {
        by: 'group',
        groups: Math.min(groups, 1_000_000),
        keep: { events: count(), total: sum('amount'), mean: mean('amount'), most: max('amount') },
      }),
    }),
  });
}

/** Batches in which each partition has the same number of records. A group belongs to one partition. */
export function spreadBatches(options: SpreadOptions): readonly KinesisBatch[] {
  const { partitions, groups, hot, perWriter, batches, nowMs, from = 0 } = options;
  const random = makeSeededRandom(11 + from);
  let number = from;
  const record = (partition: number, batch: number) => {
    number += 1;
    const share = Math.max(1, Math.floor(groups / partitions));
    const group = random.next() < hot ? 0 : Math.floor(random.next() * share);
    const id = `${number.toString(16).padStart(8, '0')}-7b1e-4c55-9a57-0f8fad5bd9cb`;
    const data = {
      at: nowMs - 3_600_000 + batch,
      group: `g${group * partitions + partition}`,
      amount: number % 97,
    };
    const event = { specversion: '1.0', id, source: '/bench', type: 'bench', data };
    const sequence = `4959033827149025660855969253836157109592157598${String(number).padStart(10, '0')}`;
    return {
      eventID: `shardId-000000000006:${sequence}`,
      kinesis: {
        partitionKey: partitionKey(partition),
        sequenceNumber: sequence,
        data: Buffer.from(JSON.stringify(event)).toString('base64'),
        approximateArrivalTimestamp: (nowMs + batch) / 1000,
      },
    };
  };
  return Array.from({ length: batches }, (_, batch) => ({
    Records: Array.from({ length: partitions * perWriter }, (_unused, index) =>
      record(index % partitions, batch),
    ),
  }));
}
