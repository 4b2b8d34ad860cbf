import { type ArchiveUse, archiveUse } from './archive-use.ts';
import { type EventUse, measureEvents, NO_EVENTS } from './event-use.ts';
import {
  type BatchShape,
  batchShape,
  type Lane,
  lanesOf,
  shardsAt,
  type WriterShare,
  writersOf,
} from './lanes.ts';
import { type LedgerUse, ledgerUse } from './ledger-use.ts';
import { archiveOf, batchSeconds, type Planned } from './planned.ts';
import { type StateBytes, stateBytesOf } from './state-bytes.ts';
import type { WindowUse } from './window-units.ts';
import { windowUses } from './window-uses.ts';
import { type Looked, lookedAt, type WriterFlow } from './writer-flow.ts';

/** What a steady rate uses, a second. */
export interface Usage {
  readonly rate: number;
  readonly bytes: number;
  readonly shards: number;
  readonly lanes: number;
  /** Of the consumer: calls, seconds in them, warm containers, events of the average batch. */
  readonly calls: number;
  readonly callSeconds: number;
  readonly containers: number;
  readonly batchEvents: number;
  /** The busiest lane, and its share of the events. */
  readonly busiest: BatchShape & { readonly share: number };
  readonly ledger: LedgerUse;
  readonly windows: ReadonlyMap<string, WindowUse>;
  readonly events: EventUse;
  /** Quarantine: objects and write units. */
  readonly quarantinePuts: number;
  readonly quarantineUnits: number;
  readonly archive: ArchiveUse | undefined;
  /** Ids within the horizon, of all writers. */
  readonly idsHeld: number;
}

/** Gives what a rate uses; what doesn't depend on it is made once. */
export function makeUsage(planned: Planned): (rate: number) => Promise<Usage> {
  const states = new Map(
    planned.sample.windows.map((window) => [window.aggregate.name, stateBytesOf(window)]),
  );
  return (rate) => usageAt(planned, { rate, states });
}

interface At {
  readonly rate: number;
  readonly states: ReadonlyMap<string, StateBytes>;
}

async function usageAt(planned: Planned, at: At): Promise<Usage> {
  const { program, deployment, sample } = planned;
  const { rate } = at;
  const shards = shardsAt(deployment, sample, { peak: planned.peak, rate });
  const writers = writersOf(sample, program.settings.partitions, shards);
  const lanes = lanesOf(writers, deployment.consumer.parallelizationFactor);
  const shapes = lanes.map((lane) => ({ lane, shape: laneShape(planned, lane, rate) }));
  const calls = shapes.reduce((sum, { shape }) => sum + 1 / shape.everyS, 0);
  const callSeconds = shapes.reduce((sum, { shape }) => sum + shape.takesS / shape.everyS, 0);
  const atOnce = Math.min(lanes.length, Math.ceil(callSeconds + 3 * callSeconds ** 0.5));
  const containers = planned.containers ?? Math.max(1, atOnce);
  const flows = shapes.flatMap((shaped) =>
    shaped.lane.writers.map((one) => flowOf(one, shaped, rate)),
  );
  const looked = lookedAt(flows.filter(({ share }) => share > 0));
  const entries = flows.reduce((sum, flow) => sum + flow.entries, 0);
  const bad = Math.min(planned.bad * rate, entries);
  return {
    rate,
    bytes: rate * sample.eventBytes,
    shards,
    lanes: lanes.length,
    calls,
    callSeconds,
    containers,
    batchEvents: rate / calls,
    busiest: busiestOf(shapes),
    ledger: ledgerUse(program, { flows, containers }),
    windows: windowUses(sample.windows, { ...at, looked, containers, writers: writers.length }),
    events: await eventUse(planned, looked),
    quarantinePuts: bad,
    quarantineUnits: planned.bad * rate,
    archive: archiveUse(sample, archiveOf(planned), { rate, writers }),
    idsHeld: (rate * program.settings.horizonMs) / 1000,
  };
}

interface ShapedLane {
  readonly lane: Lane;
  readonly shape: BatchShape;
}

function busiestOf(shapes: readonly ShapedLane[]) {
  const [first] = [...shapes].sort((left, right) => right.lane.share - left.lane.share);
  const none = { events: 0, everyS: 1, takesS: 0, overloaded: false };
  return { ...(first?.shape ?? none), share: first?.lane.share ?? 0 };
}

function laneShape(planned: Planned, lane: Lane, rate: number): BatchShape {
  const { batchSize, batchingWindowSeconds: windowS } = planned.deployment.consumer;
  const writers = lane.writers.length;
  return batchShape(rate * lane.share, {
    batchSize,
    windowS,
    eventBytes: planned.sample.eventBytes,
    takesS: (events) => batchSeconds(planned, Math.min(writers, events), events),
  });
}

/** A writer is in a batch where it has an event in it; a lane of one writer has no batch without it. */
function flowOf(one: WriterShare, { lane, shape }: ShapedLane, rate: number): WriterFlow {
  const events = rate * one.share * shape.everyS;
  const present = lane.writers.length === 1 ? 1 : 1 - Math.exp(-events);
  return {
    ...one,
    rate: rate * one.share,
    entries: present / shape.everyS,
    events: Math.max(1, events / Math.max(present, Number.MIN_VALUE)),
  };
}

async function eventUse({ program, sample }: Planned, looked: Looked): Promise<EventUse> {
  let { writeUnits, storedBytes } = NO_EVENTS;
  for (const { events, entries } of looked.flows) {
    const one = await measureEvents(program, sample, events);
    writeUnits += one.writeUnits * entries * looked.scale;
    storedBytes += one.storedBytes * entries * looked.scale;
  }
  return { writeUnits, storedBytes };
}
