import {
  ConfirmSubscriptionCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterEach, describe, expect, it } from 'vitest';
import type { AlarmNotification } from '../../../../src/cloudwatch/notification.ts';
import { type Receiver, startReceiver } from '../../../../src/local/cloudwatch/receiver.ts';
import { subscribeWebhooks } from '../../../../src/local/cloudwatch/webhooks.ts';

let receiver: Receiver | undefined;

afterEach(async () => {
  await receiver?.close();
});

/** A receiver of topic `t`, what it told SNS and what it took. */
async function start() {
  const sent: unknown[] = [];
  const taken: AlarmNotification[] = [];
  const send = async (command: { input: unknown }) => {
    if (command instanceof SubscribeCommand || command instanceof ConfirmSubscriptionCommand) {
      sent.push(command.input);
    }
    return {};
  };
  receiver = await startReceiver({
    client: { send } as never,
    topicArn: 't',
    onNotification: (notification) => taken.push(notification),
  });
  const { url } = receiver;
  const post = async (body: unknown) =>
    (
      await fetch(url, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    ).status;
  return { receiver, sent, taken, post };
}

const Message = JSON.stringify({ AlarmName: 'a', NewStateValue: 'ALARM', OldStateValue: 'OK' });

describe('a receiver of notifications', () => {
  it('subscribes on the loopback interface, and confirms its own topic', async () => {
    const { receiver: found, sent, post } = await start();
    expect(sent).toEqual([{ TopicArn: 't', Protocol: 'http', Endpoint: found.url }]);
    expect(found.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);

    await post({ Type: 'SubscriptionConfirmation', TopicArn: 'other', Token: 'x' });
    await post({ Type: 'SubscriptionConfirmation', TopicArn: 't', Token: 'secret' });
    expect(sent.slice(1)).toEqual([{ TopicArn: 't', Token: 'secret' }]);
  });

  it('takes notifications of alarms, and leaves everything else alone', async () => {
    const { taken, post } = await start();
    expect(await post({ Type: 'Notification', TopicArn: 't', Message })).toBe(200);
    expect(await post({ Type: 'Notification', TopicArn: 'other', Message })).toBe(200);
    expect(await post({ Type: 'Notification', TopicArn: 't', Message: 'hello' })).toBe(200);
    expect(taken).toMatchObject([{ alarm: 'a', state: 'ALARM', before: 'OK' }]);
  });

  it('refuses what is no message, too large, or no POST', async () => {
    const { receiver: found, post } = await start();
    expect(await post('no JSON')).toBe(500);
    expect(await post('x'.repeat(400_000))).toBe(413);
    expect((await fetch(found.url)).status).toBe(405);
  });
});

describe('webhooks of the configuration', () => {
  it('on this machine are asked to confirm; others are never told by a local run', async () => {
    const sent: unknown[] = [];
    const send = async (command: { input: unknown }) => {
      const name = command instanceof UnsubscribeCommand ? 'unsubscribe' : 'subscribe';
      sent.push([name, command.input]);
      return {};
    };
    await subscribeWebhooks({ send } as never, 't', [
      { subscriptionArn: 's1', url: 'https://example.com/hook' },
      { subscriptionArn: 's2', url: 'http://127.0.0.1:8080/hook' },
    ]);
    expect(sent).toEqual([
      ['unsubscribe', { SubscriptionArn: 's2' }],
      ['subscribe', { TopicArn: 't', Protocol: 'http', Endpoint: 'http://127.0.0.1:8080/hook' }],
    ]);
  });
});
