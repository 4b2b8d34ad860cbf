import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import {
  comparisonText,
  estimateText,
  progressText,
  sumsText,
} from '../../../src/cli/replay-text.ts';
import type { WindowRow } from '../../../src/core/read.ts';
import { compareRows } from '../../../src/local/replay/compare.ts';
import type { ReplaySums } from '../../../src/local/replay/run.ts';

async function run(...args: string[]) {
  const complained: string[] = [];
  const code = await main(['replay', '--pipeline', 'flights', ...args], {
    env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
    signal: new AbortController().signal,
    print: () => undefined,
    complain: (line) => complained.push(line),
    exitCode: 0,
  });
  return { code, complained: complained.join('\n') };
}

describe('the command line of a replay', () => {
  it.each([
    [['--into', 'live', '--from', '-2h'], 2, 'expected none'],
    [['--into', 'live', '--key', 'ATL'], 2, '--dry-run'],
    [['--filter', 'delay >> 5'], 2, "comparisons joined by 'and'"],
  ])('is refused before anything is asked of a cloud: %j', async (args, exit, says) => {
    const { code, complained } = await run(...args);
    expect(code).toBe(exit);
    expect(complained).toContain(says);
  });

  it('says what to do where there is no deployment', async () => {
    const { code, complained } = await run('--dry-run');
    expect(code).toBe(4);
    expect(complained).toContain('npm start -- --pipeline flights --keep');
  }, 30_000);
});

function rowsOf(rows: readonly (readonly [string, Readonly<Record<string, unknown>>])[]) {
  return new Map(
    rows.map(([group, columns]): [string, WindowRow] => [
      group,
      { startMs: 0, endMs: 3_600_000, group: [group], columns },
    ]),
  );
}

describe('a comparison', () => {
  const compared = compareRows(
    'hours',
    rowsOf([
      ['a', { events: 3, name: 'x' }],
      ['b', { events: 1, name: 'x' }],
      ['c', { events: 2, name: 'x' }],
      ['d', { events: 2, name: 'x' }],
    ]),
    rowsOf([
      ['a', { events: 3, name: 'x' }],
      ['b', { events: 5, name: 'y' }],
      ['c', { events: 1, name: 'x' }],
      ['e', { events: 2, name: 'x' }],
    ]),
  );

  it('counts the rows that are equal, that differ, and that one side has', () => {
    expect(compared).toMatchObject({
      compared: 5,
      equal: 1,
      changed: 2,
      onlyLeft: 1,
      onlyRight: 1,
    });
  });

  it('says by how much, and shows some rows', () => {
    expect(compared.columns).toEqual([
      { column: 'events', rows: 2, difference: 3, largest: 4 },
      { column: 'name', rows: 1, difference: undefined, largest: undefined },
    ]);
    expect(compared.samples).toEqual([
      {
        start: '1970-01-01T00:00:00.000Z',
        group: ['b'],
        columns: { events: [1, 5], name: ['x', 'y'] },
      },
      { start: '1970-01-01T00:00:00.000Z', group: ['c'], columns: { events: [2, 1] } },
    ]);
    const text = comparisonText({
      left: '1',
      right: '2',
      windows: [compared],
      onlyLeft: [],
      onlyRight: ['days'],
    });
    expect(text).toContain('hours: 1 rows are equal, 2 differ, 1 only in 1, 1 only in 2');
    expect(text).toContain('events: 2 rows, +3 in all, 4 at most in a row');
    expect(text).toContain('days: only in generation 2');
  });
});

describe('what a replay prints', () => {
  const gap = { epoch: 'e', shard: 3, after: '5', until: '9', certain: true };
  const sums: ReplaySums = {
    state: 'gap',
    read: 12_000,
    bytes: 1_000,
    repeated: 2_000,
    accepted: 9_000,
    duplicates: 700,
    quarantined: 300,
    gaps: [gap],
    fraction: 0.25,
    calls: 2,
    seconds: 30,
  };

  it('is how far it is, how fast, and for how long', () => {
    expect(progressText(sums, 90)).toBe('25.0 %  12,000 events (400/s), 2 minutes left');
    expect(progressText({ ...sums, state: 'waiting' }, undefined)).toContain('the archiver');
  });

  it('is what was done, and what is missing', () => {
    expect(sumsText(sums)).toContain('2,000 were counted already and changed nothing');
    expect(sumsText(sums)).toContain('missing in the archive: shard 3 after 5 until 9');
  });

  it('is what it would do, and how sure that is', () => {
    const estimate = {
      tried: 0.5,
      events: 1_000,
      bytes: 5_000,
      repeated: 0,
      quarantined: 10,
      rows: 20,
      writeUnits: 400,
      readUnits: 100,
      dollars: 0.00123,
      minutes: 12.2,
      gaps: [gap],
    };
    expect(estimateText(estimate)).toContain('50.0 % of it, and reckoned from that');
    expect(estimateText(estimate)).toContain('about 13 minutes');
    expect(estimateText(estimate)).toContain('refused without --accept-gaps');
    expect(estimateText({ ...estimate, tried: 1, minutes: 0.2 })).toContain(
      'events    1,000, 5,000',
    );
  });
});
