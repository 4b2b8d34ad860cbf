import { beforeAll, describe, expect, it } from 'vitest';
import type { Template } from '../../../src/cloudwatch/template.ts';
import { localTemplate, TEMPLATE_CHANGES } from '../../../src/local/local-template.ts';
import { DEV, synth } from '../../helpers/synth.ts';

/** What a local cloud gets of a template. */
function changed(template: object): Template {
  return JSON.parse(localTemplate(JSON.stringify(template)));
}

const metric = { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'm' } };

describe('a local template', () => {
  it('differs in what is listed, and in nothing else', () => {
    const kept = { Other: { Type: 'AWS::SNS::Topic', Properties: { X: 1 } }, Alarm: metric };
    const template = {
      Resources: {
        ...kept,
        Mapping: { Type: 'AWS::Lambda::EventSourceMapping', Properties: { BatchSize: 7 } },
        Composite: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: {} },
        Math: { Type: 'AWS::CloudWatch::Alarm', Properties: { Metrics: [] } },
      },
      Outputs: { A: 1 },
    };
    expect(changed(template)).toEqual({
      Outputs: { A: 1 },
      Resources: {
        ...kept,
        Mapping: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { BatchSize: 7, Enabled: false },
        },
      },
    });
  });

  it.each(TEMPLATE_CHANGES)('is not what it was, as $what', ({ apply, why }) => {
    const resources = {
      Mapping: { Type: 'AWS::Lambda::EventSourceMapping', Properties: {} },
      Composite: { Type: 'AWS::CloudWatch::CompositeAlarm' },
      Math: { Type: 'AWS::CloudWatch::Alarm', Properties: { Metrics: [] } },
      Alarm: metric,
    };
    expect(apply(resources)).not.toEqual(resources);
    expect(apply({ Alarm: metric })).toEqual({ Alarm: metric });
    expect(why.length).toBeGreaterThan(20);
  });
});

describe('the compute stack', () => {
  let template: Template;

  beforeAll(async () => {
    template = (await synth(DEV)).compute.toJSON();
  });

  it('refers to nothing that was taken out', () => {
    const local = changed(template);
    const ids = new Set(Object.keys(local.Resources ?? {}));
    const gone = Object.keys(template.Resources ?? {}).filter((id) => !ids.has(id));
    const text = JSON.stringify(local);

    expect(gone.length).toBeGreaterThan(3);
    for (const id of gone) expect(text, id).not.toContain(`"${id}"`);
  });

  it('keeps every alarm that the emulator takes', () => {
    const names = Object.values(changed(template).Resources ?? {})
      .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => Properties?.AlarmName);
    expect(names).toContain('flights-dev-Errors');
    expect(names).toContain('flights-dev-IteratorAge');
  });
});
