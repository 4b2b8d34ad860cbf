import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { timeOf } from '../../../src/cli/time.ts';

const run = (...args: string[]) => millrace('quarantine', ...args);

async function millrace(...args: string[]) {
  const printed: string[] = [];
  const complained: string[] = [];
  const code = await main(args, {
    env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
    signal: new AbortController().signal,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    exitCode: 0,
  });
  return { code, printed: printed.join('\n'), complained: complained.join('\n') };
}

describe('millrace quarantine', () => {
  it('says what to do where no deployment answers', async () => {
    const { code, complained } = await run('list', '--pipeline', 'flights');
    expect(code).toBe(4);
    expect(complained).toContain('npm start -- --pipeline flights --keep');
  }, 30_000);
});

describe('millrace redrive', () => {
  it('says what to do where no deployment answers', async () => {
    const { code, complained } = await millrace('redrive', '--pipeline', 'flights', '--dry-run');
    expect(code).toBe(4);
    expect(complained).toContain('npm start -- --pipeline flights --keep');
  }, 30_000);

  it.each([
    ['--reason', 'nonsense'],
    ['--limit', '0'],
    ['--limit', '100001'],
    ['--job', 'first'],
    ['--since', 'yesterday'],
  ])('refuses %s %s', async (...args) => {
    expect((await millrace('redrive', ...args)).code).toBe(2);
  });
});

describe('a time of the command line', () => {
  const nowMs = Date.UTC(2026, 10, 25, 12);
  it.each([
    ['-2h', nowMs - 7_200_000],
    ['-30m', nowMs - 1_800_000],
    ['-7d', nowMs - 604_800_000],
    ['2026-11-24', Date.UTC(2026, 10, 24)],
    ['2026-11-24T08:00', Date.UTC(2026, 10, 24, 8)],
    ['2026-11-24T08:00+02:00', Date.UTC(2026, 10, 24, 6)],
  ])('%s is read', (text, ms) => {
    expect(timeOf(nowMs)(text)).toBe(ms);
  });

  it.each(['yesterday', '-2w', '12:00', ''])('%s is refused', (text) => {
    expect(() => timeOf(nowMs)(text)).toThrow('expected a time');
  });
});
