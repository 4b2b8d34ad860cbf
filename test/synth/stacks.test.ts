import { Match } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { RECORD_KIB_MAX } from '../../lib/ingestion/event-stream.ts';
import { archiveHourPrefix } from '../../src/core/archive-object.ts';
import { ARCHIVE_COLUMNS } from '../../src/core/contract.ts';
import { DEV, PROD, resourcesOf, synth, type Templates } from '../helpers/synth.ts';

let dev: Templates;
let prod: Templates;

beforeAll(async () => {
  dev = await synth(DEV);
  prod = await synth(PROD);
});

const STATEFUL = [
  'AWS::Kinesis::Stream',
  'AWS::DynamoDB::GlobalTable',
  'AWS::S3::Bucket',
  'AWS::KMS::Key',
];

describe('the data stack', () => {
  /** A changed id replaces the resource: the data in it is gone, or left behind. */
  it('keeps the logical ids of everything that holds data', () => {
    const found = STATEFUL.flatMap((type) =>
      Object.keys(resourcesOf(prod.data, type)).map((id) => `${type} ${id}`),
    );
    expect(found.sort()).toMatchInlineSnapshot(`
      [
        "AWS::DynamoDB::GlobalTable TablesAggregates439FE05B",
        "AWS::DynamoDB::GlobalTable TablesEventsE8DD42EA",
        "AWS::DynamoDB::GlobalTable TablesLedgerF9806C8B",
        "AWS::DynamoDB::GlobalTable TablesQuarantineFBED62D1",
        "AWS::KMS::Key DataKey17AFBB84",
        "AWS::Kinesis::Stream Stream790BDEE4",
        "AWS::S3::Bucket ArchiveBucket49F1AC64",
        "AWS::S3::Bucket QuarantineBucketFDBDA180",
      ]
    `);
  });

  it('holds no function, and the compute stack no data', () => {
    prod.data.resourceCountIs('AWS::Lambda::Function', 0);
    for (const type of STATEFUL.filter((one) => one !== 'AWS::KMS::Key')) {
      prod.compute.resourceCountIs(type, 0);
    }
  });

  it('retains and protects everything in prod, and lets it go in dev', () => {
    for (const type of STATEFUL) {
      for (const resource of Object.values(resourcesOf(prod.data, type))) {
        expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
      }
      for (const resource of Object.values(resourcesOf(dev.data, type))) {
        expect(resource.DeletionPolicy).toBe('Delete');
      }
    }
    expect([prod.terminationProtection, dev.terminationProtection]).toEqual([true, false]);
    for (const table of Object.values(resourcesOf(prod.data, 'AWS::DynamoDB::GlobalTable'))) {
      expect(table.Properties.Replicas).toMatchObject([{ DeletionProtectionEnabled: true }]);
    }
  });

  it('encrypts with its own key, which rotates', () => {
    prod.data.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    prod.data.allResourcesProperties('AWS::Kinesis::Stream', {
      StreamEncryption: { EncryptionType: 'KMS', KeyId: Match.anyValue() },
    });
    prod.data.allResourcesProperties('AWS::DynamoDB::GlobalTable', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      Replicas: [
        Match.objectLike({
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        }),
      ],
    });
    prod.data.allResourcesProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          Match.objectLike({ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }),
        ],
      },
    });
  });

  it('refuses everything but TLS', () => {
    prod.data.allResourcesProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  it('deletes quarantined records after their retention, uploads that were broken off after a day', () => {
    prod.data.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          Match.objectLike({ Prefix: 'quarantine/', ExpirationInDays: 30, Status: 'Enabled' }),
          Match.objectLike({ Prefix: 'redrive/', ExpirationInDays: 30, Status: 'Enabled' }),
          Match.objectLike({ Prefix: 'aws/lambda/', ExpirationInDays: 30, Status: 'Enabled' }),
          Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
        ],
      },
    });
  });

  it('takes no record that would not fit an invocation with base64 and envelope', () => {
    const payloadBytes = (RECORD_KIB_MAX * 1024 * 4) / 3 + 10_000;
    expect(payloadBytes).toBeLessThan(6 * 1024 * 1024);
    for (const { data } of [dev, prod]) {
      data.allResourcesProperties('AWS::Kinesis::Stream', { MaxRecordSizeInKiB: RECORD_KIB_MAX });
    }
  });

  it('has one shard in dev and scales by itself in prod', () => {
    dev.data.hasResourceProperties('AWS::Kinesis::Stream', { ShardCount: 1 });
    prod.data.hasResourceProperties('AWS::Kinesis::Stream', {
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    });
  });
});

