import {
  type CloudWatchClient,
  paginateDescribeAlarms,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { AlarmState } from '../../cloudwatch/alarm.ts';
import type { Transition } from '../../cloudwatch/alarm-book.ts';
import { type AlarmPlace, notificationOf, subjectOf } from '../../cloudwatch/notification.ts';

/** What states are set with. */
interface Clients {
  readonly cloudWatch: CloudWatchClient;
  readonly sns: SNSClient;
}

/**
 * States of alarms in the local cloud.
 *
 * An alarm that is deployed there gets its state by the API, and the local cloud itself tells the alarm's
 * topic. One that it refused (composite alarms, metric math) isn't there: its document is published to the
 * topic instead.
 */
export class AlarmStates {
  /** States that alarms have already: those of a run before, in a cloud that was kept. */
  readonly known: ReadonlyMap<string, AlarmState>;
  readonly #clients: Clients;
  readonly #place: AlarmPlace;

  private constructor(
    clients: Clients,
    {
      place,
      known,
    }: { readonly place: AlarmPlace; readonly known: ReadonlyMap<string, AlarmState> },
  ) {
    this.#clients = clients;
    this.#place = place;
    this.known = known;
  }

  /** Asks for the alarms that are deployed. */
  static async open(clients: Clients, place: AlarmPlace): Promise<AlarmStates> {
    const known = new Map<string, AlarmState>();
    for await (const page of paginateDescribeAlarms({ client: clients.cloudWatch }, {})) {
      for (const { AlarmName = '', StateValue } of page.MetricAlarms ?? []) {
        known.set(AlarmName, StateValue ?? 'INSUFFICIENT_DATA');
      }
    }
    return new AlarmStates(clients, { place, known });
  }

  /** Sets the state of an alarm, if it is deployed; its actions follow from that. */
  async set({ alarm, to, reason }: Transition): Promise<void> {
    if (!this.known.has(alarm.name)) return;
    await this.#clients.cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: alarm.name, StateValue: to, StateReason: reason }),
    );
  }

  /** Takes the actions of an alarm that is not deployed. */
  async act(transition: Transition): Promise<void> {
    const { alarm, to } = transition;
    if (this.known.has(alarm.name)) return;
    for (const TopicArn of alarm.actions[to]) {
      await this.#clients.sns.send(
        new PublishCommand({
          TopicArn,
          Subject: subjectOf(transition, this.#place),
          Message: notificationOf(transition, this.#place),
        }),
      );
    }
  }
}
