import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { AlarmConfig } from '../config/environment.ts';
import { makeNotificationsKey } from '../security/keys.ts';

/** The topic that every alarm acts on, with a key of its own. */
export function makeAlarmTopic(
  scope: Construct,
  id: string,
  { emails, webhooks }: Pick<AlarmConfig, 'emails' | 'webhooks'>,
): Topic {
  const topic = new Topic(scope, id, {
    masterKey: makeNotificationsKey(scope, `${id}Key`),
    enforceSSL: true,
  });
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AllowAlarmsOfThisAccount',
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
  for (const url of webhooks) topic.addSubscription(new UrlSubscription(url));
  return topic;
}
