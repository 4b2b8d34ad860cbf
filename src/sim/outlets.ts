import { type MemoryOutlet, makeMemoryOutlet } from '../adapters/memory/outlet.ts';
import type { FedStream } from '../handlers/ports.ts';
import type { Clock } from '../ports/clock.ts';
import type { Outlet } from '../ports/outlet.ts';
import type { SimOptions } from './schedule.ts';

/** The stream of a pipeline that is fed: it takes what comes, and nobody reads it here. */
export interface SimOutlet {
  readonly outlet: MemoryOutlet;
  readonly partitions: number;
}

/** Partitions of a pipeline that is fed, where nothing else is said. */
const PARTITIONS = 4;

/** The streams that a pipeline feeds, empty, by output. */
export function makeOutlets(
  { pipeline, fedPartitions = {} }: Pick<SimOptions, 'pipeline' | 'fedPartitions'>,
  clock: Clock,
): Readonly<Record<string, SimOutlet>> {
  const entries = Object.keys(pipeline.outputs).map((name): [string, SimOutlet] => [
    name,
    { outlet: makeMemoryOutlet(clock), partitions: fedPartitions[name] ?? PARTITIONS },
  ]);
  return Object.fromEntries(entries);
}

/** The same streams, each reached in some way. */
export function reached(
  outlets: Readonly<Record<string, SimOutlet>>,
  through: (outlet: MemoryOutlet) => Outlet,
): Readonly<Record<string, FedStream>> {
  const entries = Object.entries(outlets).map(([name, { outlet, partitions }]) => [
    name,
    { outlet: through(outlet), partitions },
  ]);
  return Object.fromEntries(entries);
}
