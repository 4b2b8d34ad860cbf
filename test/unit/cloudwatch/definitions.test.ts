import { describe, expect, it } from 'vitest';
import { ALARM_TYPES, readAlarm } from '../../../src/cloudwatch/alarm-resources.ts';
import { readDashboard } from '../../../src/cloudwatch/dashboard.ts';
import { resolveReferences } from '../../../src/cloudwatch/template.ts';

const COMMON = {
  AlarmName: 'a',
  EvaluationPeriods: 3,
  Threshold: 5,
  ComparisonOperator: 'GreaterThanThreshold',
};

describe('an alarm of a template', () => {
  it('on a metric has CloudWatch’s defaults', () => {
    const properties = { ...COMMON, Namespace: 'N', MetricName: 'm' };
    expect(readAlarm(ALARM_TYPES.metric, properties)).toMatchObject({
      type: 'metric',
      watches: 'watched',
      queries: [{ statistic: 'Average', metric: { namespace: 'N', name: 'm', dimensions: {} } }],
      periodSeconds: 60,
      datapointsToAlarm: 3,
      missing: 'missing',
      actions: { ALARM: [], OK: [] },
    });
  });

  it('keeps percentiles, dimensions, actions and what is done with missing data', () => {
    const properties = {
      ...COMMON,
      Namespace: 'N',
      MetricName: 'm',
      ExtendedStatistic: 'p99',
      Period: 300,
      DatapointsToAlarm: 2,
      TreatMissingData: 'breaching',
      Dimensions: [{ Name: 'd', Value: 'v' }],
      AlarmActions: ['t'],
    };
    expect(readAlarm(ALARM_TYPES.metric, properties)).toMatchObject({
      queries: [{ statistic: 'p99', metric: { dimensions: { d: 'v' } } }],
      periodSeconds: 300,
      datapointsToAlarm: 2,
      missing: 'breaching',
      actions: { ALARM: ['t'] },
    });
    const off = readAlarm(ALARM_TYPES.metric, { ...properties, ActionsEnabled: false });
    expect(off.actions.ALARM).toEqual([]);
  });

  it('on an expression watches what returns data', () => {
    const Metric = { Namespace: 'N', MetricName: 'm' };
    const properties = {
      ...COMMON,
      Metrics: [
        { Id: 'e', Expression: '100 * m' },
        { Id: 'm', MetricStat: { Metric, Period: 120, Stat: 'Sum' }, ReturnData: false },
      ],
    };
    expect(readAlarm(ALARM_TYPES.metric, properties)).toMatchObject({
      watches: 'e',
      periodSeconds: 120,
      queries: [
        { type: 'expression', id: 'e', expression: '100 * m' },
        { type: 'metric', id: 'm', statistic: 'Sum' },
      ],
    });
  });

  it('on metrics of DynamoDB always ignores missing data', () => {
    const properties = {
      ...COMMON,
      Namespace: 'AWS/DynamoDB',
      MetricName: 'm',
      TreatMissingData: 'breaching',
    };
    expect(readAlarm(ALARM_TYPES.metric, properties)).toMatchObject({ missing: 'ignore' });
  });

  it('on other alarms has its rule and its suppressor', () => {
    const properties = {
      AlarmName: 'c',
      AlarmRule: 'ALARM(a)',
      ActionsSuppressor: 'arn:aws:cloudwatch:eu-west-1:1:alarm:s',
      ActionsSuppressorWaitPeriod: 60,
      ActionsSuppressorExtensionPeriod: 120,
    };
    expect(readAlarm(ALARM_TYPES.composite, properties)).toMatchObject({
      type: 'composite',
      rule: { type: 'state', alarm: 'a', state: 'ALARM' },
      suppressor: { alarm: 's', waitSeconds: 60, extensionSeconds: 120 },
    });
  });

  it('with a setting that is not modelled is refused rather than judged wrongly', () => {
    const properties = { ...COMMON, Namespace: 'N', MetricName: 'm' };
    const read = (over: object) => () => readAlarm(ALARM_TYPES.metric, { ...properties, ...over });
    expect(read({ EvaluateLowSampleCountPercentile: 'ignore' })).toThrow('no such setting');
    expect(read({ ThresholdMetricId: 'x' })).toThrow('no such setting');
    expect(read({ ComparisonOperator: 'LessThanLowerThreshold' })).toThrow('one of GreaterThan');
  });
});

