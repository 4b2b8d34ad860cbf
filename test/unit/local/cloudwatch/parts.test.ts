import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import type { MetricAlarm } from '../../../../src/cloudwatch/alarm.ts';
import type { Transition } from '../../../../src/cloudwatch/alarm-book.ts';
import { MetricStore } from '../../../../src/cloudwatch/metric-store.ts';
import { AlarmHistory } from '../../../../src/local/cloudwatch/alarm-history.ts';
import { LogReader } from '../../../../src/local/cloudwatch/log-reader.ts';
import { renderNotification } from '../../../../src/local/cloudwatch/render.ts';
import { serviceMetrics, unitsOf } from '../../../../src/local/cloudwatch/service-metrics.ts';
import { stallMapping, stallRate } from '../../../../src/local/stall.ts';

interface LogEvent {
  readonly logStreamName: string;
  readonly eventId?: string;
  readonly timestamp: number;
  readonly message: string;
}

/** Logs that grow: each read sees the events of its round that are not before its start. */
function logsOf(...rounds: readonly (readonly LogEvent[])[]) {
  const starts: number[] = [];
  let round = -1;
  const send = async (command: unknown) => {
    if (!(command instanceof FilterLogEventsCommand)) throw new Error('another command');
    const { startTime = 0, nextToken } = command.input;
    if (nextToken === undefined) {
      round += 1;
      starts.push(startTime);
    }
    const events = (rounds[round] ?? []).filter(({ timestamp }) => timestamp >= startTime);
    const half = Math.ceil(events.length / 2);
    return nextToken === undefined
      ? { events: events.slice(0, half), nextToken: 'more' }
      : { events: events.slice(half) };
  };
  return { client: { send } as never, starts };
}

const event = (timestamp: number, message: string, over: Partial<LogEvent> = {}): LogEvent => ({
  logStreamName: 's',
  timestamp,
  message,
  ...over,
});

describe('a reader of logs', () => {
  const read = async (...rounds: readonly (readonly LogEvent[])[]) => {
    const lines: string[] = [];
    const logs = logsOf(...rounds);
    const onLine = (_group: string, line: string) => lines.push(line);
    const reader = new LogReader({ client: logs.client, groups: ['g'], sinceMs: 1_000, onLine });
    for (const _ of rounds) await reader.read();
    return { lines, starts: logs.starts };
  };

  it('gives each line once, page by page, however often it looks', async () => {
    const all = [event(1_000, 'a'), event(1_001, 'b'), event(1_002, 'c')];
    expect((await read(all.slice(0, 2), all, all)).lines).toEqual(['a', 'b', 'c']);
  });

  it('gives lines that come late, and none of before its start', async () => {
    const late = [event(1_500, 'late'), event(20_000, 'b'), event(900, 'before')];
    const { lines } = await read([event(10_000, 'a')], [event(10_000, 'a'), ...late]);
    expect(lines.sort()).toEqual(['a', 'b', 'late']);
  });

  it('tells equal lines apart by their ids, or their streams', async () => {
    const ids = [event(1_000, 'a', { eventId: '1' }), event(1_000, 'a', { eventId: '2' })];
    const streams = [event(1_000, 'b'), event(1_000, 'b', { logStreamName: 't' })];
    expect((await read([...ids, ...streams])).lines).toEqual(['a', 'a', 'b', 'b']);
  });

  it('does not look further and further back', async () => {
    const { starts } = await read([event(100_000, 'a')], [], []);
    expect(starts).toEqual([1_000, 85_000, 85_000]);
  });
});

describe('the metrics of the services', () => {
  const metrics = serviceMetrics({ streamName: 's', functionName: 'f', mappingId: 'm' });
  const valuesOf = (data: ReturnType<typeof metrics.polled>) =>
    Object.fromEntries(data.map(({ name, values }) => [name, values[0]]));
  const call = { startedMs: 1_000, endedMs: 1_250, newestArrivalMs: 400 };

  it('of a call are those of Lambda', () => {
    expect(valuesOf(metrics.called({ ...call, outcome: 'failed' }))).toEqual({
      Invocations: 1,
      Errors: 1,
      Throttles: 0,
      Duration: 250,
      IteratorAge: 600,
    });
    expect(valuesOf(metrics.called({ ...call, outcome: 'answered' }))).toMatchObject({ Errors: 0 });
  });

  it('of a call that was refused are neither an invocation nor an error', () => {
    expect(valuesOf(metrics.called({ ...call, outcome: 'not-invoked' }))).toEqual({ Throttles: 1 });
  });

  it('of the stream say what it took and refused, and how old the oldest record is', () => {
    const [records] = metrics.put(10, 500, 2, 0);
    expect(records).toMatchObject({ namespace: 'AWS/Kinesis', dimensions: { StreamName: 's' } });
    expect(valuesOf(metrics.put(10, 500, 2, 0))).toEqual({
      IncomingRecords: 10,
      IncomingBytes: 500,
      WriteProvisionedThroughputExceeded: 2,
    });
    expect(valuesOf(metrics.polled(70, 0))).toEqual({ 'GetRecords.IteratorAgeMilliseconds': 70 });
  });

  it('of a log line are its bytes, as CloudWatch counts them', () => {
    expect(valuesOf(metrics.logged('g', 'é', 0))).toEqual({ IncomingBytes: 28 });
  });

  it('of the tables are read from the line of a batch', () => {
    const store = new MetricStore();
    const line = JSON.stringify({ message: 'batch', units: { t: { read: 1, write: 20 } } });
    for (const datum of unitsOf(`2026 INFO ${line}`, 0)) store.add(datum);
    const metric = { namespace: 'AWS/DynamoDB', dimensions: { TableName: 't' } };
    const sum = (name: string) =>
      store.series({ ...metric, name }, 'Sum', { endMs: 1, lengthMs: 1, count: 1 })[0];
    expect([sum('ConsumedReadCapacityUnits'), sum('ConsumedWriteCapacityUnits')]).toEqual([1, 20]);
    expect(unitsOf('the word "units" alone', 0)).toEqual([]);
    expect(unitsOf('{"units":', 0)).toEqual([]);
  });
});

