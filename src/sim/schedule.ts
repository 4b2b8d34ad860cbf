import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { Consume } from '../handlers/consume.ts';
import type { ConsumePorts } from '../handlers/ports.ts';
import type { MappingSettings } from '../mapping/settings.ts';
import type { CrashPoint } from './container.ts';
import type { FaultRates } from './faults.ts';
import type { SimEvent } from './stream.ts';
import type { TraceEntry } from './trace.ts';
import type { SimRecord, SimWorld } from './world.ts';

/** What is simulated. */
export interface SimOptions {
  readonly seed: number;
  readonly startMs: number;
  readonly pipeline: AnyPipeline;
  /** Makes the program of one container; `die` ends that container at once. */
  readonly program: (die: () => void) => Program;
  /** What producers send, in the order of time. */
  readonly events: readonly SimEvent[];
  /** Shards at the start; default 1. */
  readonly shards?: number;
  readonly settings: Partial<MappingSettings>;
  readonly faults: FaultRates;
  /** Faults end this long after the start; then everything has to come to its end. */
  readonly faultsForMs: number;
  /** How long an invocation may take, milliseconds; default 10,000. */
  readonly timeoutMs?: number;
  /** How often the keeper runs; default never. */
  readonly keepEveryMs?: number;
  /** How often items whose TTL has passed are deleted; default never. */
  readonly expireEveryMs?: number;
  /** Kills the container at one request. */
  readonly crashAt?: CrashPoint;
  /** Keep the whole trace, not only its end. */
  readonly keepTrace?: boolean;
  /** Stands in for the real handler: how planted bugs are tried. */
  readonly makeHandler?: (ports: ConsumePorts, program: Program) => Consume;
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
  /** Which fault hit which kind of request how often, such as `ledger.get refuse`. */
  readonly hits: Readonly<Record<string, number>>;
  /** Requests that the handlers sent in all. */
  readonly requests: number;
  readonly world: SimWorld;
  /** Everything that was in the stream, in the order of shards. */
  readonly records: readonly SimRecord[];
  /** What happened: all of it, or its end. */
  readonly trace: readonly TraceEntry[];
  readonly startMs: number;
}
