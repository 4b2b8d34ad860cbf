import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { numbersIn, rangesOf } from '../../../src/cli/arguments.ts';
import { main } from '../../../src/cli/main.ts';
import { runJobs } from '../../../src/cli/schedule-jobs.ts';
import { openSchedules, type Schedules } from '../../../src/cli/schedules.ts';
import { explain, showOne } from '../../../src/cli/simulate-one.ts';
import { summaryObject, summaryText } from '../../../src/cli/simulate-summary.ts';
import { readDeployed } from '../../../src/local/simulation.ts';
import { FAULT_NAMES } from '../../../src/sim/faults.ts';
import { ROOT } from '../../helpers/sources.ts';

const { signal } = new AbortController();
const EVERY: readonly (typeof FAULT_NAMES)[number][] = FAULT_NAMES;

async function run(...args: string[]) {
  const printed: string[] = [];
  const complained: string[] = [];
  const code = await main(['simulate', ...args], {
    env: {},
    signal,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    exitCode: 0,
  });
  return {
    code,
    printed: stripVTControlCharacters(printed.join('\n')),
    complained: complained.join('\n'),
  };
}

let schedules: Schedules;

beforeAll(async () => {
  const deployed = await readDeployed('earthquakes', signal);
  schedules = { pipeline: 'earthquakes', events: 500, faults: EVERY, deployed };
}, 120_000);

describe('the summary', () => {
  it('is the same whatever the number of threads, and has its events and faults', async () => {
    const options = { schedules, wants: (seed: number) => seed <= 4, onOutcome: () => undefined };
    const one = await runJobs({ ...options, jobs: 1, signal });
    const two = await runJobs({ ...options, jobs: 2, signal });

    expect(two).toEqual(one);
    expect(one.map(({ seed }) => seed)).toEqual([1, 2, 3, 4]);
    expect(summaryObject({ schedules, outcomes: one })).toMatchObject({
      seeds: 4,
      failing: null,
      medianEvents: expect.toSatisfy((events: number) => events >= 500),
      medianFaults: expect.toSatisfy((faults: number) => faults >= 5),
    });
  }, 120_000);

  it('says what was exercised, what was not, and what was hit too seldom', async () => {
    const small = { ...schedules, events: 30 };
    const outcomes = await runJobs({
      schedules: small,
      jobs: 1,
      wants: (seed) => seed <= 1,
      onOutcome: () => undefined,
      signal,
    });
    const text = stripVTControlCharacters(summaryText({ schedules: small, outcomes }));

    expect(text).toMatch(/^earthquakes: 1 schedules, 3\d events, .*: every promise held/);
    expect(text).toMatch(/ {2}loseCheckpoint +\d+ {2}the mapping goes back/);
    expect(text).toMatch(/ {2}retention +not covered/);
    expect(text).toMatch(/hits by await +crash +refuse +loseAnswer +applyLate +slow +stall/);
    expect(text).toMatch(/ledger\.putIf entry +\d/);
    expect(text).toMatch(/Hit less than 20 times: .* more\. More seeds hit them\./);
  }, 60_000);
});

it('a failure is the first failing seed, whatever the number of threads', async () => {
  // Nothing can be finished within a millisecond.
  const deployed = { ...schedules.deployed, timeoutMs: 1 };
  const impossible = { ...schedules, events: 5, faults: [], deployed };
  for (const jobs of [1, 2]) {
    const outcomes = await runJobs({
      schedules: impossible,
      jobs,
      wants: (seed) => seed <= 6,
      onOutcome: () => undefined,
      signal,
    });
    expect(outcomes.map(({ seed }) => seed)).toEqual([1]);
    expect(outcomes[0]?.violations.join()).toMatch(/came to nothing|not finished/);
  }
}, 60_000);

it('the shortest failing schedule is shown, and its command replays it', async () => {
  const deployed = { ...schedules.deployed, timeoutMs: 1 };
  const impossible = { ...schedules, events: 30, deployed };
  const [explained, replayed]: string[][] = [[], []];
  const say = (lines: string[] | undefined) => ({
    print: (line: string) => lines?.push(line),
    complain: () => undefined,
  });
  await explain(impossible, 7, say(explained));
  const text = explained?.join('\n') ?? '';
  const option = (name: string) => new RegExp(`--${name} (\\S+)`).exec(text)?.[1] ?? '';
  const hits = option('keep-hits');
  const part = { keepEvents: option('keep-events'), ...(hits === '' ? {} : { keepHits: hits }) };
  const faults = EVERY.filter((name) => option('faults').split(',').includes(name));
  const one = { seed: 7, json: false, ...part };
  const code = await showOne({ ...impossible, faults }, one, say(replayed));

  expect(code).toBe(1);
  expect(text).toMatch(/has 1 event\./);
  expect(text).toContain('npx millrace simulate earthquakes --seed 7 --events 30 --faults');
  const trace = /seed 7, trace [0-9a-f]{16}: a promise was broken/.exec(text)?.[0];
  expect(replayed?.join('\n')).toContain(trace);
}, 60_000);

it('one seed shows its timeline and its picture, and a part of it replays', async () => {
  const args = ['earthquakes', '--seed', '3', '--events', '20'];
  const first = await run(...args);
  const part = [...args, '--faults', 'crash,refuse', '--keep-events', '0,2-4', '--keep-hits', '1'];
  const [some, again] = [await run(...part), await run(...part)];

  expect(first.printed).toMatch(/seed 3, trace [0-9a-f]{16}: every promise held/);
  expect(some.printed).toMatch(/#1 (crash|refuse)/);
  expect(again.printed).toBe(some.printed);
  expect(some.printed).not.toMatch(/#2 (crash|refuse)/);
  const [, picture = ''] = /picture: (.*)/.exec(some.printed) ?? [];
  expect(existsSync(picture)).toBe(true);
  expect(readFileSync(picture, 'utf8')).toContain('<svg');
}, 120_000);

it('its options are in the help, and a wrong one is refused', async () => {
  const unknown = await run('flights', '--faults', 'cosmic');
  expect(unknown.code).toBe(2);
  expect(unknown.complained).toContain('loseAnswer');
  expect(() => numbersIn('3,x')).toThrow(/not understood/);
});

it('lists of numbers are read as they are written', async () => {
  for (const numbers of [[], [4], [0, 1, 2, 5, 7, 8]]) {
    expect(numbersIn(rangesOf(numbers) || 'none')).toEqual(numbers);
  }
  expect(rangesOf([0, 1, 2, 5, 7, 8])).toBe('0-2,5,7-8');
});

it('every fault stands in the documentation', async () => {
  const text = readFileSync(path.join(ROOT, 'docs/SIMULATION.md'), 'utf8');
  const { FAULTS } = await import('../../../src/sim/faults.ts');
  for (const [name, { of, text: what }] of Object.entries(FAULTS)) {
    expect(text).toContain(`| \`${name}\` | ${of} | ${what} |`);
  }
});

it('a schedule is of the seed alone', async () => {
  const optionsOf = await openSchedules({ ...schedules, events: 20 });
  const ids = (seed: number) => optionsOf(seed).events.map(({ bytes }) => Buffer.from(bytes));
  expect(ids(1)).toEqual(ids(1));
  expect(ids(1)).not.toEqual(ids(2));
});