const alarm = { type: 'metric', name: 'a' } as MetricAlarm;

const transition = (to: Transition['to'], atMs: number): Transition => ({
  alarm,
  from: 'OK',
  to,
  reason: 'because',
  atMs,
  children: [],
});

const notification = {
  alarm: 'a',
  state: 'ALARM',
  before: 'OK',
  description:
    'x-dev: it is late.\nNothing is lost.\nWhat to do: docs/RUNBOOK.md#a\nDashboard x-dev-storage: https://console.aws.amazon.com/cloudwatch/home',
  sinceMs: Date.UTC(2026, 10, 25, 12, 0, 0),
  reason: '2 out of the last 3 datapoints were greater than the threshold (1.0)',
};

describe('the history of alarms', () => {
  it('has each time that an alarm was on, and what was told of it', () => {
    const history = new AlarmHistory();
    history.changed(transition('OK', 1));
    history.changed(transition('ALARM', 2));
    history.notified(notification);
    expect(history.on()).toEqual(['a']);
    history.changed(transition('INSUFFICIENT_DATA', 5));
    history.changed(transition('ALARM', 7));
    history.changed(transition('OK', 9));

    expect(history.on()).toEqual([]);
    expect(history.all()).toMatchObject([
      { alarm: 'a', raisedMs: 2, clearedMs: 5, notifications: [notification] },
      { alarm: 'a', raisedMs: 7, clearedMs: 9, notifications: [] },
    ]);
  });
});

describe('a notification in the terminal', () => {
  const nowMs = notification.sinceMs + 9_000;

  it('says what, since when, how bad, what to do, and where to look', () => {
    const text = renderNotification(notification, { nowMs, pageUrl: 'http://127.0.0.1:1/' }) ?? '';
    expect(text).toContain('ALARM a');
    expect(text).toContain('since 12:00:00 UTC, 9 s ago');
    expect(text).toContain('x-dev: it is late.');
    expect(text).toContain('Nothing is lost.');
    expect(text).toContain('docs/RUNBOOK.md#a');
    expect(text).toContain('Dashboard x-dev-storage: http://127.0.0.1:1/#x-dev-storage');
    expect(text).toContain('greater than the threshold (1.0)');
  });

  it('of a deployment’s dashboard links to no account of AWS', () => {
    const text = renderNotification(notification, { nowMs, pageUrl: undefined });
    expect(text).not.toContain('console.aws');
    expect(text).toContain('npm start -- --keep');
  });

  it('that an alarm is over is short, and that one began in order is left out', () => {
    const over = { ...notification, state: 'OK', before: 'ALARM' };
    expect(renderNotification(over, { nowMs, pageUrl: undefined })).toContain('over: x-dev');
    const began = { ...over, before: 'INSUFFICIENT_DATA' };
    expect(renderNotification(began, { nowMs, pageUrl: undefined })).toBeUndefined();
  });
});

describe('a stall', () => {
  it('stops the mapping, lets it go on, and says both', async () => {
    const said: string[] = [];
    const driver = { pause: () => said.push('pause'), resume: () => said.push('resume') };
    const signal = new AbortController().signal;
    await stallMapping({
      driver,
      seconds: 0.02,
      signal,
      onChange: (text) => said.push(text),
    });
    expect(said).toEqual([
      'pause',
      'the mapping stops for 0.02 s (--stall)',
      'resume',
      'the mapping goes on',
    ]);
  });

  it('that is interrupted lets the mapping go on', async () => {
    const said: string[] = [];
    const stop = new AbortController();
    const driver = {
      pause: () => {
        said.push('pause');
        stop.abort();
      },
      resume: () => said.push('resume'),
    };
    const stalling = stallMapping({
      driver,
      seconds: 0.02,
      signal: stop.signal,
      onChange: () => undefined,
    });
    await expect(stalling).rejects.toThrow();
    expect(said).toEqual(['pause', 'resume']);
  });

  it('has events before, within and after it', () => {
    expect(stallRate(50_000, 120)).toBe(238);
    expect(stallRate(1, 3_600)).toBe(1);
  });
});