describe('the consumer', () => {
  it('runs on Node 24 and arm64, without reserved concurrency', () => {
    prod.compute.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      ReservedConcurrentExecutions: Match.absent(),
    });
  });

  it('reads from the oldest record, in partial batches, and never gives up', () => {
    prod.compute.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      StartingPosition: 'TRIM_HORIZON',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      BatchSize: 1000,
      MaximumBatchingWindowInSeconds: 1,
      ParallelizationFactor: 2,
      MaximumRetryAttempts: Match.absent(),
      MaximumRecordAgeInSeconds: Match.absent(),
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
      MetricsConfig: { Metrics: ['EventCount'] },
    });
  });

  it('names no resource physically', () => {
    for (const { Properties } of [
      ...Object.values(resourcesOf(prod.compute, 'AWS::Lambda::Function')),
      ...Object.values(resourcesOf(prod.data, 'AWS::DynamoDB::GlobalTable')),
      ...Object.values(resourcesOf(prod.data, 'AWS::S3::Bucket')),
      ...Object.values(resourcesOf(prod.data, 'AWS::Kinesis::Stream')),
    ]) {
      for (const name of ['FunctionName', 'TableName', 'BucketName', 'Name']) {
        expect(Properties).not.toHaveProperty(name);
      }
    }
  });
});

/** What each function may do; tracing alone is on everything. */
function permissionsByFunction(): Readonly<Record<string, readonly string[]>> {
  const policies = Object.entries(resourcesOf(prod.compute, 'AWS::IAM::Policy'));
  const all = policies.map(([id, { Properties }]) => {
    const statements = statementsOf(Properties).map(({ Sid = '', Action, Resource }) => {
      const where = Resource === '*' ? ' on *' : '';
      return `${Sid}: ${[Action].flat().join(', ')}${where}`;
    });
    return [id.replace(/(Function|ServiceRole).*$/, ''), statements] as const;
  });
  return Object.fromEntries(all.sort());
}

