import type { Bucket } from '../ports/bucket.ts';
import type { Clock } from '../ports/clock.ts';
import type { Outlet } from '../ports/outlet.ts';
import type { Random } from '../ports/random.ts';
import type { Shards } from '../ports/shards.ts';
import type { Stream } from '../ports/stream.ts';
import type { Table } from '../ports/table.ts';

/** What the keeper needs of the world. */
export interface KeepPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly stream: Stream;
  readonly ledger: Table;
}

/** What the consumer needs of the world. */
export interface ConsumePorts extends KeepPorts {
  readonly aggregates: Table;
  readonly events: Table;
  readonly quarantineIndex: Table;
  readonly quarantine: Bucket;
  /** What stands for the pipeline's name in the keys of quarantine objects; default: its name. */
  readonly quarantineFolder?: string;
  /** The streams of the pipelines that are fed, by output; needed where the pipeline has outputs. */
  readonly outlets?: Readonly<Record<string, FedStream>>;
}

/** The stream of a pipeline that is fed. */
export interface FedStream {
  readonly outlet: Outlet;
  /** Logical partitions of that pipeline. */
  readonly partitions: number;
}

/** What the archiver needs of the world. */
export interface ArchivePorts extends KeepPorts {
  /** Where the objects go. */
  readonly archive: Bucket;
}

/** What the archive's check needs of the world. */
export interface CheckArchivePorts extends ArchivePorts {
  readonly shards: Shards;
}

/** What is needed to read the archive. */
export interface ReadArchivePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly archive: Bucket;
}

/** What rebuilding from the archive needs: a consumer's world, which is written to, and where records come from. */
export interface ReplayPorts extends ConsumePorts {
  readonly archive: Bucket;
  /** The ledger table of the pipeline's deployment: its archive tails and its list of writers, to be read only. */
  readonly source: Table;
  readonly shards: Shards;
}

/** One call of a function. */
export interface Invocation {
  /** Lambda's request id; goes into quarantine documents. */
  readonly requestId: string;
  /** When Lambda ends the function, milliseconds since 1970 UTC. */
  readonly deadlineMs: number;
  /** X-Ray trace id, if there is one. */
  readonly traceId?: string;
}
