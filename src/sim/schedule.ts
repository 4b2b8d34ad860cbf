import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program, ProgramSettings } from '../core/program.ts';
import type { MinuteLoad, ScalingRange } from '../core/scaling.ts';
import type { Close, ClosePorts } from '../handlers/close.ts';
import type { Consume, ConsumeOptions } from '../handlers/consume.ts';
import type { Keep } from '../handlers/keep.ts';
import type { ConsumePorts, KeepPorts } from '../handlers/ports.ts';
import type { MappingPolicies } from '../mapping/policies.ts';
import type { MappingSettings } from '../mapping/settings.ts';
import type { CrashPoint } from './container.ts';
import type { SimEngine } from './event-source.ts';
import type { Fate } from './fates.ts';
import type { FaultName, FaultRates } from './faults.ts';
import type { SimPolicies } from './policies.ts';
import type { SimVersion } from './rollout.ts';
import type { SimEvent, SimRecord, SimUnit } from './stream.ts';
import type { TraceEntry } from './trace.ts';
import type { SimWorld } from './world.ts';

/** What is simulated. */
export interface SimOptions {
  readonly seed: number;
  readonly startMs: number;
  /** As `program` was made of it; with `witnessed` the order within each cell is checked too. */
  readonly pipeline: AnyPipeline;
  /** Makes the program of one container; `die` ends that container at once. */
  readonly program: (die: () => void) => Program;
  /** Versions that follow it, in the order of their times; default none. They keep its settings. */
  readonly versions?: readonly SimVersion[];
  /** How long containers believe a list of versions, milliseconds; default as on AWS. */
  readonly believedMs?: number;
  /** What producers send, in the order of time. */
  readonly events: readonly SimEvent[];
  /** Logical partitions of the pipelines that are fed, by output; default 4. */
  readonly fedPartitions?: Readonly<Record<string, number>>;
  /** Shards at the start; default 1. */
  readonly shards?: number;
  readonly settings: Partial<MappingSettings>;
  readonly faults: FaultRates;
  /** Faults end this long after the start; then everything has to come to its end. */
  readonly faultsForMs: number;
  /** What AWS leaves open; default: drawn from the seed. */
  readonly policies?: Partial<SimPolicies>;
  /** How long an invocation may take, milliseconds; default 10,000. */
  readonly timeoutMs?: number;
  /** How often the keeper runs; default never. Without it no standstill beyond the retention is tried. */
  readonly keepEveryMs?: number;
  /** How often items whose TTL has passed are looked for; default never. */
  readonly expireEveryMs?: number;
  /**
   * How often the closer runs; default never. Then there are two silences, each until every window is final:
   * among the events, which correct what was closed, and after them.
   */
  readonly closeEveryMs?: number | undefined;
  /** A function scales the stream each minute; a shard takes as many records as its range says. Default: none does. */
  readonly scaling?: ScalingRange;
  /** What the mapping may do: where it says so, records in the failure destination are no violation. */
  readonly givesUp?: 'allowed';
  /** Kills the container at one request. */
  readonly crashAt?: CrashPoint;
  /** Only these hits of faults happen, by their number in the schedule; for shrinking. */
  readonly keepFaults?: ReadonlySet<number>;
  /** Keep the whole trace, not only its end. */
  readonly keepTrace?: boolean;
  /** Stand in for the real parts: how planted bugs are tried. */
  readonly makeHandler?: (
    ports: ConsumePorts,
    program: Program,
    options: ConsumeOptions,
  ) => Consume;
  readonly makeKeeper?: (ports: KeepPorts, settings: ProgramSettings) => Keep;
  readonly makeCloser?: (ports: ClosePorts, program: Program) => Close;
  readonly makeEngine?: (settings: MappingSettings, policies: MappingPolicies) => SimEngine;
}

/** One hit of a fault. */
export interface FaultHit {
  /** Counted over the schedule, from 1. */
  readonly number: number;
  readonly fault: FaultName;
  /** The await that it hit; '' for what hits none. */
  readonly step: string;
}

/** One run of the function, for the timeline. */
export interface SimRun {
  /** Such as `r-12`. */
  readonly id: string;
  readonly container: string;
  readonly shard: string;
  readonly records: readonly SimRecord[];
  readonly startMs: number;
  readonly endMs: number;
  /** Such as `died`, or what it answered. */
  readonly ending: string;
}

/** A change of the number of shards. */
export interface SimResize {
  readonly atMs: number;
  readonly shards: number;
}

/** How it ended. */
export interface SimResult {
  readonly seed: number;
  /** Equal for equal runs. */
  readonly hash: string;
  /** Promises that were broken; empty when all held. */
  readonly violations: readonly string[];
  /** How often what happened: faults, invocations, cold starts, time-outs, lost checkpoints. */
  readonly counts: Readonly<Record<string, number>>;
  /** Which fault hit which await how often, such as `ledger.get entry refuse`. */
  readonly hits: Readonly<Record<string, number>>;
  /** Faults in all. */
  readonly faults: number;
  /** Each hit, in its order; only with `keepTrace`. */
  readonly faultHits: readonly FaultHit[];
  /** Requests that the handlers sent in all. */
  readonly requests: number;
  readonly world: SimWorld;
  /** Everything that was in the stream, in the order of shards. */
  readonly records: readonly SimRecord[];
  /** How many events ended where. */
  readonly fates: Readonly<Partial<Record<Fate, number>>>;
  readonly fateOf: (unit: SimUnit) => Fate;
  /** Each run of the function; only with `keepTrace`. */
  readonly runs: readonly SimRun[];
  /** What came in each minute. */
  readonly minutes: readonly MinuteLoad[];
  /** Each change of the number of shards that the scaler made. */
  readonly resizes: readonly SimResize[];
  /** What happened: all of it, or its end. */
  readonly trace: readonly TraceEntry[];
  readonly startMs: number;
}