describe('the functions', () => {
  it('may do what their adapters call and their mappings need, nothing more', () => {
    expect(permissionsByFunction()).toMatchInlineSnapshot(`
      {
        "Archiver": [
          ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
          "ReadStream: kinesis:DescribeStream, kinesis:DescribeStreamSummary, kinesis:GetRecords, kinesis:GetShardIterator, kinesis:ListShards",
          "ArchiveTails: dynamodb:BatchGetItem, dynamodb:PutItem",
          "ArchiveObjects: s3:PutObject",
          "FailureObjects: s3:PutObject",
          "FailureBucket: s3:ListBucket",
          "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
        ],
        "ArchiverChecker": [
          ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
          "ReadStream: kinesis:DescribeStream, kinesis:DescribeStreamSummary, kinesis:GetRecords, kinesis:GetShardIterator, kinesis:ListShards",
          "ArchiveTails: dynamodb:Query, dynamodb:PutItem",
          "ArchiveNames: s3:ListBucket",
          "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
        ],
        "Closer": [
          ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
          "IdentifyStream: kinesis:DescribeStreamSummary",
          "Ledger: dynamodb:Query, dynamodb:PutItem",
          "Aggregates: dynamodb:BatchGetItem, dynamodb:Query, dynamodb:PutItem, dynamodb:BatchWriteItem",
          "ClosedWindows: events:PutEvents",
          "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
        ],
        "Consumer": [
          ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
          "ReadStream: kinesis:DescribeStream, kinesis:DescribeStreamSummary, kinesis:GetRecords, kinesis:GetShardIterator, kinesis:ListShards",
          "Ledger: dynamodb:BatchGetItem, dynamodb:Query, dynamodb:PutItem, dynamodb:BatchWriteItem",
          "Aggregates: dynamodb:Query, dynamodb:PutItem, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:BatchGetItem, dynamodb:BatchWriteItem",
          "Events: dynamodb:BatchWriteItem",
          "QuarantineIndex: dynamodb:BatchWriteItem",
          "QuarantineObjects: s3:PutObject",
          "FailureObjects: s3:PutObject",
          "FailureBucket: s3:ListBucket",
          "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
          "Feed1: kinesis:PutRecords",
          "FeedKey1: kms:GenerateDataKey",
        ],
        "Keeper": [
          ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
          "IdentifyStream: kinesis:DescribeStreamSummary",
          "Ledger: dynamodb:Query, dynamodb:PutItem",
          "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
        ],
        "Redriver": [
          ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
          "IdentifyStream: kinesis:DescribeStreamSummary",
          "Ledger: dynamodb:BatchGetItem, dynamodb:Query, dynamodb:PutItem, dynamodb:BatchWriteItem",
          "Aggregates: dynamodb:Query, dynamodb:PutItem, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:BatchGetItem, dynamodb:BatchWriteItem",
          "Events: dynamodb:BatchWriteItem",
          "QuarantineIndex: dynamodb:BatchWriteItem",
          "QuarantineObjects: s3:GetObject, s3:PutObject",
          "QuarantineNames: s3:ListBucket",
          "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
          "Feed1: kinesis:PutRecords",
          "FeedKey1: kms:GenerateDataKey",
        ],
        "Replayer": [
          ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
          "ListShards: kinesis:DescribeStreamSummary, kinesis:ListShards",
          "Ledger: dynamodb:BatchGetItem, dynamodb:Query, dynamodb:PutItem, dynamodb:BatchWriteItem",
          "Aggregates: dynamodb:Query, dynamodb:PutItem, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate, dynamodb:BatchGetItem, dynamodb:BatchWriteItem",
          "Events: dynamodb:BatchWriteItem",
          "QuarantineIndex: dynamodb:BatchWriteItem",
          "QuarantineObjects: s3:PutObject",
          "ReadArchive: s3:GetObject",
          "ArchiveNames: s3:ListBucket",
          "ReplaySource: dynamodb:Query",
          "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
          "Feed1: kinesis:PutRecords",
          "FeedKey1: kms:GenerateDataKey",
        ],
      }
    `);
  });
});

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function statementsOf(properties: Readonly<Record<string, unknown>>): readonly Statement[] {
  const document = properties.PolicyDocument as { Statement: Statement[] };
  return document.Statement;
}

describe('closed windows', () => {
  it('go to a bus of their own, under the data key, which that bus alone may use', () => {
    prod.data.hasResourceProperties('AWS::Events::EventBus', {
      Name: 'millrace-flights-prod',
      KmsKeyIdentifier: Match.anyValue(),
      DeadLetterConfig: { Arn: Match.anyValue() },
    });
    const statements = Object.values(resourcesOf(prod.data, 'AWS::KMS::Key')).flatMap(
      ({ Properties }) => (Properties.KeyPolicy as { Statement: Statement[] }).Statement,
    );
    const bus = statements.find(({ Sid }) => Sid === 'AllowTheBusOfClosedWindows');
    expect(bus).toMatchObject({
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['kms:DescribeKey', 'kms:GenerateDataKey', 'kms:Decrypt'],
    });
    expect(JSON.stringify(bus)).toContain(':event-bus/millrace-flights-prod');
  });

  it('are looked for each minute, and what fails waits for the next minute', () => {
    const rule = Object.entries(resourcesOf(prod.compute, 'AWS::Events::Rule')).find(([id]) =>
      id.startsWith('Closer'),
    );
    expect(rule?.[1].Properties).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      Targets: [{ RetryPolicy: { MaximumRetryAttempts: 0 } }],
    });
  });

  it('stay with the bus and its listeners when the stack goes, in prod', () => {
    for (const type of ['AWS::Events::EventBus', 'AWS::SQS::Queue']) {
      for (const resource of Object.values(resourcesOf(prod.data, type))) {
        expect(resource.DeletionPolicy).toBe('Retain');
      }
    }
  });

  it('need nothing where the pipeline closes none', async () => {
    const { data, compute } = await synth(DEV, 'earthquakes');
    data.resourceCountIs('AWS::Events::EventBus', 0);
    data.resourceCountIs('AWS::SQS::Queue', 0);
    const made = Object.keys(compute.toJSON().Resources).filter((id) => id.startsWith('Closer'));
    expect(made).toEqual([]);
    const names = Object.values(resourcesOf(compute, 'AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => String(Properties.AlarmName),
    );
    expect(names.filter((name) => /Closer|Close/.test(name))).toEqual([]);
  });
});

