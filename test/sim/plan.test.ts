import * as v from 'valibot';
import { expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { DEV } from '../../lib/config/environment.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { compile } from '../../src/core/compile.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../../src/core/partition.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import { sampleOf } from '../../src/plan/sample.ts';
import { makeUsage, type Usage } from '../../src/plan/usage.ts';
import { NO_FAULTS } from '../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../src/sim/policies.ts';
import type { SimResult } from '../../src/sim/schedule.ts';
import { simulate } from '../../src/sim/simulate.ts';
import { invocation, makeWorld, NOON_MS } from '../helpers/world.ts';

/**
 * What a plan says is used, against what the simulation counts: the real handler and the mapping's model,
 * batches as they come, tables that count as DynamoDB bills. Nothing fails here: faults are not planned for.
 */

const PARTITIONS = 4;
const RATE = 20;
/** A whole block of each window. */
const SECONDS = 720;
const EVENTS = RATE * SECONDS;

const pipeline = definePipeline({
  name: 'planned',
  schema: v.object({ place: v.string(), kind: v.string(), at: v.number(), amount: v.number() }),
  key: 'place',
  time: 'at',
  partitions: PARTITIONS,
  lateness: '1 minute',
  windows: ({ tumbling, hopping, session, count, sum, mean, max, percentiles }) => ({
    places: tumbling('1 minute', {
      by: 'place',
      groups: 200,
      keep: { events: count(), mean: mean('amount'), most: max('amount') },
    }),
    kinds: tumbling('2 minutes', {
      by: ['place', 'kind'],
      groups: 800,
      keep: { events: count(), total: sum('amount') },
    }),
    overall: tumbling('1 minute', {
      keep: { events: count(), amounts: percentiles('amount', [50, 99]) },
    }),
    recent: hopping('2 minutes', {
      every: '1 minute',
      by: 'kind',
      groups: 4,
      keep: { events: count() },
    }),
    runs: session('10 seconds', {
      max: '2 minutes',
      by: 'place',
      groups: 200,
      keep: { events: count() },
    }),
  }),
  retention: { windows: '1 hour', events: '1 day' },
});

const deployment = {
  ...DEV,
  stream: { type: 'provisioned', shards: 1 },
  consumer: { ...DEV.consumer, batchSize: 1_000, batchingWindowSeconds: 5 },
} as const;

/** Some places are frequent, most are not. */
function events() {
  const random = makeSeededRandom(11);
  return Array.from({ length: EVENTS }, (_, index) => {
    const atMs = NOON_MS + Math.floor((index * 1000) / RATE);
    const place = `place-${Math.floor(random.next() ** 2 * 200)}`;
    const data = {
      place,
      kind: `kind-${Math.floor(random.next() * 4)}`,
      at: atMs,
      amount: Math.round(random.next() ** 3 * 10_000) / 100,
    };
    const partition = partitionOf(place, PARTITIONS);
    const envelope = {
      specversion: '1.0',
      id: `event-${index}`,
      source: 'urn:test',
      type: 't',
      data,
    };
    return {
      atMs,
      timeMs: atMs,
      partitionKey: partitionKey(partition),
      explicitHashKey: explicitHashKey(partition, PARTITIONS),
      bytes: Buffer.from(JSON.stringify(envelope)),
    };
  });
}

async function planned(containers: number): Promise<Usage> {
  const program = compile(pipeline);
  const sample = sampleOf(program, events().slice(0, 10_000));
  const usageAt = makeUsage({ program, deployment, sample, peak: RATE, bad: 0, containers });
  return usageAt(RATE);
}

function simulated(): Promise<SimResult> {
  const { consumer, stream } = deployment;
  return simulate({
    seed: 1,
    startMs: NOON_MS,
    pipeline,
    program: () => compile(pipeline),
    events: events(),
    shards: stream.shards,
    settings: {
      batchSize: consumer.batchSize,
      windowMs: consumer.batchingWindowSeconds * 1000,
      parallelization: consumer.parallelizationFactor,
    },
    // Numbers as long as Kinesis' own: they are part of each page.
    policies: { ...PLAIN_POLICIES, sequenceDigits: 56 },
    faults: NO_FAULTS,
    faultsForMs: 0,
  });
}

interface Ratio {
  readonly planned: number;
  readonly counted: number;
}

function expectClose(ratios: Readonly<Record<string, Ratio>>): void {
  const off = Object.entries(ratios).filter(
    ([, { planned: plan, counted }]) => Math.abs(plan / counted - 1) > 0.05,
  );
  expect(off).toEqual([]);
}

function writesOf(usage: Usage): number {
  const windows = [...usage.windows.values()].reduce((sum, { writeUnits }) => sum + writeUnits, 0);
  return windows * SECONDS;
}

it('plans within 5 % of the calls and units that the simulation counts', async () => {
  const { world, violations, counts } = await simulated();
  const plan = await planned(1);

  expect(violations).toEqual([]);
  expect(counts['cold start']).toBe(1);
  expectClose({
    calls: { planned: plan.calls * SECONDS, counted: counts.invocation ?? 0 },
    aggregates: { planned: writesOf(plan), counted: world.aggregates.usage.writeUnits },
    ledger: { planned: plan.ledger.writeUnits * SECONDS, counted: world.ledger.usage.writeUnits },
    events: { planned: plan.events.writeUnits * SECONDS, counted: world.events.usage.writeUnits },
  });
}, 120_000);

/** Batches as the plan says, to containers by turns in no order. */
async function alternating(containers: number) {
  const world = makeWorld(NOON_MS + 3_600_000);
  const random = makeSeededRandom(5);
  const all = Array.from({ length: containers }, () => makeConsume(world, compile(pipeline)));
  const batches = Map.groupBy(numbered(), ({ atMs }) => Math.floor((atMs - NOON_MS) / BATCH_MS));
  for (const batch of batches.values()) {
    const consume = all[Math.floor(random.next() * containers)];
    await consume?.({ Records: batch.map(recordOf) }, invocation(world));
  }
  return world;
}

/** The batching window, and an event that opens it. */
const BATCH_MS = 5_000 + 1_000 / RATE;

function numbered() {
  return events().map((event, index) => ({ ...event, index }));
}

const FIRST = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n;

function recordOf({ bytes, atMs, partitionKey: key, index }: ReturnType<typeof numbered>[number]) {
  const sequence = String(FIRST + BigInt(index) * 4_096_000n);
  return {
    eventID: `shardId-000000000000:${sequence}`,
    kinesis: {
      partitionKey: key,
      sequenceNumber: sequence,
      data: bytes.toString('base64'),
      approximateArrivalTimestamp: atMs / 1000,
    },
  };
}

it.each([2, 3])(
  'plans within 5 % of what %s containers by turns use',
  async (containers) => {
    const world = await alternating(containers);
    const plan = await planned(containers);

    expectClose({
      aggregates: { planned: writesOf(plan), counted: world.aggregates.usage.writeUnits },
      ledgerReads: {
        planned: plan.ledger.readUnits * SECONDS,
        counted: world.ledger.usage.readUnits,
      },
    });
  },
  60_000,
);
