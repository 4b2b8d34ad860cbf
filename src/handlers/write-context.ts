import type { InputRecord } from '../core/plan.ts';
import type { Program } from '../core/program.ts';
import type { WriteResult } from '../ports/table.ts';
import type { ConsumePorts, Invocation } from './ports.ts';
import type { RetryContext } from './retry.ts';

/** A record with what the stream says of it. */
export interface SourceRecord extends InputRecord {
  readonly partitionKey: string;
  /** The sequence number that Lambda is told when the record is unfinished. */
  readonly sequence: string;
}

/** What every write of a writer's batch is given; its deadline bounds sends and tries. */
export interface WriteContext extends RetryContext {
  readonly ports: ConsumePorts;
  readonly program: Program;
  readonly writer: string;
  readonly invocation: Invocation;
}

/** Records that may not be durable, and why the first of them is not. */
export interface Unwritten<R> {
  readonly records: readonly R[];
  /** Undefined when all are written. */
  readonly error: unknown;
}

/** The error of the first result that failed. */
export function firstError(results: readonly WriteResult[]): unknown {
  return results.find((result) => result.status === 'failed')?.error;
}