describe('alarms', () => {
  it('tell one topic, also when they are over', () => {
    const alarms = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'].flatMap((type) =>
      Object.values(resourcesOf(prod.compute, type)),
    );
    const [topic] = Object.keys(resourcesOf(prod.compute, 'AWS::SNS::Topic'));
    const telling = alarms.filter(({ Properties }) => Properties.AlarmActions !== undefined);
    expect(telling.length).toBeGreaterThan(7);
    for (const { Properties } of telling) {
      expect(Properties.AlarmActions).toEqual([{ Ref: topic }]);
      expect(Properties.OKActions).toEqual([{ Ref: topic }]);
    }
  });

  it('hold consequences back while their cause is on', () => {
    prod.compute.hasResourceProperties('AWS::CloudWatch::CompositeAlarm', {
      AlarmName: 'flights-prod-Behind',
      ActionsSuppressor: { 'Fn::GetAtt': [Match.stringLikeRegexp('BehindCause'), 'Arn'] },
      ActionsSuppressorWaitPeriod: 120,
      ActionsSuppressorExtensionPeriod: 300,
    });
  });

  it('can use the topic’s key, from this account only', () => {
    prod.compute.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });

  it('go to the e-mail addresses of the configuration', async () => {
    const alarms = { ...DEV.alarms, emails: ['on-call@example.com'] };
    const { compute } = await synth({ ...DEV, alarms });
    compute.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'on-call@example.com',
    });
  });
});

