import type { InputRecord } from '../core/plan.ts';
import type { Program } from '../core/program.ts';
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
