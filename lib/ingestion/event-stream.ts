import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { CfnStream, Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { EnvironmentConfig } from '../config/environment.ts';

/** What a stream is made with. */
export interface EventStreamProps {
  readonly environment: EnvironmentConfig;
  readonly key: IKey;
  /** How long records stay readable: 24 to 8,760 hours. */
  readonly retentionMs: number;
}

/**
 * Largest record that the stream takes, KiB. Kinesis can be told to take 10 MiB, but an invocation has
 * room for 6 MB with base64 and envelope: a larger record would block its shard for ever.
 */
export const RECORD_KIB_MAX = 1024;

/** The pipeline's Kinesis stream, encrypted with the data key. */
export function makeEventStream(scope: Construct, id: string, props: EventStreamProps): Stream {
  const { environment, key, retentionMs } = props;
  const stream = new Stream(scope, id, {
    encryption: StreamEncryption.KMS,
    encryptionKey: key,
    retentionPeriod: Duration.hours(Math.ceil(retentionMs / 3_600_000)),
    removalPolicy: environment.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(environment.stream.type === 'on-demand'
      ? { streamMode: StreamMode.ON_DEMAND }
      : { streamMode: StreamMode.PROVISIONED, shardCount: environment.stream.shards }),
  });
  const resource = stream.node.defaultChild;
  if (CfnStream.isCfnStream(resource)) resource.maxRecordSizeInKiB = RECORD_KIB_MAX;
  return stream;
}
