import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** What the bus is made with. */
export interface ClosedWindowsProps {
  /** Ends the name of the bus, such as `flights-prod`. */
  readonly service: string;
  readonly key: Key;
  /** Stays when its stack goes, with the rules of whoever listens. */
  readonly protect: boolean;
}

/**
 * The event bus on which windows are published, and the queue for what it can't encrypt or decrypt.
 *
 * A bus of its own: the closer may put events there and nowhere else, and results and groups are under
 * the pipeline's key. Its name is chosen, because the key's policy has to name it while it names the key.
 */
export class ClosedWindows extends Construct {
  readonly bus: EventBus;
  /** Events that did not reach the bus's rules: the key was not usable. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string, { service, key, protect }: ClosedWindowsProps) {
    super(scope, id);
    const removalPolicy = protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.undelivered = new Queue(this, 'Undelivered', {
      // Not with the data key: what lands here does so because that one was not usable.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy,
    });
    const eventBusName = `millrace-${service}`;
    this.bus = new EventBus(this, 'Bus', {
      eventBusName,
      description: `Closed windows of ${service}`,
      kmsKey: key,
      deadLetterQueue: this.undelivered,
    });
    this.bus.applyRemovalPolicy(removalPolicy);
    permitBus(key, eventBusName);
    this.undelivered.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AllowTheBus',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.undelivered.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': arnOf(this, eventBusName) } },
      }),
    );
  }
}

/** "Authorizing EventBridge to use a customer managed key", for this bus only. */
function permitBus(key: Key, eventBusName: string): void {
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AllowTheBusOfClosedWindows',
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['kms:DescribeKey', 'kms:GenerateDataKey', 'kms:Decrypt'],
      resources: ['*'],
      conditions: {
        StringEquals: {
          'aws:SourceAccount': Stack.of(key).account,
          'aws:SourceArn': arnOf(key, eventBusName),
        },
      },
    }),
  );
}

function arnOf(scope: Construct, resourceName: string): string {
  const arnFormat = ArnFormat.SLASH_RESOURCE_NAME;
  return Stack.of(scope).formatArn({
    service: 'events',
    resource: 'event-bus',
    resourceName,
    arnFormat,
  });
}
