import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareResults } from '../../../src/batch/compare.ts';
import { localEnvironment } from '../../../src/local/child.ts';
import { checkAnswers, checkEndpoint, isLoopback } from '../../../src/local/endpoint.ts';
import { readHistory, writeHistory } from '../../../src/local/history.ts';
import { isEqual, renderResult, resultObject } from '../../../src/local/report.ts';
import { takeRunLock } from '../../../src/local/run-lock.ts';
import type { RunResult } from '../../../src/local/run-types.ts';
import { renderStatus, statusLine, topRows } from '../../../src/local/status.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-parts-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('endpoints', () => {
  it.each(['127.0.0.1', '127.9.9.9', '[::1]', 'localhost', 's3.localhost'])(
    '%s is local',
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );

  it.each(['10.0.0.1', 'localhost.example.com', '127.0.0.1.nip.io', 'amazonaws.com', '[::2]'])(
    '%s is not local, and refused unless asked for',
    (host) => {
      expect(isLoopback(host)).toBe(false);
      expect(() => checkEndpoint(`http://${host}:4566`, false)).toThrow('not on this machine');
      expect(checkEndpoint(`http://${host}:4566`, true)).toBe(`http://${host}:4566`);
    },
  );

  it.each(['4566', 'file:///x', ''])('%j is no endpoint', (text) => {
    expect(() => checkEndpoint(text, true)).toThrow('not usable');
  });

  it('where nothing answers is said in three lines', async () => {
    const check = checkAnswers('http://127.0.0.1:1', new AbortController().signal);
    await expect(check).rejects.toMatchObject({
      exitCode: 4,
      next: expect.stringContaining('unset'),
    });
  });
});

it('no setting or credential of AWS reaches a child, but the fake ones', () => {
  process.env.AWS_PROFILE = 'production';
  process.env.AWS_SESSION_TOKEN = 'secret';
  const environment = localEnvironment({ X: '1' });
  delete process.env.AWS_PROFILE;
  delete process.env.AWS_SESSION_TOKEN;

  expect(environment).toMatchObject({ AWS_ACCESS_KEY_ID: 'test', X: '1' });
  expect(environment).not.toHaveProperty('AWS_PROFILE');
  expect(environment).not.toHaveProperty('AWS_SESSION_TOKEN');
});

it('a proxy for the world is never between a child and loopback', () => {
  const before = process.env.NO_PROXY;
  process.env.NO_PROXY = 'example.com';
  const environment = localEnvironment();
  if (before === undefined) delete process.env.NO_PROXY;
  else process.env.NO_PROXY = before;

  for (const list of [environment.NO_PROXY, environment.no_proxy]) {
    expect(list?.split(',')).toEqual(expect.arrayContaining(['127.0.0.1', '::1', 'example.com']));
  }
});

describe('the lock of a run', () => {
  const file = path.join(directory, 'run.pid');

  it('is refused while another run lives', async () => {
    const forever = ['-e', 'setInterval(() => undefined, 1000)', 'millrace'];
    const other = spawn(process.execPath, forever, { stdio: 'ignore' });
    try {
      await once(other, 'spawn');
      writeFileSync(file, String(other.pid));
      expect(() => takeRunLock(directory)).toThrow('Another local run is in progress');
    } finally {
      other.kill('SIGKILL');
    }
  });

  it.each([
    ['is gone', '999999999'],
    ['was killed while it wrote its own', ''],
  ])('is taken over from a run that %s', (_what, left) => {
    writeFileSync(file, left);
    takeRunLock(directory)();
    expect(existsSync(file)).toBe(false);
  });

  it.runIf(existsSync('/proc/1/cmdline'))('is taken over from what has its id by now', () => {
    writeFileSync(file, '1');
    expect(() => takeRunLock(directory)()).not.toThrow();
  });
});

it('the history of a stream is read as it was written, and empty for a new one', () => {
  const history = { runs: [], checkpoints: { 'shardId-000000000000': '7' } };
  writeHistory(directory, 'e1', history);
  expect(readHistory(directory, 'e1')).toEqual(history);
  expect(readHistory(directory, 'e2')).toEqual({ runs: [], checkpoints: {} });
});