describe('the archive', () => {
  it('moves its objects through the classes, and deletes them when the pipeline says', () => {
    const rules = (templates: Templates) => {
      const bucket = resourcesOf(templates.data, 'AWS::S3::Bucket').ArchiveBucket49F1AC64;
      return bucket?.Properties.LifecycleConfiguration;
    };
    expect(rules(prod)).toMatchObject({
      Rules: [
        {
          Prefix: 'archive/v1/',
          ExpirationInDays: 365,
          Transitions: [
            { StorageClass: 'STANDARD_IA', TransitionInDays: 30 },
            { StorageClass: 'GLACIER_IR', TransitionInDays: 90 },
          ],
        },
        { ExpiredObjectDeleteMarker: true, NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
        { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ],
    });
    expect(JSON.stringify(rules(dev))).not.toContain('Transitions');
  });

  it('keeps what is deleted for a while in prod only', () => {
    const versioned = { VersioningConfiguration: { Status: 'Enabled' } };
    prod.data.resourcePropertiesCountIs('AWS::S3::Bucket', versioned, 1);
    dev.data.resourcePropertiesCountIs('AWS::S3::Bucket', versioned, 0);
  });

  it('is a table for Athena: its columns are those of a line, its partitions those of a key', () => {
    const [table] = Object.values(resourcesOf(prod.data, 'AWS::Glue::Table'));
    expect(table?.Properties).toMatchObject({
      DatabaseName: 'millrace_flights_prod',
      TableInput: {
        Name: 'archive',
        PartitionKeys: [{ Name: 'day' }, { Name: 'hour' }],
        StorageDescriptor: {
          Columns: Object.entries(ARCHIVE_COLUMNS).map(([Name, Type]) => ({ Name, Type })),
          SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
        },
      },
    });
    const { Parameters } = Object(table?.Properties.TableInput);
    const template = JSON.stringify(Parameters['storage.location.template']);
    const projected = template.replace(/\$\{day}/, '2026-11-24').replace(/\$\{hour}/, '07');
    expect(projected).toContain(`/${archiveHourPrefix(Date.UTC(2026, 10, 24, 7))}`);
    expect(Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.day.format': 'yyyy-MM-dd',
      'projection.hour.digits': '2',
    });
  });

  it('is written one batch of a shard at a time, without giving up', () => {
    const [mapping] = Object.entries(
      resourcesOf(prod.compute, 'AWS::Lambda::EventSourceMapping'),
    ).filter(([id]) => id.startsWith('Archiver'));
    expect(mapping?.[1].Properties).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 300,
      ParallelizationFactor: 1,
    });
    expect(mapping?.[1].Properties).not.toHaveProperty('MaximumRetryAttempts');
    expect(mapping?.[1].Properties).not.toHaveProperty('MaximumRecordAgeInSeconds');
  });

  it('is written by a function that reads none of it and touches only its own items of the ledger', () => {
    const policies = Object.entries(resourcesOf(prod.compute, 'AWS::IAM::Policy'));
    const statements = policies
      .filter(([id]) => id.startsWith('Archiver'))
      .flatMap(([, { Properties }]) => statementsOf(Properties));
    const actions = new Set(statements.flatMap(({ Action }) => [Action].flat()));
    expect([...actions].filter((action) => action.startsWith('s3:')).sort()).toEqual([
      's3:ListBucket',
      's3:PutObject',
    ]);
    const ledger = statements.filter(({ Action }) => [Action].flat().join().includes('dynamodb:'));
    expect(ledger).toHaveLength(2);
    for (const { Condition } of ledger) {
      expect(Condition).toEqual({
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['archive|*'] },
      });
    }
  });

  it.each([
    ['the environment', { archive: false } as const, {}],
    ['the pipeline', {}, { retention: { archive: null } } as const],
  ])('is left out with everything that it costs where %s says so', async (_, config, pipeline) => {
    const { data, compute } = await synth({ ...DEV, ...config }, 'flights', pipeline);
    data.resourceCountIs('AWS::S3::Bucket', 1);
    data.resourceCountIs('AWS::Glue::Table', 0);
    data.resourceCountIs('AWS::Glue::Database', 0);
    compute.resourceCountIs('AWS::Lambda::EventSourceMapping', 1);
    compute.resourceCountIs('AWS::Lambda::Function', 4);
    const texts = JSON.stringify([data.toJSON(), compute.toJSON()]);
    expect(texts).not.toContain('Archive');
  });
});

describe('an environment', () => {
  it('puts its permissions boundary on every role, and its tags on what takes them', async () => {
    const { compute } = await synth({
      ...DEV,
      permissionsBoundary: 'boundary',
      tags: { team: 'streams' },
    });
    compute.allResourcesProperties('AWS::IAM::Role', {
      PermissionsBoundary: Match.anyValue(),
      Tags: Match.arrayWith([{ Key: 'team', Value: 'streams' }]),
    });
  });

  it('looks for its assets where its bootstrap qualifier says', async () => {
    const versionOf = ({ data }: Templates) => data.findParameters('BootstrapVersion');
    const own = await synth({ ...DEV, bootstrapQualifier: 'streams' });
    expect(JSON.stringify(versionOf(own))).toContain('/cdk-bootstrap/streams/version');
    expect(JSON.stringify(versionOf(dev))).toContain('/cdk-bootstrap/hnb659fds/version');
  });

  it('says what it costs when idle', () => {
    const outputs = dev.compute.findOutputs('IdleCost');
    expect(JSON.stringify(outputs)).toMatch(/about \$\d+\.\d\d a month when idle/);
  });
});
