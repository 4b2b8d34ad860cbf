import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ArchiveConfig } from '../../../lib/config/environment.ts';
import { findEnvironment } from '../../../lib/config/find.ts';
import { COMPOSITES } from '../../../lib/observability/alarms.ts';
import { GRAPHS, type ShownMetric } from '../../../lib/observability/graphs.ts';
import { idleCostMonth } from '../../../lib/observability/idle-cost.ts';
import type { MetricId } from '../../../lib/observability/metrics.ts';
import { checkSettings } from '../../../lib/safety/rules.ts';
import type { MetricAlarm } from '../../../src/cloudwatch/alarm.ts';
import { ALARM_TYPES, readAlarm } from '../../../src/cloudwatch/alarm-resources.ts';
import { readDashboard, type Widget } from '../../../src/cloudwatch/dashboard.ts';
import { MetricStore } from '../../../src/cloudwatch/metric-store.ts';
import { runQueries } from '../../../src/cloudwatch/query.ts';
import { resolveReferences, type Template } from '../../../src/cloudwatch/template.ts';
import { METRICS } from '../../../src/core/contract.ts';
import { DEV, PROD, resourcesOf, synth } from '../../helpers/synth.ts';

describe('an idle deployment', () => {
  const nothing = { alarmMetrics: 0, compositeAlarms: 0, dashboards: 3, closes: false };

  it('costs its stream, two keys, and what watches it', () => {
    expect(idleCostMonth(DEV, nothing)).toBeCloseTo(0.015 * 730 + 2, 9);
    expect(idleCostMonth(PROD, nothing)).toBeCloseTo(0.04 * 730 + 2, 9);
    const watching = { alarmMetrics: 12, compositeAlarms: 2, dashboards: 5, closes: false };
    expect(idleCostMonth(DEV, watching)).toBeCloseTo(0.015 * 730 + 2 + 1.2 + 1 + 6, 9);
    const wide = { ...DEV, stream: { type: 'provisioned', shards: 4 } } as const;
    expect(idleCostMonth(wide, nothing) - idleCostMonth(DEV, nothing)).toBeCloseTo(
      3 * 0.015 * 730,
      9,
    );
  });

  it('costs some cents more where a closer looks each minute', () => {
    const more = idleCostMonth(DEV, { ...nothing, closes: true }) - idleCostMonth(DEV, nothing);
    expect(more).toBeGreaterThan(0.1);
    expect(more).toBeLessThan(0.5);
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

/** As if a template were deployed: each resource and export stands for its own name. */
function deployedAs(template: Template) {
  const ids = Object.keys(template.Resources ?? {});
  const imports = [...JSON.stringify(template).matchAll(/"Fn::ImportValue":"([^"]+)"/g)];
  return {
    physicalIds: new Map(ids.map((id) => [id, id])),
    exports: new Map(imports.map(([, name = '']) => [name, name])),
    account: '1',
    region: 'eu-west-1',
  };
}

/** Alarms and dashboards of a pipeline, as the stack has them. */
async function observed(environment = DEV) {
  const { compute } = await synth(environment);
  const template: Template = compute.toJSON();
  const resolve = (value: unknown) => resolveReferences(value, template, deployedAs(template));
  const alarms = Object.values(ALARM_TYPES).flatMap((type) =>
    Object.values(resourcesOf(compute, type)).map(({ Properties }) =>
      readAlarm(type, resolve(Properties) as object),
    ),
  );
  const dashboards = new Map(
    Object.values(resourcesOf(compute, 'AWS::CloudWatch::Dashboard')).map(({ Properties }) => [
      String(Properties.DashboardName),
      readDashboard(String(resolve(Properties.DashboardBody))),
    ]),
  );
  return { alarms, dashboards };
}

/** What is watched, without ids and labels. */
function watched({ queries, watches }: Pick<MetricAlarm, 'queries' | 'watches'>): string {
  const query = queries.find(({ id }) => id === watches);
  return query?.type === 'expression'
    ? query.expression
    : JSON.stringify([query?.metric, query?.statistic]);
}

type Graph = Extract<Widget, { type: 'graph' }>;

const graphsOf = (widgets: readonly Widget[]) =>
  widgets.filter((widget): widget is Graph => widget.type === 'graph');

describe('what is watched', () => {
  it('is written by the functions under the very same names', async () => {
    const { alarms } = await observed(PROD);
    const names = new Set<string>(Object.values(METRICS));
    const own = alarms.flatMap((alarm) =>
      alarm.type === 'composite'
        ? []
        : alarm.queries.filter(
            (query) => query.type === 'metric' && query.metric.namespace === 'Millrace',
          ),
    );

    expect(own.length).toBeGreaterThan(4);
    for (const query of own) {
      if (query.type !== 'metric') continue;
      expect(names.has(query.metric.name), query.metric.name).toBe(true);
      expect(query.metric.dimensions).toEqual({ service: 'flights-prod' });
    }
  });

  it('misses data as fits: silence is bad of the stream’s age, good of errors', async () => {
    const { alarms } = await observed(PROD);
    const missing = (id: string) => {
      const alarm = alarms.find(({ name }) => name === `flights-prod-${id}`);
      return alarm?.type === 'metric' ? alarm.missing : undefined;
    };
    expect([missing('IteratorAge'), missing('NoEvents')]).toEqual(['breaching', 'breaching']);
    const quiet = ['Errors', 'Latency', 'ArchiveAge', 'ArchiveGaps'];
    expect(quiet.map(missing)).toEqual(quiet.map(() => 'notBreaching'));
  });

  it('of an alarm stands on a dashboard, with its threshold on the same graph', async () => {
    const { alarms, dashboards } = await observed(PROD);
    const graphs = [...dashboards.values()].flatMap(graphsOf);

    for (const alarm of alarms) {
      if (alarm.type === 'composite') continue;
      const id = alarm.name.replace('flights-prod-', '');
      const shows = graphs.filter(({ thresholds }) =>
        thresholds.some(({ label, value }) => label === id && value === alarm.threshold),
      );
      expect(shows.length, id).toBeGreaterThan(0);
      for (const { queries, lines } of shows) {
        const visible = queries.filter((_, index) => lines[index]?.visible);
        const shown = visible.map((query) => watched({ queries, watches: query.id }));
        expect(shown, id).toContain(watched(alarm));
      }
    }
  });

  it('tells in its message what, how bad, what to do, and where to look', async () => {
    const { alarms, dashboards } = await observed({
      ...DEV,
      alarms: { ...DEV.alarms, runbook: 'https://example.com/RUNBOOK.md' },
    });
    const told = alarms.filter(({ actions }) => actions.ALARM.length > 0);
    expect(told.length).toBeGreaterThan(6);
    for (const { name, description } of told) {
      const [what, bad, todo, look] = description.split('\n');
      const id = name.replace('flights-dev-', '');
      expect(what).toMatch(/^flights-dev: .+\.$/);
      expect(bad).toMatch(/^[A-Z].+\.$/);
      expect(todo).toBe(`What to do: https://example.com/RUNBOOK.md#${id.toLowerCase()}`);
      const dashboard = /#dashboards\/dashboard\/(.+)$/.exec(look ?? '')?.[1] ?? '';
      expect(dashboards.has(dashboard), look).toBe(true);
      // CloudWatch takes 1,024 characters, and names of ASCII only.
      expect(description.length).toBeLessThanOrEqual(1_024);
      expect(description).toMatch(/^[\x20-\x7e\n]+$/);
    }
  });

  it('is told once: an alarm that another one speaks for tells nobody', async () => {
    const { alarms } = await observed();
    const silent = new Set(COMPOSITES.flatMap(({ anyOf }) => anyOf));
    const helpers = new Set(COMPOSITES.map(({ id }) => `${id}Cause`));
    expect(silent.size).toBeGreaterThan(1);
    for (const { name, actions } of alarms) {
      const id = name.replace('flights-dev-', '');
      const expected = silent.has(id) || helpers.has(id) ? 0 : 1;
      expect([id, actions.ALARM.length, actions.OK.length]).toEqual([id, expected, expected]);
    }
  });
});

describe('dashboards', () => {
  it('are one overview and one a layer, or the overview alone', async () => {
    const names = Object.keys(GRAPHS).map((layer) => `flights-dev-${layer}`);
    expect([...(await observed()).dashboards.keys()].sort()).toEqual(
      ['flights-dev', ...names].sort(),
    );
    const { alarms, dashboards } = await observed({ ...DEV, dashboards: 'overview' });
    expect([...dashboards.keys()]).toEqual(['flights-dev']);
    expect(alarms.find(({ name }) => name === 'flights-dev-Errors')?.description).toMatch(
      /flights-dev$/,
    );
  });

  it('show every metric that is defined', () => {
    // Held by the compiler: a metric that is in no graph stands in its message.
    expectTypeOf<Exclude<MetricId, ShownMetric>>().toBeNever();
  });

  it('say what to look for, graph by graph', async () => {
    const { dashboards } = await observed();
    for (const widgets of dashboards.values()) {
      const texts = widgets.flatMap((widget) => (widget.type === 'text' ? [widget.markdown] : []));
      for (const { title } of graphsOf(widgets)) expect(texts.join('\n')).toContain(`**${title}**`);
    }
  });

  it('leave out what is of an archive where there is none', async () => {
    const { alarms, dashboards } = await observed({ ...DEV, archive: false });
    const own = /Archiver|TimeToArchive|ArchiveGaps/;
    expect(own.test(JSON.stringify([alarms, ...dashboards.values()]))).toBe(false);
    expect(own.test(JSON.stringify([...(await observed()).dashboards.values()]))).toBe(true);
  });

  it('have widgets that don’t overlap, within 24 columns', async () => {
    for (const widgets of (await observed()).dashboards.values()) {
      const taken = new Set<string>();
      for (const { x, y, width, height } of widgets) {
        expect(x + width).toBeLessThanOrEqual(24);
        for (let column = x; column < x + width; column += 1) {
          for (let row = y; row < y + height; row += 1) {
            expect(taken.has(`${column} ${row}`)).toBe(false);
            taken.add(`${column} ${row}`);
          }
        }
      }
    }
  });

  it('compute every expression, also where there is no data', async () => {
    const { dashboards } = await observed(PROD);
    const periods = { endMs: 60_000, lengthMs: 60_000, count: 1 };
    for (const { queries } of [...dashboards.values()].flatMap(graphsOf)) {
      const source = { store: new MetricStore(), periods, periodSeconds: 60 };
      expect(() => runQueries(queries, source)).not.toThrow();
    }
  });
});

describe('the cost', () => {
  /** One minute: 1,000,000 records of 200 bytes, 1,000 calls of 200 ms, units and logs as given. */
  async function costs(environment: typeof DEV) {
    const { dashboards } = await observed(environment);
    const graph = graphsOf(dashboards.get(`flights-${environment.name}`) ?? []).find(
      ({ view, title }) => view === 'timeSeries' && title === 'What does it cost?',
    );
    const store = new MetricStore();
    const amounts: Readonly<Record<string, readonly number[]>> = {
      IncomingRecords: [1e6],
      IncomingBytes: [2e8],
      Invocations: [1_000],
      Duration: Array.from({ length: 1_000 }, () => 200),
      ConsumedWriteCapacityUnits: [20_000],
      ConsumedReadCapacityUnits: [2_000],
      IncomingBytesOfLogs: [1e6],
    };
    for (const query of graph?.queries ?? []) {
      if (query.type !== 'metric' || store.has(query.metric)) continue;
      const { namespace, name } = query.metric;
      const values = amounts[namespace === 'AWS/Logs' ? `${name}OfLogs` : name] ?? [];
      store.add({ ...query.metric, values, atMs: 0 });
    }
    const periods = { endMs: 60_000, lengthMs: 60_000, count: 1 };
    const results = runQueries(graph?.queries ?? [], { store, periods, periodSeconds: 60 });
    return Object.fromEntries(
      (graph?.lines ?? [])
        .filter(({ visible }) => visible)
        .map(({ id, label }) => [label, results.get(id)?.[0] ?? Number.NaN]),
    );
  }

  it('of an hour is what the services bill, by hand', async () => {
    const dev = await costs(DEV);
    expect(dev.stream).toBeCloseTo(0.015 + 60 * 0.014, 9);
    expect(dev.function).toBeCloseTo(60 * (200 * 0.0000133334 + 1_000 * 0.2e-6), 9);
    expect(dev.tables).toBeCloseTo(60 * (4 * 20_000 * 0.625e-6 + 2 * 2_000 * 0.125e-6), 9);
    const { memoryMb } = DEV.archive as ArchiveConfig;
    const archiver = 200 * (memoryMb / 1024) * 0.0000133334 + 1_000 * (0.2e-6 + 5e-6);
    expect(dev.archive).toBeCloseTo(60 * archiver, 9);
    expect(dev.logs).toBeCloseTo((60 * 2 * 1e6 * 0.5) / 2 ** 30, 9);
  });

  it('of a stream on demand rounds records up to 1 KB, for each of its readers', async () => {
    const { stream } = await costs(PROD);
    expect(stream).toBeCloseTo(0.04 + (60 * 1024e6 * 0.16) / 2 ** 30, 6);
    const alone = await costs({ ...PROD, archive: false });
    expect(alone.stream).toBeCloseTo(0.04 + (60 * 1024e6 * 0.12) / 2 ** 30, 6);
    expect(alone).not.toHaveProperty('archive');
  });
});

describe('webhooks', () => {
  const check = (url: string) => () => {
    const environment = { ...DEV, alarms: { ...DEV.alarms, webhooks: [url] } };
    const retention = { streamMs: 1, archiveMs: null };
    const settings = { partitions: 8, horizonMs: 1, retention, closing: null };
    const program = { name: 'x', aggregates: [], settings } as never;
    checkSettings({ program, environment, latencyP99Ms: 10_000 });
  };

  it.each(['https://example.com/hook', 'http://127.0.0.1:8080/', 'http://localhost/x'])(
    '%s is taken',
    (url) => {
      expect(check(url)).not.toThrow();
    },
  );

  it.each(['http://example.com/hook', 'http://127.0.0.1.example.com', 'ftp://localhost', 'hook'])(
    '%s is refused',
    (url) => {
      expect(check(url)).toThrow('webhooks are encrypted on their way');
    },
  );

  it('subscribe to the topic of the alarms', async () => {
    const webhooks = ['https://example.com/hook'];
    const { compute } = await synth({ ...DEV, alarms: { ...DEV.alarms, webhooks } });
    compute.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'https',
      Endpoint: webhooks[0],
    });
  });
});