describe('the comparison', () => {
  const rows = (total: unknown) => new Map([['w 2026 ["a"]', { total }]]);
  const computed = {
    rows: rows(0.3),
    accepted: 1,
    repeats: 0,
    refused: new Map(),
    doubts: new Map(),
  };

  it.each([
    ['a bit of a number', rows(0.1 + 0.2)],
    ['a sign of zero', rows(-0)],
    ['a missing row', new Map()],
    ['one row too many', new Map([...rows(0.3), ['w 2026 ["b"]', { total: 1 }]])],
    ['a missing column', new Map([['w 2026 ["a"]', {}]])],
  ])('finds %s', (_name, stored) => {
    expect(compareResults({ rows: stored, refused: new Map() }, computed).differences).toHaveLength(
      1,
    );
  });

  it.each([
    ['a digit deep inside', [{ key: 'a', weight: 0.1 + 0.2 }]],
    [
      'another order',
      [
        { key: 'b', weight: 1 },
        { key: 'a', weight: 0.3 },
      ],
    ],
    ['a field too many', [{ key: 'a', weight: 0.3, more: 1 }]],
    ['a missing entry', []],
    ['an object for a list', { 0: { key: 'a', weight: 0.3 } }],
    ['null', null],
  ])('finds %s of lists and objects', (_name, total) => {
    const right = { ...computed, rows: rows([{ weight: 0.3, key: 'a' }]) };
    const compare = (value: unknown) =>
      compareResults({ rows: rows(value), refused: new Map() }, right).differences;
    expect(compare(total)).toHaveLength(1);
    expect(compare([{ key: 'a', weight: 0.3 }])).toEqual([]);
  });

  it('counts as a difference what is too far from the exact result', () => {
    const doubts = new Map([['w 2026 ["a"] total', 'p50 is 9, expected 5']]);
    const { differences } = compareResults(
      { rows: rows(0.3), refused: new Map() },
      { ...computed, doubts },
    );
    expect(differences).toEqual([
      { where: 'w 2026 ["a"] total', stored: 'a sketch', computed: 'p50 is 9, expected 5' },
    ]);
  });

  it('finds a record that is missing in quarantine', () => {
    const refused = new Map([['late', 2]] as const);
    const { differences } = compareResults(
      { rows: rows(0.3), refused: new Map() },
      { ...computed, refused },
    );
    expect(differences).toEqual([{ where: 'quarantine late', stored: 0, computed: 2 }]);
  });

  it('finds nothing where all is equal', () => {
    expect(compareResults({ rows: rows(0.3), refused: new Map() }, computed)).toEqual({
      cells: 1,
      differences: [],
    });
  });
});

