import { makeMemoryBucket } from '../../src/adapters/memory/bucket.ts';
import { makeMemoryShards } from '../../src/adapters/memory/shards.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import { makeArchive } from '../../src/handlers/archive.ts';
import type { ReplayPorts } from '../../src/handlers/ports.ts';
import { PROGRAMS } from './replay-pipelines.ts';
import { envelope, invocation, makeWorld, NOON_MS, record } from './world.ts';

/** An event of a replay's test. */
export interface ReplayEvent {
  readonly sequence: number;
  readonly shard?: number;
  readonly partition?: number;
  readonly arrivalMs?: number;
  readonly amount?: number;
  readonly place?: string;
}

/** As Lambda hands it over. */
export function replayRecord(event: ReplayEvent) {
  const { sequence, shard = 0, partition = 0, arrivalMs = NOON_MS, amount = 1 } = event;
  const data = { place: event.place ?? 'ATL', at: arrivalMs, amount };
  const bytes = envelope({ sequence, data });
  return record({ sequence, shard, partitionKey: `p-${partition}`, arrivalMs, bytes });
}

/** A world with an archive, its tails in a ledger of its own, and empty tables to replay into. */
export function makeReplayWorld() {
  const world = makeWorld();
  const archive = makeMemoryBucket();
  const source = makeMemoryTable();
  const shards = makeMemoryShards();
  const ports: ReplayPorts = { ...world, archive, source, shards };
  const { settings } = PROGRAMS.live;
  return {
    ...world,
    archive,
    source,
    shards,
    ports,
    /** Archives events, one object a call. */
    store: async (events: readonly ReplayEvent[]) => {
      const archiver = makeArchive({ ...world, ledger: source, archive }, settings);
      await archiver({ Records: events.map(replayRecord) }, invocation(world));
      for (const { shard = 0 } of events) shards.addShard(shard);
    },
  };
}