describe('the references of a template', () => {
  const template = {
    Resources: {
      Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmName: 'a' } },
      Topic: { Type: 'AWS::SNS::Topic' },
      Table: { Type: 'AWS::DynamoDB::Table' },
    },
  };
  const deployed = {
    physicalIds: new Map([['Topic', 'arn:aws:sns:eu-west-1:1:topic']]),
    exports: new Map([['stack:Stream', 'the-stream']]),
    account: '1',
    region: 'eu-west-1',
  };
  const resolve = (value: unknown) => resolveReferences(value, template, deployed);

  it.each<[string, unknown, unknown]>([
    ['a region', { Ref: 'AWS::Region' }, 'eu-west-1'],
    ['a deployed resource', { Ref: 'Topic' }, 'arn:aws:sns:eu-west-1:1:topic'],
    ['an alarm that was taken out', { Ref: 'Alarm' }, 'a'],
    ['its ARN', { 'Fn::GetAtt': ['Alarm', 'Arn'] }, 'arn:aws:cloudwatch:eu-west-1:1:alarm:a'],
    ['a topic’s name', { 'Fn::GetAtt': ['Topic', 'TopicName'] }, 'topic'],
    ['an export', { 'Fn::ImportValue': 'stack:Stream' }, 'the-stream'],
    ['a text', { 'Fn::Join': ['-', ['x', { Ref: 'AWS::AccountId' }]] }, 'x-1'],
    ['lists and objects', { a: [{ Ref: 'AWS::Region' }, 1, null] }, { a: ['eu-west-1', 1, null] }],
  ])('%s is found', (_what, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['Ref', { Ref: 'Nothing' }],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['Table', 'Arn'] }],
    ['Fn::ImportValue', { 'Fn::ImportValue': 'nothing' }],
  ])('a %s to nothing is said', (name, value) => {
    expect(() => resolve(value)).toThrow(`${name} `);
  });
});

/** docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html */
describe('the body of a dashboard', () => {
  const place = { x: 0, y: 1, width: 8, height: 6 };
  const read = (type: string, properties: object) =>
    readDashboard(JSON.stringify({ widgets: [{ type, ...place, properties }] }))[0];

  it('has texts and states of alarms', () => {
    expect(read('text', { markdown: '# Hello' })).toEqual({
      ...place,
      type: 'text',
      markdown: '# Hello',
    });
    const alarms = ['arn:aws:cloudwatch:eu-west-1:1:alarm:a'];
    expect(read('alarm', { title: 't', alarms })).toEqual({
      ...place,
      type: 'alarms',
      title: 't',
      alarms: ['a'],
    });
  });

  it('has graphs of metrics and expressions, with thresholds', () => {
    expect(
      read('metric', {
        title: 't',
        view: 'timeSeries',
        stacked: true,
        yAxis: { left: { label: 'ms', min: 0 } },
        annotations: { horizontal: [{ value: 5, label: 'Alarm', color: '#d13212' }] },
        metrics: [
          [{ expression: 'm / 2', id: 'e', label: 'half' }],
          ['N', 'm', 'd', 'v', { id: 'm', stat: 'p99', visible: false }],
        ],
      }),
    ).toEqual({
      ...place,
      type: 'graph',
      title: 't',
      view: 'timeSeries',
      stacked: true,
      unit: 'ms',
      thresholds: [{ value: 5, label: 'Alarm' }],
      lines: [
        { id: 'e', label: 'half', visible: true },
        { id: 'm', label: 'm', visible: false },
      ],
      queries: [
        { type: 'expression', id: 'e', expression: 'm / 2' },
        {
          type: 'metric',
          id: 'm',
          statistic: 'p99',
          metric: { namespace: 'N', name: 'm', dimensions: { d: 'v' } },
        },
      ],
    });
  });

  it('may repeat the line before by points', () => {
    const widget = read('metric', {
      stat: 'Sum',
      metrics: [
        ['N', 'm', 'd', 'v'],
        ['.', 'n', '.', '.'],
        ['...', 'w', { stat: 'Maximum' }],
      ],
    });
    expect(widget).toMatchObject({
      view: 'timeSeries',
      queries: [
        { statistic: 'Sum', metric: { name: 'm', dimensions: { d: 'v' } } },
        { statistic: 'Sum', metric: { namespace: 'N', name: 'n', dimensions: { d: 'v' } } },
        { statistic: 'Maximum', metric: { namespace: 'N', name: 'n', dimensions: { d: 'w' } } },
      ],
    });
  });

  it('of a type that is not shown is refused', () => {
    expect(() => read('explorer', {})).toThrow("got 'explorer'");
  });
});
