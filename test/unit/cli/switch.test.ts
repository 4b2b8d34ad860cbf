import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { timeAhead } from '../../../src/cli/time.ts';

async function run(...args: string[]) {
  const complained: string[] = [];
  const code = await main(['switch', ...args], {
    env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
    signal: new AbortController().signal,
    print: () => undefined,
    complain: (line) => complained.push(line),
    exitCode: 0,
  });
  return { code, complained: complained.join('\n') };
}

describe('millrace switch', () => {
  it('says what to do where no deployment answers', async () => {
    const { code, complained } = await run('--pipeline', 'flights', '--dry-run');
    expect(code).toBe(4);
    expect(complained).toContain('npm start -- --pipeline flights --keep');
  }, 30_000);
});

describe('a time to come', () => {
  const nowMs = Date.UTC(2026, 10, 25, 12);
  it.each([
    ['+10m', nowMs + 600_000],
    ['+125s', nowMs + 125_000],
    ['-2h', nowMs - 7_200_000],
    ['2026-11-25T13:00Z', Date.UTC(2026, 10, 25, 13)],
  ])('%s is read', (text, ms) => {
    expect(timeAhead(nowMs)(text)).toBe(ms);
  });

  it.each(['+10', '+2w', 'soon'])('%s is refused', (text) => {
    expect(() => timeAhead(nowMs)(text)).toThrow('expected a time');
  });
});
