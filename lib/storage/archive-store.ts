import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type LifecycleRule,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ARCHIVE_COLUMNS, ARCHIVE_PREFIX } from '../../src/core/contract.ts';
import { type Duration as DurationText, durationMs } from '../../src/core/duration.ts';
import type { ArchiveConfig } from '../config/environment.ts';

/** What the archive's store is made with. */
export interface ArchiveStoreProps {
  readonly key: IKey;
  readonly config: ArchiveConfig;
  readonly pipeline: string;
  readonly environment: string;
  /** Retained, and what is deleted or overwritten can be brought back for 30 days. */
  readonly protect: boolean;
  readonly retentionMs: number;
}

const DAY_MS = 86_400_000;

/** Days in which a deleted object of a protected archive can be brought back. */
const UNDELETE_DAYS = 30;

/** The first day that a query without a `day` looks at. */
const FIRST_DAY = '2026-01-01';

/** The bucket of the archive, and the table that Athena reads it by. */
export class ArchiveStore extends Construct {
  readonly bucket: Bucket;
  /** Such as `millrace_flights_dev`; the table in it is `archive`. */
  readonly databaseName: string;

  constructor(scope: Construct, id: string, props: ArchiveStoreProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: props.protect,
      removalPolicy: props.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      lifecycleRules: lifecycleOf(props),
    });
    this.databaseName = `millrace_${props.pipeline}_${props.environment}`.replaceAll('-', '_');
    this.#table(props);
  }

  /**
   * Partition projection: no crawler, no partitions to add, nothing to pay. Athena, "Use partition
   * projection"; its third engine reads lines of JSON in Zstandard ("Use Hive table compression").
   */
  #table({ pipeline, environment }: ArchiveStoreProps): void {
    const { account } = Stack.of(this);
    const location = `s3://${this.bucket.bucketName}/${ARCHIVE_PREFIX}`;
    const database = new CfnDatabase(this, 'Database', {
      catalogId: account,
      databaseName: this.databaseName,
      databaseInput: { description: `Millrace: ${pipeline} (${environment})` },
    });
    const table = new CfnTable(this, 'Table', {
      catalogId: account,
      databaseName: this.databaseName,
      tableInput: {
        name: 'archive',
        description: `Every record of ${pipeline} (${environment}), by day and hour of its arrival (UTC)`,
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: [
          { name: 'day', type: 'string' },
          { name: 'hour', type: 'int' },
        ],
        parameters: projection(location),
        storageDescriptor: {
          location,
          columns: Object.entries(ARCHIVE_COLUMNS).map(([name, type]) => ({ name, type })),
          inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          serdeInfo: { serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
        },
      },
    });
    table.addResourceDependency(database);
  }
}

function projection(location: string): Readonly<Record<string, string>> {
  return {
    EXTERNAL: 'TRUE',
    'projection.enabled': 'true',
    'projection.day.type': 'date',
    'projection.day.format': 'yyyy-MM-dd',
    'projection.day.range': `${FIRST_DAY},NOW`,
    'projection.hour.type': 'integer',
    'projection.hour.range': '0,23',
    'projection.hour.digits': '2',
    'storage.location.template': `${location}day=\${day}/hour=\${hour}/`,
  };
}

/** Classes by age, then deletion. What is deleted or overwritten in a protected archive goes a month later. */
function lifecycleOf({ config, protect, retentionMs }: ArchiveStoreProps): LifecycleRule[] {
  const transitions = [
    ...transition('infrequentAccess', StorageClass.INFREQUENT_ACCESS, config.infrequentAccess),
    ...transition('glacier', StorageClass.GLACIER_INSTANT_RETRIEVAL, config.glacier),
  ];
  const expiration = Duration.days(Math.ceil(retentionMs / DAY_MS));
  const deleted: LifecycleRule[] = [
    {
      id: 'deleted',
      noncurrentVersionExpiration: Duration.days(UNDELETE_DAYS),
      expiredObjectDeleteMarker: true,
    },
  ];
  return [
    { id: 'archive', prefix: ARCHIVE_PREFIX, transitions, expiration },
    ...(protect ? deleted : []),
    { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
  ];
}

function transition(
  name: string,
  storageClass: StorageClass,
  after: DurationText | null,
): { readonly storageClass: StorageClass; readonly transitionAfter: Duration }[] {
  if (after === null) return [];
  const days = durationMs(`archive.${name}`, after) / DAY_MS;
  return [{ storageClass, transitionAfter: Duration.days(days) }];
}
