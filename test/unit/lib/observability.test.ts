import { describe, expect, it } from 'vitest';
import { findEnvironment } from '../../../lib/config/find.ts';
import { idleCostMonth } from '../../../lib/observability/idle-cost.ts';
import { METRICS } from '../../../src/core/contract.ts';
import { DEV, PROD, resourcesOf, synth } from '../../helpers/synth.ts';

describe('an idle deployment', () => {
  it('costs its stream, two keys and its alarms', () => {
    expect(idleCostMonth(DEV, 8)).toBeCloseTo(0.015 * 730 + 2 + 0.8, 9);
    expect(idleCostMonth(PROD, 9)).toBeCloseTo(0.04 * 730 + 2 + 0.9, 9);
    const wide = { ...DEV, stream: { type: 'provisioned', shards: 4 } } as const;
    expect(idleCostMonth(wide, 0) - idleCostMonth(DEV, 0)).toBeCloseTo(3 * 0.015 * 730, 9);
  });
});

describe('environments', () => {
  it('are found by name, dev where none is given', () => {
    expect(findEnvironment({ dev: DEV, prod: PROD })).toBe(DEV);
    expect(findEnvironment({ dev: DEV, prod: PROD }, 'prod')).toBe(PROD);
    expect(() => findEnvironment({ dev: DEV }, 'stage')).toThrow("-c env: got 'stage'");
    expect(() => findEnvironment({ dev: DEV }, 'toString')).toThrow('one of dev');
  });
});

describe('what is watched', () => {
  it('is written by the functions under the very same names', async () => {
    const { compute } = await synth(PROD);
    const alarms = Object.values(resourcesOf(compute, 'AWS::CloudWatch::Alarm'));
    const own = alarms.filter(({ Properties }) => Properties.Namespace === 'Millrace');
    const names = new Set<unknown>(Object.values(METRICS));

    expect(own.length).toBeGreaterThan(1);
    for (const { Properties } of own) {
      expect(names.has(Properties.MetricName)).toBe(true);
      expect(Properties.Dimensions).toEqual([{ Name: 'service', Value: 'flights-prod' }]);
    }
  });

  it('misses data as fits: silence is bad of the stream’s age, good of errors', async () => {
    const { compute } = await synth(PROD);
    const missing = (id: string) => {
      const found = Object.entries(resourcesOf(compute, 'AWS::CloudWatch::Alarm')).find(([name]) =>
        name.startsWith(`${id}Alarm`),
      );
      return found?.[1].Properties.TreatMissingData;
    };
    expect([missing('IteratorAge'), missing('NoEvents')]).toEqual(['breaching', 'breaching']);
    expect([missing('Errors'), missing('Latency')]).toEqual(['notBreaching', 'notBreaching']);
  });

  it('stands on the dashboard, with the thresholds of the alarms', async () => {
    const { compute } = await synth(DEV);
    const [dashboard] = Object.values(resourcesOf(compute, 'AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);
    for (const name of ['IteratorAge', METRICS.quarantined, METRICS.latency, METRICS.accepted]) {
      expect(body).toContain(name);
    }
    expect(body).toContain('annotations');
  });
});
