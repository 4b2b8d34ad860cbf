import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { TAIL_PREFIX } from '../../src/core/archive-tail.ts';
import {
  ARCHIVE_PREFIX,
  FAILURE_PREFIX,
  QUARANTINE_PREFIX,
  REDRIVE_PREFIX,
} from '../../src/core/contract.ts';
import { LIVE_KEY, quarantineFolder } from '../../src/core/generation.ts';
import { REGISTRY_KEY } from '../../src/core/registry.ts';
import { SCALING_KEY } from '../../src/core/scaling.ts';

/**
 * What the functions may do, statement by statement: exactly the calls that src/adapters/aws makes for
 * the handlers. The ledger is written one item at a time or unconditionally. PartiQL batches are authorised as PartiQLInsert and PartiQLUpdate ("IAM security policies with
 * PartiQL for DynamoDB").
 */
export const permissions = {
  ledger: (table: TableV2) =>
    allow(
      'Ledger',
      [table.tableArn],
      ['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:BatchWriteItem'],
    ),
  appendLedger: (table: TableV2) =>
    allow('Ledger', [table.tableArn], ['dynamodb:Query', 'dynamodb:PutItem']),
  /** Where windows are closed, the consumer asks how far, and for another look. */
  aggregates: (table: TableV2, closes: boolean) =>
    allow(
      'Aggregates',
      [table.tableArn],
      [
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:PartiQLUpdate',
        ...(closes ? ['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem'] : []),
      ],
    ),
  closerAggregates: (table: TableV2) =>
    allow(
      'Aggregates',
      [table.tableArn],
      ['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:BatchWriteItem'],
    ),
  publish: (bus: IEventBus) => allow('ClosedWindows', [bus.eventBusArn], ['events:PutEvents']),
  putOnly: (sid: string, table: TableV2) =>
    allow(sid, [table.tableArn], ['dynamodb:BatchWriteItem']),
  /** Below the prefix of the pipeline's generation. */
  quarantine: (bucket: Bucket, pipeline: string, generation: string) => {
    const prefix = `${QUARANTINE_PREFIX}${quarantineFolder(pipeline, generation)}/`;
    return allow('QuarantineObjects', [bucket.arnForObjects(`${prefix}*`)], ['s3:PutObject']);
  },
  /** Documents are read, and those of what is refused once more are written; plans are both. */
  redriveObjects: (bucket: Bucket, pipeline: string, generation: string) => {
    const folder = quarantineFolder(pipeline, generation);
    const prefixes = [QUARANTINE_PREFIX, REDRIVE_PREFIX].map((prefix) => `${prefix}${folder}/*`);
    const objects = prefixes.map((prefix) => bucket.arnForObjects(prefix));
    return allow('QuarantineObjects', objects, ['s3:GetObject', 's3:PutObject']);
  },
  quarantineNames: (bucket: Bucket) =>
    allow('QuarantineNames', [bucket.bucketArn], ['s3:ListBucket']),
  /** Which generation is live, of the data stack's ledger. */
  readLive: (table: TableV2) => limited('LiveGeneration', table, [LIVE_KEY.pk]),
  /** What a replay reads of the data stack's ledger: how far the archive is, and which writers there are. */
  replaySource: (table: TableV2) =>
    limited('ReplaySource', table, [`${TAIL_PREFIX}*`, REGISTRY_KEY]),
  /** Of the data stack's ledger: which generation is live, to be read and set. */
  swapLive: (table: TableV2) =>
    limited('SwapLive', table, [LIVE_KEY.pk], ['dynamodb:Query', 'dynamodb:PutItem']),
  failureNames: (bucket: Bucket) => allow('FailureNames', [bucket.bucketArn], ['s3:ListBucket']),
  enableMapping: (mapping: EventSourceMapping) =>
    allow('EnableMapping', [mapping.eventSourceMappingArn], ['lambda:UpdateEventSourceMapping']),
  readArchive: (bucket: Bucket) =>
    allow('ReadArchive', [bucket.arnForObjects(`${ARCHIVE_PREFIX}*`)], ['s3:GetObject']),
  listShards: (stream: IStream) =>
    allow(
      'ListShards',
      [stream.streamArn],
      ['kinesis:DescribeStreamSummary', 'kinesis:ListShards'],
    ),
  failureObjects: (bucket: Bucket) =>
    allow('FailureObjects', [bucket.arnForObjects(`${FAILURE_PREFIX}*`)], ['s3:PutObject']),
  failureBucket: (bucket: Bucket) => allow('FailureBucket', [bucket.bucketArn], ['s3:ListBucket']),
  /** Of the ledger table the archive's own items only. */
  archiveTails: (table: TableV2, actions: string[]) => {
    const statement = allow('ArchiveTails', [table.tableArn], actions);
    statement.addCondition('ForAllValues:StringLike', {
      'dynamodb:LeadingKeys': [`${TAIL_PREFIX}*`],
    });
    return statement;
  },
  archiveObjects: (bucket: Bucket) =>
    allow('ArchiveObjects', [bucket.arnForObjects(`${ARCHIVE_PREFIX}*`)], ['s3:PutObject']),
  archiveNames: (bucket: Bucket) => allow('ArchiveNames', [bucket.bucketArn], ['s3:ListBucket']),
  readStream: (stream: IStream) =>
    allow(
      'ReadStream',
      [stream.streamArn],
      [
        'kinesis:DescribeStream',
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
      ],
    ),
  /** Of another pipeline, of which there can be several. */
  feedStream: (sid: string, stream: IStream) =>
    allow(sid, [stream.streamArn], ['kinesis:PutRecords']),
  /** What a producer of an encrypted stream needs ("How do I use server-side encryption with KMS keys?"). */
  produceWithKey: (sid: string, key: IKey) => allow(sid, [key.keyArn], ['kms:GenerateDataKey']),
  identifyStream: (stream: IStream) =>
    allow('IdentifyStream', [stream.streamArn], ['kinesis:DescribeStreamSummary']),
  resizeStream: (stream: IStream) =>
    allow(
      'ResizeStream',
      [stream.streamArn],
      ['kinesis:DescribeStreamSummary', 'kinesis:UpdateShardCount'],
    ),
  /** CloudWatch knows no resources for it ("Actions defined by Amazon CloudWatch"). */
  readMetrics: () => allow('ReadMetrics', ['*'], ['cloudwatch:GetMetricData']),
  /** Of the ledger table the scaler's own item only. */
  scalingNote: (table: TableV2) => {
    const statement = allow(
      'ScalingNote',
      [table.tableArn],
      ['dynamodb:BatchGetItem', 'dynamodb:PutItem'],
    );
    statement.addCondition('ForAllValues:StringEquals', {
      'dynamodb:LeadingKeys': [SCALING_KEY.pk],
    });
    return statement;
  },
  useKey: (key: IKey) =>
    allow(
      'UseDataKey',
      [key.keyArn],
      ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
    ),
} as const;

/** To be queried only, or what is said, and only these partitions. */
function limited(
  sid: string,
  table: TableV2,
  ...[keys, actions = ['dynamodb:Query']]: readonly [keys: readonly string[], actions?: string[]]
): PolicyStatement {
  const statement = allow(sid, [table.tableArn], actions);
  statement.addCondition('ForAllValues:StringLike', { 'dynamodb:LeadingKeys': keys });
  return statement;
}

function allow(sid: string, resources: string[], actions: string[]): PolicyStatement {
  return new PolicyStatement({ sid, actions, resources });
}
