import { type SNSClient, SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import { isLoopback } from '../endpoint.ts';

/** A webhook of the configuration as it was deployed. */
export interface DeployedWebhook {
  readonly subscriptionArn: string;
  readonly url: string;
}

/**
 * Subscribes the webhooks of this machine again: the emulator's CloudFormation asks none to confirm, and an
 * unconfirmed one is sent nothing. Others are left as they are: a local run tells nobody outside.
 */
export async function subscribeWebhooks(
  client: Pick<SNSClient, 'send'>,
  topicArn: string,
  webhooks: readonly DeployedWebhook[],
): Promise<void> {
  for (const { subscriptionArn, url } of webhooks) {
    const { protocol, hostname } = new URL(url);
    if (!isLoopback(hostname)) continue;
    await client.send(new UnsubscribeCommand({ SubscriptionArn: subscriptionArn }));
    await client.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: protocol.replace(':', ''),
        Endpoint: url,
      }),
    );
  }
}