describe('what is shown', () => {
  const row = (group: string, flights: number) => ({
    startMs: 0,
    endMs: 3_600_000,
    group: [group],
    columns: { flights, mean: 1.234 },
  });
  const status = {
    sent: 2_000,
    total: 4_000,
    processed: 1_000,
    quarantined: 5,
    lagMs: 1_540,
    rate: 499.6,
    top: {
      window: 'origins',
      startMs: Date.UTC(2026, 10, 24, 12),
      by: ['origin'],
      rows: topRows([row('ATL', 3), row('ORD', 9)]),
      groups: 2,
    },
    alarms: [],
    fed: [{ pipeline: 'delays', processed: 1_200 }],
  };

  it('a line tells events in, processed, quarantined and lag', () => {
    expect(statusLine(status)).toBe(
      'in 2,000 · processed 1,000 (500/s) · quarantined 5 · lag 1.5 s · delays 1,200',
    );
  });

  it('the table tells of a closed window which rows still change', () => {
    const [first] = status.top === undefined ? [] : [status.top];
    if (first === undefined) throw new Error('no table');
    const text = renderStatus({ ...status, top: { ...first, states: ['closed', 'open'] } });
    expect(text).toMatch(/ORD.*closed/);
    expect(text).toMatch(/ATL.*open/);
    expect(renderStatus(status)).not.toContain('state');
  });

  it('the table has the largest group first', () => {
    const text = renderStatus(status);
    expect(text).toContain('25 %');
    expect(text).toContain('origins of 2026-11-24 12:00 UTC: 2 of 2 groups');
    expect(text.indexOf('ORD')).toBeLessThan(text.indexOf('ATL'));
    expect(text).toContain('1.23');
  });

  const result = (
    differences: RunResult['comparison']['differences'],
    afterwards: RunResult['afterwards'] = 'stopped',
    archive?: RunResult['archive'],
  ): RunResult => ({
    afterwards,
    pipeline: 'flights',
    run: 'r',
    endpoint: 'http://127.0.0.1:1',
    sent: 10,
    seconds: 1.5,
    computed: {
      rows: new Map(),
      accepted: 8,
      repeats: 1,
      refused: new Map([['late', 1]]),
      doubts: new Map(),
      derived: [],
    },
    runs: 1,
    mapping: {
      read: 10,
      processed: 10,
      dropped: 0,
      givenUp: 0,
      invocations: 1,
      troubled: 0,
      lastFailure: undefined,
      lagMs: 0,
    },
    comparison: { cells: 3, differences },
    archive,
    closing: undefined,
    stages: [],
    alarms: [
      { alarm: 'x-Late', raisedMs: 0, clearedMs: 9_000, reason: 'r', notifications: [] },
      { alarm: 'x-Bad', raisedMs: 0, clearedMs: undefined, reason: 'r', notifications: [] },
    ],
    alarmSpeed: 20,
    page: undefined,
    cloud: { deployment: { aggregatesTable: 'T' } as RunResult['cloud']['deployment'] },
  });

  it('the end says equal, or where not', () => {
    expect(renderResult(result([]))).toContain('3 cells equal a batch computation');
    const different = [{ where: 'origins x flights', stored: 1, computed: 2 }];
    expect(renderResult(result(different))).toContain('origins x flights: stored 1, computed 2');
  });

  it.each([
    ['stopped', false, 'npm start -- --keep'],
    ['kept', true, 'npm start (without --keep) stops it'],
    ['given', true, 'export AWS_ENDPOINT_URL=http://127.0.0.1:1 '],
  ] as const)('the end of a cloud that is %s says where to look', (afterwards, isUp, says) => {
    const text = renderResult(result([], afterwards));
    expect(text.includes('still up at http://127.0.0.1:1')).toBe(isUp);
    expect(text).toContain(says);
    expect(text.includes('(without --keep)')).toBe(afterwards === 'kept');
  });

  it('the end says that the archive equals what was sent, or where not', () => {
    const where = 's3://bucket/archive/v1/';
    const equal = { where, records: 1_234, objects: 5, gaps: [], differences: [], equal: true };
    expect(renderResult(result([], 'kept', equal))).toContain(`aws s3 ls --recursive ${where}`);
    expect(renderResult(result([], 'stopped', equal))).toContain(
      `1,234 archived records equal what was sent, byte for byte, in 5 objects below ${where}`,
    );
    const block = { first: '7', last: '9', count: 3, digest: 'x' };
    const text = renderResult(
      result([], 'stopped', {
        ...equal,
        equal: false,
        gaps: [{ shard: 2, after: '7', until: '9', certain: true }],
        differences: [{ shard: 'shardId-2', equal: 1_000, sent: block, archived: undefined }],
      }),
    );
    expect(text).toContain(`the archive below ${where} differs from what was sent`);
    expect(text).toContain('shard 2: a gap after 7, up to 9');
    expect(text).toContain(
      'shardId-2: 1,000 records are equal, then sent 3 records from 7 to 9, archived nothing',
    );
    expect(resultObject(result([], 'stopped', equal))).toMatchObject({ archive: equal });
    expect(resultObject(result([]))).toMatchObject({ archive: null });
  });

  it('the end says of each pipeline that was fed what came to it, and whether it is right', () => {
    const { computed, mapping } = result([]);
    const stage = (differences: RunResult['comparison']['differences']) => ({
      pipeline: 'delays',
      events: 1_500,
      copies: 2,
      computed,
      mapping,
      comparison: { cells: 7, differences },
    });
    const equal = { ...result([]), stages: [stage([])] };
    const lost = { where: 'urn:x 1 0', stored: undefined, computed: { delay: 20 } };
    const different = { ...result([]), stages: [stage([lost])] };

    expect(renderResult(equal)).toContain('1,500 derived events, 2 copies');
    expect(renderResult(equal)).toContain('7 cells equal a batch computation');
    expect(renderResult(different)).toContain('urn:x 1 0: stored undefined, computed {"delay":20}');
    expect([isEqual(equal), isEqual(different)]).toEqual([true, false]);
    expect(resultObject(different)).toMatchObject({
      equal: true,
      stages: [{ pipeline: 'delays', events: 1_500, copies: 2, equal: false }],
    });
  });

  it('a program gets the same as one object', () => {
    expect(resultObject(result([]))).toMatchObject({
      equal: true,
      accepted: 8,
      quarantined: { late: 1 },
    });
  });
});
