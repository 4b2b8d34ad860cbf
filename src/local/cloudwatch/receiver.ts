import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfirmSubscriptionCommand, type SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { type AlarmNotification, readNotification } from '../../cloudwatch/notification.ts';

/** What a receiver is made with. */
export interface ReceiverOptions {
  readonly client: Pick<SNSClient, 'send'>;
  readonly topicArn: string;
  readonly onNotification: (notification: AlarmNotification) => void;
}

/** A receiver that listens. */
export interface Receiver {
  /** Where SNS posts to. */
  readonly url: string;
  close(): Promise<void>;
}

/** Larger bodies are refused: SNS sends 256 KB at most. */
const BODY_BYTES_MAX = 300_000;

interface Envelope {
  readonly Type?: string;
  readonly TopicArn?: string;
  readonly Token?: string;
  readonly Message?: string;
}

/**
 * Listens on the loopback interface for what a topic sends to webhooks, subscribes to it and confirms.
 * Messages of other topics are left alone. Signatures are not checked: the local cloud has none; a receiver
 * of your own must.
 */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { client, topicArn } = options;
  const take = async (body: string): Promise<void> => {
    const envelope: Envelope = JSON.parse(body);
    if (envelope.TopicArn !== topicArn) return;
    if (envelope.Type === 'SubscriptionConfirmation') {
      const { Token } = envelope;
      await client.send(new ConfirmSubscriptionCommand({ TopicArn: topicArn, Token }));
      return;
    }
    const notification = readNotification(envelope.Message ?? '');
    if (notification !== undefined) options.onNotification(notification);
  };
  const server = createServer((request, response) => {
    answer(request, response, take).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  await client.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'http', Endpoint: url }));
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  take: (body: string) => Promise<void>,
): Promise<void> {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  let body = '';
  for await (const part of request) {
    body += String(part);
    if (body.length > BODY_BYTES_MAX) return void response.writeHead(413).end();
  }
  await take(body);
  response.writeHead(200).end();
}
