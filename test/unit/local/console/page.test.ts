import { describe, expect, it } from 'vitest';
import type { Widget } from '../../../../src/cloudwatch/dashboard.ts';
import { MetricStore } from '../../../../src/cloudwatch/metric-store.ts';
import { pageData, pagePeriods } from '../../../../src/local/console/page-data.ts';
import { servePage } from '../../../../src/local/console/page-server.ts';

const metric = { namespace: 'N', name: 'm', dimensions: {} };
const place = { x: 0, y: 0, width: 8, height: 6 };

const graph: Widget = {
  ...place,
  type: 'graph',
  title: 't',
  view: 'timeSeries',
  stacked: false,
  unit: 'ms',
  queries: [
    { type: 'metric', id: 'm', metric, statistic: 'Sum' },
    { type: 'expression', id: 'e', expression: 'm / PERIOD(m)' },
  ],
  lines: [
    { id: 'm', label: 'hidden', visible: false },
    { id: 'e', label: 'a second', visible: true },
  ],
  thresholds: [{ label: 'Late', value: 5 }],
};

function sourceWith(store: MetricStore) {
  return {
    store,
    dashboards: new Map<string, readonly Widget[]>([
      ['x-dev-storage', [graph]],
      [
        'x-dev',
        [
          { ...place, type: 'text', markdown: '# x' },
          { ...place, type: 'alarms', title: 'a', alarms: ['x-dev-Late'] },
        ],
      ],
      ['x-dev-ingestion', []],
    ]),
    alarmMinuteMs: 3_000,
    minuteMs: 3_000,
    alarm: (name: string) => ({
      name,
      state: 'ALARM' as const,
      sinceMs: 7,
      description: 'd',
      reason: 'r',
    }),
  };
}

describe('the data of the page', () => {
  const periods = { endMs: 6_000, lengthMs: 2_000, count: 3 };

  it('has a dashboard’s visible lines, computed with the length of its own periods', () => {
    const store = new MetricStore();
    store.add({ ...metric, values: [10], atMs: 2_500 });
    const data = pageData(sourceWith(store), 'x-dev-storage', { periods, running: true });
    expect(data).toMatchObject({ name: 'x-dev-storage', times: [2, 4, 6], periodSeconds: 2 });
    expect(data.widgets).toMatchObject([
      {
        title: 't',
        lines: [{ label: 'a second', points: [null, 5, null] }],
        thresholds: [{ label: 'Late', value: 5 }],
      },
    ]);
  });

  it('begins with the overview, and shows it for a name that is none', () => {
    const data = pageData(sourceWith(new MetricStore()), '', { periods, running: false });
    expect(data.dashboards).toEqual(['x-dev', 'x-dev-storage', 'x-dev-ingestion']);
    expect(data).toMatchObject({ name: 'x-dev', running: false, alarmMinuteSeconds: 3 });
    expect(data.widgets[1]).toMatchObject({ alarms: [{ name: 'x-dev-Late', state: 'ALARM' }] });
  });

  it.each([
    [0, 10, 2, 30],
    [0, 300, 2, 150],
    [0, 301, 5, 61],
    [0, 7_200, 60, 120],
  ])('from %i s to %i s has points of %i s', (startSeconds, endSeconds, lengthSeconds, count) => {
    const found = pagePeriods(startSeconds * 1_000, endSeconds * 1_000);
    expect(found).toMatchObject({ lengthMs: lengthSeconds * 1_000, count });
    expect(found.endMs).toBeLessThanOrEqual(endSeconds * 1_000);
  });
});

describe('the page’s server', () => {
  const { dashboards, store, minuteMs } = sourceWith(new MetricStore());
  const bridge = {
    store,
    minuteMs,
    observed: { dashboards, alarms: [], logGroups: [], account: '1', region: 'r' },
    stateOf: () => ({ state: undefined, last: undefined }),
  };

  it('serves page, script, style and data on the loopback interface, and nothing else', async () => {
    const page = await servePage(bridge);
    const get = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(new URL(path, page.url), init);
      return { status: answer.status, text: await answer.text(), headers: answer.headers };
    };
    try {
      const html = await get('/');
      expect(html.text).toContain('<script type="module" src="/main.js">');
      expect(html.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect((await get('/main.js')).text).toContain('data.json');
      expect((await get('/style.css')).text).toContain('prefers-color-scheme: dark');
      const data = await get('/data.json?dashboard=x-dev');
      expect(JSON.parse(data.text)).toMatchObject({ name: 'x-dev', running: true });
      page.end();
      expect(JSON.parse((await get('/data.json')).text)).toMatchObject({ running: false });
      expect((await get('/package.json')).status).toBe(404);
      expect((await get('/', { method: 'POST' })).status).toBe(403);
    } finally {
      await page.close();
    }
    await expect(get('/')).rejects.toThrow();
  });

  it('answers to no other name: a website can’t read it through its own', async () => {
    const page = await servePage(bridge);
    const { connect } = await import('node:net');
    const { port } = new URL(page.url);
    try {
      const status = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () =>
          socket.write(
            'GET /data.json HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
          ),
        );
        socket.on('data', (data) => resolve(String(data).split('\r\n')[0] ?? ''));
        socket.on('error', reject);
      });
      expect(status).toContain('403');
    } finally {
      await page.close();
    }
  });
});
