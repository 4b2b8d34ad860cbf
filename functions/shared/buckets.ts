import { S3Client } from '@aws-sdk/client-s3';
import { makeAwsBucket } from '../../src/adapters/aws/bucket.ts';
import { systemClock } from '../../src/adapters/aws/clock.ts';
import { CLIENT_DEFAULTS } from '../../src/adapters/aws/send.ts';
import type { Bucket } from '../../src/ports/bucket.ts';

const s3 = new S3Client(CLIENT_DEFAULTS);

/** A bucket of the data stack. In a file of its own: not every function bundles the client. */
export function bucketPort(bucketName: string): Bucket {
  return makeAwsBucket({ client: s3, bucketName, clock: systemClock });
}
