import { describe, expect, it } from 'vitest';
import type { AlarmState } from '../../../src/cloudwatch/alarm.ts';
import {
  alarmsOf,
  isFulfilled,
  parseCompositeRule,
} from '../../../src/cloudwatch/composite-rule.ts';
import { Suppression } from '../../../src/cloudwatch/suppression.ts';

const STATES: Readonly<Record<string, AlarmState>> = {
  on: 'ALARM',
  off: 'OK',
  'with a space': 'ALARM',
  new: 'INSUFFICIENT_DATA',
};

/** docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html */
describe('the rule of a composite alarm', () => {
  it.each([
    ['ALARM(on)', true],
    ['ALARM("with a space")', true],
    ['ALARM(off)', false],
    ['OK(off) AND INSUFFICIENT_DATA("new")', true],
    ['ALARM(on) AND NOT ALARM(on)', false],
    ['NOT ALARM(off) AND ALARM(on)', true],
    ['ALARM(on) OR ALARM(off) AND ALARM(off)', true],
    ['(ALARM(on) OR ALARM(off)) AND ALARM(off)', false],
    ['NOT (ALARM(off) OR FALSE)', true],
    ['TRUE AND ALARM("arn:aws:cloudwatch:eu-west-1:1:alarm:on")', true],
    ['ALARM(unknown)', false],
  ])('%s is %s', (text, expected) => {
    expect(isFulfilled(parseCompositeRule(text), (name) => STATES[name])).toBe(expected);
  });

  it.each(['', 'ALARM', 'ALARM(on) AND', '(ALARM(on)', 'ALARM(on) ALARM(off)', 'on OR off'])(
    '%j is refused',
    (text) => {
      expect(() => parseCompositeRule(text)).toThrow(/^rule /);
    },
  );

  it('names each of its alarms once', () => {
    expect(alarmsOf(parseCompositeRule('ALARM(a) OR NOT (OK(b) AND OK(a)) OR TRUE'))).toEqual([
      'a',
      'b',
    ]);
  });
});

/**
 * The examples of "Suppressing composite alarm actions",
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html:
 * wait period 2, extension period 3; `C` is a change of the composite alarm, `S` the suppressor going on,
 * `s` off. The times at which actions are taken.
 */
describe('actions that a suppressor holds back', () => {
  it.each<[string, Readonly<Record<number, string>>, readonly number[]]>([
    ['1: it stays off, and the actions follow after the wait', { 2: 'C' }, [4]],
    ['2: it goes on within the wait', { 2: 'C', 3: 'S' }, []],
    ['3: a change within the wait starts another one', { 2: 'C', 3: 'C' }, [5]],
    ['4: it was on before', { 1: 'S', 2: 'C' }, []],
    ['5: it goes off, and the actions follow after the extension', { 2: 'C', 3: 'S', 6: 's' }, [9]],
    [
      '6: a change within the extension starts a wait instead',
      { 2: 'C', 3: 'S', 6: 's', 7: 'C' },
      [9],
    ],
    ['and nothing is due where only the suppressor changed', { 2: 'S', 4: 's' }, []],
  ])('example %s', (_name, events, expected) => {
    const suppression = new Suppression({ wait: 2, extension: 3 });
    let isOn = false;
    const taken: number[] = [];
    for (let now = 0; now <= 12; now += 1) {
      const event = events[now];
      if (event === 'S' || event === 's') isOn = event === 'S';
      suppression.suppressor(isOn, now);
      if (event === 'C') suppression.changed(now);
      if (suppression.takesActions(now)) taken.push(now);
    }
    expect(taken).toEqual(expected);
  });

  it('refuses times that fall', () => {
    const suppression = new Suppression({ wait: 2, extension: 3 });
    suppression.changed(5);
    expect(() => suppression.takesActions(4)).toThrow('times that never fall');
  });
});
