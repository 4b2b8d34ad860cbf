import { makeAwsBucket } from '../adapters/aws/bucket.ts';
import { systemClock } from '../adapters/aws/clock.ts';
import { systemRandom } from '../adapters/aws/random.ts';
import type { QuarantineDocument } from '../core/quarantine.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { quarantinedDocuments } from '../handlers/read-quarantine.ts';
import type { OpenDeployment } from './deployed.ts';

/** Which refused events a command is about. */
export interface QuarantineChoice {
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

/** The refused events of a deployment. */
export function readQuarantine(
  { clients, deployment }: OpenDeployment,
  { reason, ...choice }: QuarantineChoice,
): AsyncGenerator<QuarantineDocument> {
  const bucket = makeAwsBucket({
    client: clients.s3,
    bucketName: deployment.quarantineBucket,
    clock: systemClock,
  });
  const deadlineMs = systemClock.now() + COMMAND_MS;
  return quarantinedDocuments(bucket, reason === undefined ? choice : { ...choice, reason }, {
    clock: systemClock,
    random: systemRandom,
    deadlineMs,
  });
}
