import type { RunSpec } from './history.ts';
import { CommandError, EXIT } from './local-error.ts';

/**
 * Tables that can't be compared with a batch computation, because nobody knows all that went into them.
 */

/** A run of before was interrupted: nobody knows how much of it was sent. */
export function interruptedRun(
  { pipeline, run }: RunSpec,
  given: string | undefined,
): CommandError {
  return new CommandError('The kept tables hold a part of an interrupted run', {
    exitCode: EXIT.refused,
    detail: `got run ${run} of ${pipeline}, of which nobody knows how much was sent, expected complete ones to compare with`,
    next: fromNothing(pipeline, given),
  });
}

/** A run of before was of another version of the pipeline, which a switch ended. */
export function runOfOtherVersion(
  { pipeline, run }: RunSpec,
  given: string | undefined,
): CommandError {
  return new CommandError('The kept tables hold results of another version of the pipeline', {
    exitCode: EXIT.refused,
    detail: `got run ${run} of ${pipeline}, whose version is not that of the file, expected runs of one version to compare with`,
    next: fromNothing(pipeline, given),
  });
}

/** Another checkout, or one whose .millrace is gone, filled these tables. */
export function unknownRuns(pipeline: string, given: string | undefined): CommandError {
  return new CommandError('The tables hold results of runs that this checkout does not know', {
    exitCode: EXIT.refused,
    detail: `got tables of ${pipeline} that are filled, expected empty ones, or those of runs noted in .millrace/local/runs`,
    next: fromNothing(pipeline, given),
  });
}

/** Refused events were brought back: the batch computation of the runs does not know which. */
export function redrivenTables(pipeline: string, given: string | undefined): CommandError {
  return new CommandError('The kept tables hold events that were brought back', {
    exitCode: EXIT.refused,
    detail: `got results of ${pipeline} with events of a redrive, expected those of runs alone, to compare with`,
    next: fromNothing(pipeline, given),
  });
}

/** How to start from empty tables. @param given the endpoint that the user named, if any */
function fromNothing(pipeline: string, given: string | undefined): string {
  if (given === undefined) {
    return `npm start -- --pipeline ${pipeline}   (without --keep: it starts from nothing)`;
  }
  const settings = `AWS_ENDPOINT_URL=${given} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1`;
  return `${settings} npx cdklocal destroy --all --force -c pipeline=${pipeline}`;
}
