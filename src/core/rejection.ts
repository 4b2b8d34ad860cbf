import type { SchemaIssue } from './program.ts';

/** Why a record went into quarantine. */
export const REJECTION_REASONS = {
  'not-decodable': 'the bytes are not the JSON, or not the envelope, that the pipeline reads',
  schema: 'the event does not fit the schema',
  transform: 'the transform, or a function of the pipeline, threw',
  late: 'the event came after the allowed lateness of all its windows',
  future: 'the event time is too far ahead of its arrival',
  'too-large': 'something that must be stored of it is over a limit',
  'id-conflict': 'an event with the same id and other bytes was counted before',
  crash: 'the function died each time that it worked on the record',
  'unknown-partition': 'the partition key names no partition of the pipeline',
} as const;

/** One of the reasons above. */
export type RejectionReason = keyof typeof REJECTION_REASONS;

/** Where on its way a record was refused. */
export type RejectionStage = 'decode' | 'validate' | 'time' | 'deduplicate' | 'transform' | 'plan';

/** A record that is folded nowhere, and why. Holds no values of the event but its id and times. */
export interface Rejection {
  readonly reason: RejectionReason;
  readonly stage: RejectionStage;
  /** What was found, each with its path into the event and what was expected; 1 to 10. */
  readonly issues: readonly SchemaIssue[];
  /** The event's own id, source and time, as far as they could be read. */
  readonly id?: string;
  readonly source?: string;
  readonly eventTimeMs?: number;
}

/** Thrown inside of the plan to refuse one record; never leaves it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly rejection: Rejection;

  constructor(rejection: Rejection) {
    super(rejection.reason);
    this.rejection = rejection;
  }
}

/** Refuses a record with one issue. */
export function refuse(
  reason: RejectionReason,
  stage: RejectionStage,
  issue: SchemaIssue,
): Refusal {
  return new Refusal({ reason, stage, issues: [issue] });
}
