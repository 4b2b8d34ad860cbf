import { makeAwsBucket } from '../adapters/aws/bucket.ts';
import { systemClock } from '../adapters/aws/clock.ts';
import { systemRandom } from '../adapters/aws/random.ts';
import { makeAwsTable } from '../adapters/aws/table.ts';
import type { QuarantineDocument } from '../core/quarantine.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { quarantinedDocuments } from '../handlers/read-quarantine.ts';
import { type TracedDocument, tracedDocuments } from '../handlers/redriven.ts';
import type { OpenDeployment } from './deployed.ts';

/** Which refused events a command is about. */
export interface QuarantineChoice {
  /** Its name, or of a rebuilt generation what `quarantineFolder` gives. */
  readonly pipeline: string;
  /** Arrivals, milliseconds since 1970 UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: RejectionReason | undefined;
  readonly limit: number;
  readonly streamMs: number;
}

/** A command gives up after this long without an end, milliseconds. */
const COMMAND_MS = 600_000;

/** The refused events of a deployment, each with the job that took it. */
export function readQuarantine(
  open: OpenDeployment,
  choice: QuarantineChoice,
): AsyncGenerator<TracedDocument> {
  const ledger = makeAwsTable({
    client: open.clients.dynamoDb,
    tableName: open.deployment.ledgerTable,
    clock: systemClock,
  });
  return tracedDocuments(ledger, readDocuments(open, choice), commandContext());
}

function commandContext() {
  return {
    clock: systemClock,
    random: systemRandom,
    deadlineMs: systemClock.now() + COMMAND_MS,
  };
}

function readDocuments(
  { clients, deployment }: OpenDeployment,
  { reason, ...choice }: QuarantineChoice,
): AsyncGenerator<QuarantineDocument> {
  const bucket = makeAwsBucket({
    client: clients.s3,
    bucketName: deployment.quarantineBucket,
    clock: systemClock,
  });
  const filter = reason === undefined ? choice : { ...choice, reason };
  return quarantinedDocuments(bucket, filter, commandContext());
}
