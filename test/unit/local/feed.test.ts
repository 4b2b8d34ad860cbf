import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchComputation } from '../../../src/batch/batch.ts';
import { compile } from '../../../src/core/compile.ts';
import { defineFeed, type Feed } from '../../../src/core/feed.ts';
import type { FeedEvent } from '../../../src/local/feed/events.ts';
import { readRows } from '../../../src/local/feed/rows.ts';
import { runEvents } from '../../../src/local/feed/source.ts';
import { readTimedRows } from '../../../src/local/feed/timed-rows.ts';
import type { RunSpec } from '../../../src/local/history.ts';
import { loadFeed, loadPipeline } from '../../../src/project/discover.ts';
import { ROOT } from '../../helpers/sources.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-feed-'));
const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 24, 15);

interface Row {
  readonly t: string;
  readonly x: number;
}

function feedOf(file: string, over: Partial<Parameters<typeof defineFeed<Row>>[0]> = {}) {
  const feed = defineFeed<Row>({
    file,
    time: (row) => new Date(row.t),
    data: (row, { timeMs }) => ({ x: Number(row.x), at: timeMs }),
    ...over,
  });
  return feed as unknown as Feed<unknown>;
}

const ROWS = [
  { t: '2001-01-03T12:00:00Z', x: 3 },
  { t: '2001-01-01T00:00:00Z', x: 1 },
  { t: '2001-01-02T23:00:00Z', x: 2 },
];

beforeAll(() => {
  const file = (name: string) => path.join(directory, name);
  writeFileSync(file('rows.json'), JSON.stringify({ found: { items: ROWS } }));
  writeFileSync(file('rows.jsonl'), ROWS.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(file('rows.csv'), `t,x\n${ROWS.map(({ t, x }) => `${t},${x}`).join('\n')}\n`);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('readRows', () => {
  it.each([
    ['rows.json', 'found.items'],
    ['rows.jsonl', ''],
  ])('numbers the rows of %s', async (file, rows) => {
    const found = await collect(readRows(path.join(directory, file), rows));
    expect(found).toEqual(ROWS.map((row, index) => ({ index, row })));
  });

  it('reads the values of a csv file as texts', async () => {
    const [first] = await collect(readRows(path.join(directory, 'rows.csv'), ''));
    expect(first).toEqual({ index: 0, row: { t: '2001-01-03T12:00:00Z', x: '3' } });
  });

  it('says where the rows were looked for', async () => {
    const read = collect(readRows(path.join(directory, 'rows.json'), 'found.rows'));
    await expect(read).rejects.toThrow("feed.rows: got 'found.rows'");
  });
});

describe('readTimedRows', () => {
  it('sorts by time and moves all by whole days, the last one to the present', async () => {
    const rows = await readTimedRows({
      feed: feedOf('rows.csv'),
      directory,
      limit: 10,
      nowMs: NOW_MS,
    });

    expect(rows.map(({ index }) => index)).toEqual([1, 2, 0]);
    const last = rows.at(-1)?.timeMs ?? 0;
    expect(last).toBe(Date.UTC(2026, 10, 24, 12));
    expect((last - Date.parse('2001-01-03T12:00:00Z')) % DAY_MS).toBe(0);
  });

  it('stays a day behind rather than to go into the future', async () => {
    const nowMs = Date.UTC(2026, 10, 24, 11);
    const rows = await readTimedRows({ feed: feedOf('rows.csv'), directory, limit: 10, nowMs });
    expect(rows.at(-1)?.timeMs).toBe(Date.UTC(2026, 10, 23, 12));
  });

  it('refuses a file that is said to be in order and is not', async () => {
    const feed = feedOf('rows.jsonl', { ordered: true });
    const read = readTimedRows({ feed, directory, limit: 10, nowMs: NOW_MS });
    await expect(read).rejects.toThrow('feed.ordered: row 1');
  });
});

describe('the events of a run', () => {
  const spec: RunSpec = {
    pipeline: 'earthquakes',
    run: 'r1',
    events: 600,
    nowMs: NOW_MS,
    badPercent: 20,
    duplicatePercent: 20,
    seed: 5,
  };

  async function make(over: Partial<RunSpec> = {}) {
    const folder = await loadPipeline(ROOT, 'earthquakes');
    const feed = (await loadFeed(folder)) as Feed<unknown>;
    const program = compile(folder.pipeline, folder.references);
    const { events } = await runEvents({ ...spec, ...over }, { folder, feed, program });
    return { folder, program, events: [...events] };
  }

  const bytesOf = (events: readonly FeedEvent[]) =>
    events.map(({ bytes }) => Buffer.from(bytes).toString('latin1'));

  it('are the same for the same spec, and others for another seed', async () => {
    const first = bytesOf((await make()).events);
    expect(bytesOf((await make()).events)).toEqual(first);
    expect(bytesOf((await make({ seed: 6 })).events)).not.toEqual(first);
  });

  it('name their run, so that a second run has other events', async () => {
    const plain = { badPercent: 0, duplicatePercent: 0 };
    const first = bytesOf((await make(plain)).events);
    const second = bytesOf((await make({ ...plain, run: 'r2' })).events);
    expect(first.filter((one) => second.includes(one))).toEqual([]);
  });

  it('are broken in every way and repeated, as often as asked', async () => {
    const { folder, program, events } = await make();
    const batch = new BatchComputation(folder.pipeline, program);
    for (const { bytes, partition } of events) {
      batch.add({ bytes, lane: `p${partition}`, arrivalMs: NOW_MS });
    }
    const { accepted, repeats, refused } = batch.result();

    const bad = [...refused.values()].reduce((sum, count) => sum + count, 0);
    expect([...refused.keys()].sort()).toEqual([
      'future',
      'id-conflict',
      'late',
      'not-decodable',
      'schema',
    ]);
    expect(accepted + repeats + bad).toBe(events.length);
    expect(bad / events.length).toBeGreaterThan(0.1);
    expect(repeats).toBeGreaterThan(50);
  });
});
