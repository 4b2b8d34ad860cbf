import { Match } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { RECORD_KIB_MAX } from '../../lib/ingestion/event-stream.ts';
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

  it('may do what its adapters call and its mapping needs, nothing more', () => {
    expect(permissionsOf('Consumer')).toMatchInlineSnapshot(`
      [
        ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
        "ReadStream: kinesis:DescribeStream, kinesis:DescribeStreamSummary, kinesis:GetRecords, kinesis:GetShardIterator, kinesis:ListShards",
        "Ledger: dynamodb:BatchGetItem, dynamodb:Query, dynamodb:PutItem, dynamodb:BatchWriteItem",
        "Aggregates: dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate",
        "Events: dynamodb:BatchWriteItem",
        "QuarantineIndex: dynamodb:BatchWriteItem",
        "QuarantineObjects: s3:PutObject",
        "FailureObjects: s3:PutObject",
        "FailureBucket: s3:ListBucket",
        "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
      ]
    `);
  });

  it('has a keeper that may read and append to the ledger, nothing more', () => {
    expect(permissionsOf('Keeper')).toMatchInlineSnapshot(`
      [
        ": xray:PutTraceSegments, xray:PutTelemetryRecords on *",
        "IdentifyStream: kinesis:DescribeStreamSummary",
        "Ledger: dynamodb:Query, dynamodb:PutItem",
        "UseDataKey: kms:Decrypt, kms:Encrypt, kms:GenerateDataKey, kms:DescribeKey",
      ]
    `);
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

/** What the function of a construct may do, as `actions on resource`; tracing alone is on everything. */
function permissionsOf(construct: string): readonly string[] {
  const policies = Object.entries(resourcesOf(prod.compute, 'AWS::IAM::Policy'));
  const own = policies.filter(([id]) => id.startsWith(construct));
  const statements = own.flatMap(([, { Properties }]) => statementsOf(Properties));
  return statements.map(({ Sid = '', Action, Resource }) => {
    const where = Resource === '*' ? ' on *' : '';
    return `${Sid}: ${[Action].flat().join(', ')}${where}`;
  });
}

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

function statementsOf(properties: Readonly<Record<string, unknown>>): readonly Statement[] {
  const document = properties.PolicyDocument as { Statement: Statement[] };
  return document.Statement;
}

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
