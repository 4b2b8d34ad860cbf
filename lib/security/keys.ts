import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** Days between rotations, as AWS does it by default. */
const ROTATION_DAYS = 365;

/**
 * The key of everything that holds events: stream, tables, bucket and logs.
 *
 * CloudWatch Logs may use it for this account's log groups only ("Encrypt log data in CloudWatch Logs
 * using AWS KMS").
 */
export function makeDataKey(scope: Construct, id: string, protect: boolean): Key {
  const key = makeKey(scope, id, protect, 'Millrace: events, results, quarantine and logs');
  const { region, account, partition } = Stack.of(scope);
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AllowLogGroupsOfThisAccount',
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncrypt*',
        'kms:GenerateDataKey*',
        'kms:DescribeKey',
      ],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*`,
        },
      },
    }),
  );
  return key;
}

/**
 * The key of the alarm topic. Without its grant to CloudWatch, alarms would act on the topic and fail
 * without a sound ("Amazon SNS: Enable compatibility between event sources from AWS services and
 * encrypted topics").
 */
export function makeNotificationsKey(scope: Construct, id: string): Key {
  const key = makeKey(scope, id, false, 'Millrace: alarm notifications');
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AllowAlarmsOfThisAccount',
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  return key;
}

function makeKey(scope: Construct, id: string, protect: boolean, description: string): Key {
  return new Key(scope, id, {
    description,
    enableKeyRotation: true,
    rotationPeriod: Duration.days(ROTATION_DAYS),
    pendingWindow: Duration.days(protect ? 30 : 7),
    removalPolicy: protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
}
