import type { Transition } from '../../cloudwatch/alarm-book.ts';
import type { AlarmNotification } from '../../cloudwatch/notification.ts';

/** One time that an alarm was on. */
export interface RaisedAlarm {
  readonly alarm: string;
  readonly raisedMs: number;
  /** Undefined while it is on. */
  readonly clearedMs: number | undefined;
  /** The points and the threshold, in CloudWatch's words. */
  readonly reason: string;
  /** Notifications that arrived of it, the one that it is over included. */
  readonly notifications: readonly AlarmNotification[];
}

/** What the alarms of a run did. */
export class AlarmHistory {
  readonly #raised: { -readonly [Key in keyof RaisedAlarm]: RaisedAlarm[Key] }[] = [];

  /** An alarm changed its state. */
  changed({ alarm, to, atMs, reason }: Transition): void {
    const open = this.#open(alarm.name);
    if (open !== undefined && to !== 'ALARM') open.clearedMs = atMs;
    if (open !== undefined || to !== 'ALARM') return;
    this.#raised.push({
      alarm: alarm.name,
      raisedMs: atMs,
      clearedMs: undefined,
      reason,
      notifications: [],
    });
  }

  /** A notification arrived. */
  notified(notification: AlarmNotification): void {
    const of = this.#raised.findLast(({ alarm }) => alarm === notification.alarm);
    if (of !== undefined) of.notifications = [...of.notifications, notification];
  }

  /** Oldest first. */
  all(): readonly RaisedAlarm[] {
    return this.#raised;
  }

  /** Names of the alarms that are on. */
  on(): readonly string[] {
    return this.#raised
      .filter(({ clearedMs }) => clearedMs === undefined)
      .map(({ alarm }) => alarm);
  }

  #open(name: string) {
    return this.#raised.find(({ alarm, clearedMs }) => alarm === name && clearedMs === undefined);
  }
}
