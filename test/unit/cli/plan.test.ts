import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { rateOf } from '../../../src/cli/plan.ts';

async function plan(...args: readonly string[]) {
  const printed: string[] = [];
  const complained: string[] = [];
  const code = await main(['plan', ...args], {
    env: {},
    signal: new AbortController().signal,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    exitCode: 0,
  });
  const textOf = (lines: readonly string[]) => stripVTControlCharacters(lines.join('\n'));
  return { code, printed: textOf(printed), complained: textOf(complained) };
}

it('tells what flights cost, why, what gives first, and the settings', async () => {
  const { code, printed } = await plan('flights', '--rate', '5000/s');
  expect(code).toBe(0);
  expect(printed).toMatch(/flights at 5,000 events\/s, flat, prod: \$[\d,]+ a month/);
  expect(printed).toMatch(/kept events, writes +13\.1G events x 1/);
  expect(printed).toContain('What gives first');
  expect(printed).toContain('What other ways cost a month');
  expect(printed).toMatch(/partitions.*: 16.*was 4/);
}, 60_000);

it('prints one object with --json, and 1 where the budget is exceeded', async () => {
  const { code, printed, complained } = await plan(
    ...['earthquakes', '--rate', '2/s', '--json', '--budget', '1'],
  );
  const found = JSON.parse(printed);
  expect(code).toBe(1);
  expect(complained).toContain('expected at most $1.00');
  expect(found).toMatchObject({ pipeline: 'earthquakes', environment: 'prod', fits: true });
  const sum = found.lines.reduce((total: number, { usd }: { usd: number }) => total + usd, 0);
  expect(found.total).toBeCloseTo(sum, 6);
  expect((await plan('earthquakes', '--rate', '2/s', '--budget', '100000')).code).toBe(0);
}, 60_000);

it('plans a pipeline without a feed from its definition', async () => {
  const { code, printed } = await plan('delays', '--rate', '1000/s', '--size', '500');
  expect(code).toBe(0);
  expect(printed).toContain('500 bytes a record');
  expect(printed).toContain('it has no feed');
}, 60_000);

it.each([
  [['flights'], '--rate'],
  [['flights', '--rate', 'many'], '5000/s'],
  [['flights', '--rate', '10/s', '--env', 'nope'], 'dev, prod'],
  [['flights', '--rate', '10/s', '--profile', 'steep'], 'bursts'],
  [['nope', '--rate', '10/s'], 'flights'],
])('wrong use is told with what is allowed: %j', async (args, says) => {
  const { code, complained } = await plan(...args);
  expect(code).toBe(2);
  if (complained !== '') expect(complained).toContain(says);
});

it.each([
  ['5000/s', 5_000],
  ['5000', 5_000],
  ['2M/day', 2e6 / 86_400],
  ['1.5k/min', 25],
])('reads the rate %s', (text, rate) => {
  expect(rateOf(text)).toBeCloseTo(rate, 9);
});
