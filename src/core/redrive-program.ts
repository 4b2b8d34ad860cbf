import type { Program } from './program.ts';

/**
 * The program by which refused events are brought back: as the pipeline has it, but an event is never too
 * late for a window that is still kept.
 *
 * @param createdMs when the job was asked for, milliseconds since 1970 UTC. A window that is kept at that time
 *   counts as kept for the whole job, so that each try decides the same
 */
export function redriveProgram(program: Program, createdMs: number): Program {
  return {
    ...program,
    aggregates: program.aggregates.map((aggregate) => ({
      ...aggregate,
      isLive: (span) => span.endMs + aggregate.retentionMs > createdMs,
    })),
  };
}

/**
 * The same for the writer that folds them. Repeats were left out when the job was planned: what its ledger
 * remembers of other jobs is in another order of time than the events are.
 */
export function redriveLaneProgram(program: Program, createdMs: number): Program {
  const settings = { ...program.settings, deduplicates: false };
  return { ...redriveProgram(program, createdMs), settings };
}
