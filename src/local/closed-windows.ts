import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import type { WindowEvent } from '../core/closing.ts';
import { InvariantError } from '../core/errors.ts';
import type { LocalClients } from './clients.ts';

/** Messages of one ReceiveMessage request: SQS's limit. */
const MESSAGES_MAX = 10;

/** Receives what a bus publishes, as somebody would who wants to know: a rule, a queue behind it. */
export class ClosedWindowsListener {
  readonly #clients: Pick<LocalClients, 'sqs'>;
  readonly #queueUrl: string;

  private constructor(clients: Pick<LocalClients, 'sqs'>, queueUrl: string) {
    this.#clients = clients;
    this.#queueUrl = queueUrl;
  }

  /** Listens from now on; what an earlier listener of the bus left unread comes too. */
  static async open(
    clients: Pick<LocalClients, 'eventBridge' | 'sqs'>,
    busName: string,
  ): Promise<ClosedWindowsListener> {
    const name = `${busName}-listener`.slice(0, 80);
    const { QueueUrl } = await clients.sqs.send(new CreateQueueCommand({ QueueName: name }));
    if (QueueUrl === undefined) throw new InvariantError(`queue ${name}: got no URL, expected one`);
    const { Attributes } = await clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const rule = { Name: name.slice(0, 64), EventBusName: busName };
    const EventPattern = JSON.stringify({ source: [{ prefix: 'millrace.' }] });
    await clients.eventBridge.send(new PutRuleCommand({ ...rule, EventPattern }));
    const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn }];
    await clients.eventBridge.send(
      new PutTargetsCommand({ Rule: rule.Name, EventBusName: busName, Targets }),
    );
    return new ClosedWindowsListener(clients, QueueUrl);
  }

  /** Some of the events that came and were not received yet; none when there are none. */
  async receive(): Promise<readonly WindowEvent[]> {
    const { sqs } = this.#clients;
    const QueueUrl = this.#queueUrl;
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: MESSAGES_MAX }),
    );
    if (Messages.length === 0) return [];
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
    }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Messages.map(eventOf);
  }
}

function eventOf({ Body = '' }: Message): WindowEvent {
  const { detail }: { detail: WindowEvent } = JSON.parse(Body);
  return detail;
}
