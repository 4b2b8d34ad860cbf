import { describe, expect, it } from 'vitest';
import type { Alarm, MetricAlarm } from '../../../src/cloudwatch/alarm.ts';
import { AlarmBook, type AlarmStep } from '../../../src/cloudwatch/alarm-book.ts';
import { parseCompositeRule } from '../../../src/cloudwatch/composite-rule.ts';
import { MetricStore } from '../../../src/cloudwatch/metric-store.ts';
import {
  notificationOf,
  readNotification,
  subjectOf,
} from '../../../src/cloudwatch/notification.ts';

const MINUTE_MS = 60_000;
const ACTIONS = { ALARM: ['topic'], OK: ['topic'], INSUFFICIENT_DATA: [] };

function metricAlarm(name: string, over: Partial<MetricAlarm> = {}): MetricAlarm {
  const metric = { namespace: 'N', name, dimensions: {} };
  return {
    type: 'metric',
    name,
    description: `${name} is high.\nWhat to do: docs/RUNBOOK.md#${name}`,
    actions: ACTIONS,
    queries: [{ type: 'metric', id: 'watched', metric, statistic: 'Sum' }],
    watches: 'watched',
    periodSeconds: 60,
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
    threshold: 0,
    comparison: 'GreaterThanThreshold',
    missing: 'notBreaching',
    ...over,
  };
}

function composite(name: string, ruleText: string, suppressor?: string): Alarm {
  return {
    type: 'composite',
    name,
    description: '',
    actions: ACTIONS,
    ruleText,
    rule: parseCompositeRule(ruleText),
    suppressor:
      suppressor === undefined
        ? undefined
        : { alarm: suppressor, waitSeconds: 120, extensionSeconds: 180 },
  };
}

/** Runs minutes 1 to `minutes`; a metric has the value 1 in the minutes that are given for it. */
function run(
  alarms: readonly Alarm[],
  high: Readonly<Record<string, readonly number[]>>,
  { minutes = 20, speed = 1 } = {},
) {
  const store = new MetricStore();
  const book = new AlarmBook({ alarms, store, speed });
  const told: string[] = [];
  const states: string[] = [];
  const steps: AlarmStep[] = [];
  for (let minute = 1; minute <= minutes; minute += 1) {
    const stepMs = MINUTE_MS / speed;
    for (const [name, on] of Object.entries(high)) {
      const atMs = (minute - 1) * stepMs;
      store.add({
        namespace: 'N',
        name,
        dimensions: {},
        values: [on.includes(minute) ? 1 : 0],
        atMs,
      });
    }
    const step = book.step(minute * stepMs);
    steps.push(step);
    told.push(...step.actions.map(({ alarm, to }) => `${minute} ${alarm.name} ${to}`));
    states.push(...step.transitions.map(({ alarm, to }) => `${minute} ${alarm.name} ${to}`));
  }
  return { book, told, states, steps };
}

describe('a book of alarms', () => {
  it('raises and clears an alarm, and tells both', () => {
    const { told } = run([metricAlarm('a')], { a: [5, 6, 7] });
    expect(told).toEqual(['1 a OK', '6 a ALARM', '9 a OK']);
  });

  it('does the same in less time when time is scaled', () => {
    const { told } = run([metricAlarm('a')], { a: [5, 6, 7] }, { speed: 60 });
    expect(told).toEqual(['1 a OK', '6 a ALARM', '9 a OK']);
  });

  it('evaluates each minute that ended, once, also several at a time', () => {
    const store = new MetricStore();
    const metric = { namespace: 'N', name: 'a', dimensions: {} };
    for (const minute of [3, 4]) store.add({ ...metric, values: [1], atMs: minute * MINUTE_MS });
    const book = new AlarmBook({ alarms: [metricAlarm('a')], store, speed: 1 });
    book.step(2 * MINUTE_MS);
    const { transitions } = book.step(12 * MINUTE_MS);
    expect(transitions.map(({ to, atMs }) => [to, atMs / MINUTE_MS])).toEqual([
      ['ALARM', 5],
      ['OK', 9],
    ]);
    expect(book.step(12 * MINUTE_MS).transitions).toEqual([]);
  });

  it('slides a longer period minute by minute', () => {
    const five = metricAlarm('a', {
      periodSeconds: 300,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      threshold: 2,
    });
    expect(run([five], { a: [6, 7, 8] }).states).toEqual(['1 a OK', '8 a ALARM', '11 a OK']);
  });

  it('starts from the states that alarms have', () => {
    const states = new Map([['a', 'ALARM' as const]]);
    const book = new AlarmBook({
      alarms: [metricAlarm('a')],
      store: new MetricStore(),
      speed: 1,
      states,
    });
    expect(book.step(MINUTE_MS).transitions).toMatchObject([{ from: 'ALARM', to: 'OK' }]);
  });

  it('refuses rules in a circle, and rules on alarms that are not there', () => {
    const store = new MetricStore();
    const book = (...alarms: Alarm[]) => new AlarmBook({ alarms, store, speed: 1 });
    expect(() => book(composite('x', 'ALARM(y)'), composite('y', 'ALARM(x)'))).toThrow('circle');
    expect(() => book(composite('x', 'ALARM(y)'))).toThrow("got 'y'");
  });
});

