import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlarmState, MissingData } from '../../../src/cloudwatch/alarm.ts';
import {
  alarmReason,
  alarmState,
  evaluationRange,
} from '../../../src/cloudwatch/alarm-evaluation.ts';
import type { Series } from '../../../src/cloudwatch/metric-store.ts';

/** `0` is in order, `X` breaches, `-` is missing; the newest on the right, as on AWS's page. */
function points(text: string): Series {
  const values: Record<string, number | undefined> = { '0': 0, X: 10 };
  return text.split(' ').map((one) => values[one]);
}

function rule(datapointsToAlarm: number, missing: MissingData, evaluationPeriods = 3) {
  const comparison = 'GreaterThanThreshold' as const;
  return { datapointsToAlarm, evaluationPeriods, missing, threshold: 5, comparison };
}

const TREATMENTS: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

/** Any state may be the one before; `kept` is that state. */
const KEPT = 'kept';

/**
 * The tables of "Configuring how CloudWatch alarms treat missing data",
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html:
 * evaluation periods 3, evaluation range 5; columns in the order of TREATMENTS.
 */
const TABLES: readonly (readonly [number, string, ...string[]])[] = [
  [3, '0 - X - X', 'OK', 'OK', 'OK', 'OK'],
  [3, '0 - - - -', 'OK', 'OK', 'OK', 'OK'],
  [3, '- - - - -', 'INSUFFICIENT_DATA', KEPT, 'ALARM', 'OK'],
  [3, '0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  [3, '- - X - -', 'ALARM', KEPT, 'ALARM', 'OK'],
  [2, '0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  [2, '0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  [2, '0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
  [2, '- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
  [2, '- - - X -', 'ALARM', KEPT, 'ALARM', 'OK'],
];

describe('missing data counts as AWS’s tables have it', () => {
  const cases = TABLES.flatMap(([datapoints, text, ...states]) =>
    TREATMENTS.map((missing, column) => ({ datapoints, text, missing, state: states[column] })),
  );

  it.each(cases)(
    '$datapoints of 3, $text, $missing: $state',
    ({ datapoints, text, missing, state }) => {
      for (const before of ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const) {
        const expected = state === KEPT ? before : state;
        expect(alarmState(points(text), rule(datapoints, missing), before)).toBe(expected);
      }
    },
  );

  /** "Avoiding premature transitions to alarm state", on the same page. */
  it.each(['- - - - X', '- - - X -'])('a fresh breach alone, %s, raises no alarm', (text) => {
    expect(alarmState(points(text), rule(3, 'missing'), 'OK')).toBe('INSUFFICIENT_DATA');
    expect(alarmState(points(text), rule(3, 'ignore'), 'OK')).toBe('OK');
  });

  it.each(['- - - X 0', '- - X - 0'])('and a good point after it, %s, keeps it quiet', (text) => {
    expect(alarmState(points(text), rule(3, 'missing'), 'OK')).toBe('OK');
  });
});

describe('M of N', () => {
  /** The figure of "Alarm evaluation": threshold 3, 3 of 3; raised by periods 3 to 5. */
  it('follows the figure of AWS’s page', () => {
    const values = [1, 2, 4, 4, 5, 2, 1, 2, 4, 2];
    const settings = { ...rule(3, 'missing'), threshold: 3 };
    let state: AlarmState = 'OK';
    const states = values.map((_, index) => {
      const window = Array.from({ length: 5 }, (_, at) => values[index - 4 + at]);
      state = alarmState(window, settings, state);
      return state;
    });
    expect(states.map((one) => one === 'ALARM')).toEqual(values.map((_, index) => index === 4));
  });

  it('with all points there, is a count over the last N whatever is done with missing ones', () => {
    const complete = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 7, maxLength: 7 });
    const settings = fc.record({
      evaluationPeriods: fc.integer({ min: 1, max: 5 }),
      datapointsToAlarm: fc.integer({ min: 1, max: 5 }),
      missing: fc.constantFrom(...TREATMENTS),
    });
    fc.assert(
      fc.property(complete, settings, (values, given) => {
        const datapointsToAlarm = Math.min(given.datapointsToAlarm, given.evaluationPeriods);
        const of = { ...rule(datapointsToAlarm, given.missing, given.evaluationPeriods) };
        const window = values.slice(-evaluationRange(of));
        const breaching = values.slice(-given.evaluationPeriods).filter((value) => value > 5);
        const expected = breaching.length >= datapointsToAlarm ? 'ALARM' : 'OK';
        expect(alarmState(window, of, 'OK')).toBe(expected);
      }),
    );
  });
});

describe('the reason', () => {
  const at = Date.UTC(2026, 10, 25, 16, 4);
  const periodEndsMs = [1, 2, 3, 4, 5].map((minute) => at + minute * 60_000);

  it('names the points that breached, with their times and the threshold', () => {
    const reason = alarmReason(points('0 0 X 0 X'), rule(2, 'notBreaching'), {
      state: 'ALARM',
      periodEndsMs,
    });
    expect(reason).toBe(
      'Threshold Crossed: 2 out of the last 3 datapoints [10.0 (25/11/26 16:09:00), 10.0 (25/11/26 16:07:00)] were greater than the threshold (5.0).',
    );
  });

  it('says how missing points counted', () => {
    const over = { state: 'OK', periodEndsMs } as const;
    expect(alarmReason(points('- - - - 0'), rule(2, 'notBreaching'), over)).toContain(
      'was not greater than the threshold (5.0), and 2 missing datapoints were treated as [NonBreaching]',
    );
    expect(alarmReason(points('X - - - -'), rule(2, 'notBreaching'), over)).toBe(
      'Threshold Crossed: 2 missing datapoints were treated as [NonBreaching].',
    );
    expect(
      alarmReason(points('- - - - -'), rule(3, 'breaching'), { state: 'ALARM', periodEndsMs }),
    ).toBe(
      'Threshold Crossed: no datapoints were received for 5 periods and 3 missing datapoints were treated as [Breaching].',
    );
  });
});
