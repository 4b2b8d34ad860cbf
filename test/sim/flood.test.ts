import { describe, expect, it } from 'vitest';
import { explicitHashKey, partitionKey } from '../../src/core/partition.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import { ALL_FAULTS, type FaultRates, NO_FAULTS } from '../../src/sim/faults.ts';
import { simulate } from '../../src/sim/simulate.ts';
import type { SimEvent } from '../../src/sim/stream.ts';
import { smallOptions } from '../helpers/simulate-small.ts';
import { envelope, NOON_MS } from '../helpers/world.ts';

const HOUR_MS = 3_600_000;
const PARTITIONS = 2;

/** What a producer sends that changed its format: in one partition each event, for an hour. */
function floodOf(everyMs: number): readonly SimEvent[] {
  return Array.from({ length: HOUR_MS / everyMs }, (_, index) => {
    const bytes = envelope({ sequence: index, id: `bad${index}`, data: { place: index } });
    return eventOf(NOON_MS + index * everyMs, 0, bytes);
  });
}

/** Good ones: every minute one in each partition, and some after the flood. */
function goodEvents(): readonly SimEvent[] {
  return Array.from({ length: 2 * 65 }, (_, index) => {
    const atMs = NOON_MS + Math.floor(index / 2) * 60_000 + 30_001;
    const data = { place: 'ATL', at: atMs, amount: 1 };
    const bytes = envelope({ sequence: index, id: `good${index}`, data });
    return eventOf(atMs, index % 2, bytes);
  });
}

function eventOf(atMs: number, partition: number, bytes: Uint8Array): SimEvent {
  const hash = explicitHashKey(partition, PARTITIONS);
  return { atMs, partitionKey: partitionKey(partition), explicitHashKey: hash, bytes };
}

async function flooded(faults: FaultRates, everyMs: number) {
  const waits: number[] = [];
  const flood = floodOf(everyMs);
  const events = [...flood, ...goodEvents()].sort((left, right) => left.atMs - right.atMs);
  const options = smallOptions(3, {
    events,
    faults,
    faultsForMs: HOUR_MS,
    settings: { batchSize: 500, windowMs: 30_000, parallelization: 1, bisect: true },
    makeHandler: (ports, program, consumeOptions) => {
      const consume = makeConsume(ports, program, consumeOptions);
      return async (batch, invocation) => {
        const answer = await consume(batch, invocation);
        if (answer.report.accepted > 0) waits.push(answer.report.latencyMs);
        return answer;
      };
    },
  });
  const result = await simulate(options);
  return { result, flood: flood.length, slowestMs: Math.max(...waits) };
}

describe('an hour in which every event of a partition is bad', () => {
  it('costs an object a batch, and holds up no good event', async () => {
    const { result, flood, slowestMs } = await flooded(NO_FAULTS, 1_000);
    expect(result.violations).toEqual([]);
    expect(flood).toBe(3_600);
    expect(result.world.quarantineIndex.items()).toHaveLength(flood);
    // A batch is collected for 30 seconds: 120 of them in an hour.
    expect(result.world.quarantine.objects.size).toBeLessThanOrEqual(140);
    expect(slowestMs).toBeLessThan(45_000);
  }, 120_000);

  it('loses nothing under faults, and still makes no object an event', async () => {
    const faults = { ...ALL_FAULTS, recreate: 0, retention: 0 };
    const { result, flood } = await flooded(faults, 2_000);
    expect(result.violations).toEqual([]);
    expect(result.world.quarantine.objects.size).toBeLessThan(flood / 5);
  }, 240_000);
});