describe('consequences', () => {
  const silent = { actions: { ALARM: [], OK: [], INSUFFICIENT_DATA: [] } };
  const alarms = [
    composite('behind', 'ALARM("late")', 'cause'),
    metricAlarm('late', silent),
    metricAlarm('cause'),
  ];
  const behind = (told: readonly string[]) => told.filter((one) => one.includes('behind'));

  it('are told when there is no cause, after the wait', () => {
    const { told } = run(alarms, { late: [5, 6, 7], cause: [] });
    expect(behind(told)).toEqual(['3 behind OK', '8 behind ALARM', '11 behind OK']);
  });

  it('are not told while the cause is on, nor when it ends soon after', () => {
    const { told, states } = run(alarms, { late: [5, 6, 7, 8, 9], cause: [6, 7, 8] });
    expect(states).toContain('6 behind ALARM');
    expect(behind(told)).toEqual(['3 behind OK', '13 behind OK']);
    expect(told).toContain('7 cause ALARM');
  });

  it('are told when they outlive the cause', () => {
    const late = Array.from({ length: 16 }, (_, index) => index + 5);
    const { told } = run(alarms, { late, cause: [6, 7, 8] });
    // The cause is off at 10; three minutes later its consequences are news.
    expect(behind(told)).toEqual(['3 behind OK', '13 behind ALARM']);
  });

  it('of which one comes after the other are told once', () => {
    const both = [
      composite('behind', 'ALARM(late) OR ALARM(lag)'),
      metricAlarm('late', silent),
      metricAlarm('lag', silent),
    ];
    const { told } = run(both, { late: [5, 6, 7], lag: [7, 8, 9] });
    expect(behind(told)).toEqual(['1 behind OK', '6 behind ALARM', '11 behind OK']);
  });
});

describe('a notification', () => {
  const place = { account: '1', region: 'eu-west-1' };

  it('says what, since when, how bad, and where to look', () => {
    const { steps } = run([metricAlarm('a')], { a: [5, 6, 7] });
    const transition = steps[5]?.actions[0];
    if (transition === undefined) throw new Error('no alarm');
    expect(subjectOf(transition, place)).toBe('ALARM: "a" in eu-west-1');
    expect(readNotification(notificationOf(transition, place))).toEqual({
      alarm: 'a',
      state: 'ALARM',
      before: 'OK',
      description: 'a is high.\nWhat to do: docs/RUNBOOK.md#a',
      sinceMs: 6 * MINUTE_MS,
      reason: expect.stringContaining(
        '2 out of the last 3 datapoints [1.0 (01/01/70 00:06:00), 1.0',
      ),
    });
    const document = JSON.parse(notificationOf(transition, place));
    expect(document.AlarmArn).toBe('arn:aws:cloudwatch:eu-west-1:1:alarm:a');
    expect(document.Trigger).toMatchObject({ Threshold: 0, Period: 60, EvaluationPeriods: 3 });
  });

  it('of a composite alarm names the alarms that it comes from', () => {
    const { steps } = run([composite('b', 'ALARM(a)'), metricAlarm('a')], { a: [5, 6, 7] });
    const transition = steps[5]?.actions.find(({ alarm }) => alarm.name === 'b');
    if (transition === undefined) throw new Error('no alarm');
    const document = JSON.parse(notificationOf(transition, place));
    expect(document.AlarmRule).toBe('ALARM(a)');
    expect(document.TriggeringChildren).toEqual([
      {
        Arn: 'arn:aws:cloudwatch:eu-west-1:1:alarm:a',
        State: { Value: 'ALARM', Timestamp: '1970-01-01T00:06:00.000+0000' },
      },
    ]);
    expect(document.NewStateReason).toMatch(
      /^a transitioned to ALARM at Thu, 01 Jan 1970 00:06:00/,
    );
  });

  it.each(['', 'hello', '[]', 'null', '{"AlarmName":"a"}'])('%j is none', (message) => {
    expect(readNotification(message)).toBeUndefined();
  });
});
