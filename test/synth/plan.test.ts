import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import type { EnvironmentConfig } from '../../lib/config/environment.ts';
import { compile } from '../../src/core/compile.ts';
import { METRICS } from '../../src/core/contract.ts';
import { watchedParts } from '../../src/plan/cost-watch.ts';
import { watchingOf } from '../../src/plan/watching.ts';
import { loadPipeline } from '../../src/project/discover.ts';
import { ROOT } from '../helpers/sources.ts';
import { DEV, PROD, synth } from '../helpers/synth.ts';

interface Alarm {
  readonly MetricName?: string;
  readonly Metrics?: readonly { readonly MetricStat?: object }[];
}

function count(template: Template, type: string): number {
  return Object.keys(template.findResources(type)).length;
}

function alarmMetrics(template: Template): number {
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
  return alarms.reduce((sum, { Properties }) => {
    const { Metrics: metrics }: Alarm = Properties;
    return sum + (metrics?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 1);
  }, 0);
}

const QUIET: EnvironmentConfig = { ...DEV, archive: false, dashboards: 'overview' };

describe('what a plan bills by the piece', () => {
  it.each<[string, EnvironmentConfig]>([
    ['flights', PROD],
    ['flights', DEV],
    ['earthquakes', PROD],
    ['delays', QUIET],
    ['earthquakes', { ...DEV, stream: { type: 'provisioned', shards: 1, scaleTo: 4 } }],
  ])('is what is deployed of %s', async (name, environment) => {
    const { data, compute } = await synth(environment, name);
    const folder = await loadPipeline(ROOT, name);
    const program = compile(folder.pipeline, folder.references);

    const watching = watchingOf(
      environment.dashboards,
      watchedParts({ program, deployment: environment }),
    );

    expect(watching).toMatchObject({
      alarmMetrics: alarmMetrics(compute),
      compositeAlarms: count(compute, 'AWS::CloudWatch::CompositeAlarm'),
      dashboards: count(compute, 'AWS::CloudWatch::Dashboard'),
      keys: count(data, 'AWS::KMS::Key') + count(compute, 'AWS::KMS::Key'),
    });
  });

  it('counts each metric that the functions write, but for the one of a recovery', () => {
    const all = { archives: true, closes: true, feeds: true, scales: true, minds: true };
    expect(watchingOf('all', all).metrics).toBe(Object.keys(METRICS).length - 1);
  });
});
