import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';

async function run(...args: string[]) {
  const printed: string[] = [];
  const complained: string[] = [];
  const code = await main(['simulate', ...args], {
    env: {},
    signal: new AbortController().signal,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    exitCode: 0,
  });
  return { code, printed: printed.join('\n'), complained: complained.join('\n') };
}

it('a pipeline that keeps its promises exits 0, and says what was exercised', async () => {
  const { code, printed } = await run('flights', '--seeds', '5', '--events', '60');
  expect(code).toBe(0);
  expect(printed).toContain('5 schedules');
  expect(stripVTControlCharacters(printed)).toMatch(/refuse +\d+/);
}, 60_000);

it('one seed shows its timeline, and the same trace each time', async () => {
  const args = ['earthquakes', '--seed', '3', '--events', '20', '--faults', 'none'];
  const [first, second] = [await run(...args), await run(...args)];
  expect(stripVTControlCharacters(first.printed)).toMatch(
    /seed 3, trace [0-9a-f]{16}: every promise held/,
  );
  expect(second.printed).toBe(first.printed);
}, 60_000);

it('faults that never occurred are said to be not covered', async () => {
  const { printed } = await run(
    'earthquakes',
    '--seeds',
    '1',
    '--events',
    '1',
    '--faults',
    'crash',
  );
  expect(stripVTControlCharacters(printed)).toMatch(/crash +(not covered|\d)/);
}, 60_000);

it('an unknown fault is refused with the known ones', async () => {
  const { code, complained } = await run('flights', '--faults', 'cosmic');
  expect(code).toBe(2);
  expect(complained).toContain('loseAnswer');
});
