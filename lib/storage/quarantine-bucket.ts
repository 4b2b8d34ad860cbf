import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { FAILURE_PREFIX, QUARANTINE_PREFIX, REDRIVE_PREFIX } from '../../src/core/contract.ts';

/** What the bucket is made with. */
export interface QuarantineBucketProps {
  readonly key: IKey;
  readonly protect: boolean;
  /** How long quarantined records are kept. */
  readonly retentionMs: number;
}

/**
 * The bucket of what was refused: quarantine documents, and batches that the event source mapping gave
 * up. Nothing is overwritten with other content, so versions would only double what lifecycle deletes.
 */
export function makeQuarantineBucket(
  scope: Construct,
  id: string,
  props: QuarantineBucketProps,
): Bucket {
  const expiration = Duration.days(Math.max(1, Math.ceil(props.retentionMs / 86_400_000)));
  return new Bucket(scope, id, {
    encryption: BucketEncryption.KMS,
    encryptionKey: props.key,
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: props.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    lifecycleRules: [
      { id: 'quarantine', prefix: QUARANTINE_PREFIX, expiration },
      { id: 'redrive', prefix: REDRIVE_PREFIX, expiration },
      { id: 'given-up', prefix: FAILURE_PREFIX, expiration },
      { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
  });
}
