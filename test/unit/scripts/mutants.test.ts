import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import excuses from '../../../scripts/mutants/excuses.json' with { type: 'json' };
import { findSites } from '../../../scripts/mutants/find.ts';
import { findMutants, type Mutant } from '../../../scripts/mutants/mutants.ts';
import { reportOf, survivorsOf, type Tried } from '../../../scripts/mutants/report.ts';
import { SCOPE } from '../../../scripts/mutants/scope.ts';
import { type Excuse, percentOf, scoreOf, staleIn } from '../../../scripts/mutants/score.ts';
import { BatteryError, type Outcome, tryMutants } from '../../../scripts/mutants/try.ts';
import { ROOT } from '../../helpers/sources.ts';

const SOURCE = `
export const MOST = 3;

export function clamp(value: number): number {
  if (value > MOST) return MOST;
  return value;
}

export function sumTo(end: number): number {
  let sum = 0;
  for (let at = 2; at <= end; at += 1) sum += at;
  return sum;
}

export function unused(): string {
  return 'nobody calls it';
}
`;

const BATTERY = `
import { clamp, sumTo } from './tiny.ts';

const small = { name: 'small', seeds: 3, run: async (seed) => clamp(seed) === seed ? [] : ['small'] };
const large = { name: 'large', seeds: 1, run: async () => clamp(9) === 3 ? [] : ['large'] };
const count = { name: 'count', seeds: 1, run: async () => sumTo(4) === 9 ? [] : ['count'] };
export const SCHEDULES = [small, large, count];
`;

let root: string;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'millrace-mutants-'));
  writeFileSync(path.join(root, 'tiny.ts'), SOURCE);
  writeFileSync(path.join(root, 'battery.ts'), BATTERY);
  writeFileSync(path.join(root, 'broken.ts'), BATTERY.replace('=== 3', '=== 4'));
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

function nameOf({ line, from, to }: Mutant): string {
  return `${line}: ${from} => ${to}`;
}

async function tryAll(battery: string, chosen?: readonly Mutant[]): Promise<readonly Outcome[]> {
  const files = findMutants(root, ['tiny.ts']);
  const all = files.flatMap(({ mutants }) => mutants);
  return tryMutants({
    root,
    battery,
    files,
    chosen: chosen ?? all,
    jobs: 1,
    extraMs: 200,
    isOver: () => false,
  });
}

describe('mutants of a small file', () => {
  it('are killed, run into an endless loop, survive, or are not reached', async () => {
    const outcomes = await tryAll('battery.ts');
    const named = (state: Outcome['state']) =>
      outcomes.filter((one) => one.state === state).map(({ mutant }) => nameOf(mutant));

    expect(named('survived')).toEqual(['5: value > MOST => value >= MOST']);
    expect(named('unreached').every((name) => name.startsWith('15') || name.startsWith('16'))).toBe(
      true,
    );
    expect(named('timeout')).toContain('11: at += 1 => at -= 1');
    expect(named('killed')).toEqual(
      expect.arrayContaining([
        '2: 3 => 4',
        '2: 3 => 2',
        '5: value > MOST => value <= MOST',
        '5: return MOST; => ',
        '6: value => undefined',
        '11: at <= end => at < end',
      ]),
    );
  });

  it('are not judged by a battery that fails without one', async () => {
    await expect(tryAll('broken.ts', [])).rejects.toThrow(BatteryError);
  });

  it('are told in a report, excused ones apart', async () => {
    const survives = (outcome: Outcome) => outcome.state === 'survived';
    const outcomes = await tryAll('battery.ts');
    const [mutant] = outcomes.filter(survives).map((outcome) => outcome.mutant);
    if (mutant === undefined) throw new Error('none survived');
    const { file, place, to } = mutant;
    const excuse: Excuse = { file, place, to, reason: 'both sides are equal' };
    expect(place).toBe('if («value > MOST») return MOST;');
    const tried: Tried = {
      outcomes,
      excuses: [],
      mutants: outcomes.length,
      chosen: outcomes.length,
      seed: 1,
      schedules: { small: 3 },
      batteryMs: 12,
      commit: 'abc',
      date: '2026-11-25',
      minutes: 1,
    };

    const { killed, survived, excused } = scoreOf(outcomes, [excuse]);
    expect(survivorsOf(tried)).toContain('tiny.ts:5 (boundary)');
    expect(scoreOf(outcomes, [])).toMatchObject({ survived: survived + 1, excused: 0 });
    expect(excused).toBe(1);
    expect(staleIn([excuse], [mutant])).toEqual([]);
    expect(staleIn([{ ...excuse, to: 'gone' }], [mutant])).toHaveLength(1);
    expect(percentOf({ tried: 4, killed: 3, scene: 0, timeout: 0, excused: 0, survived: 1 })).toBe(
      75,
    );
    expect(killed).toBeGreaterThan(5);
    expect(reportOf({ ...tried, excuses: [excuse] })).toContain('both sides are equal');
  });
});

describe('mutators', () => {
  const changes = (text: string) =>
    findSites(text).flatMap((site) => site.changes.map(({ mutator, to }) => `${mutator} ${to}`));

  it.each([
    ['x = a < b;', ['boundary a <= b', 'negate a >= b']],
    ['x = a === b;', ['negate a !== b']],
    ['x = a && b;', ['logical a || b', 'negate !(a)']],
    ['x = a ?? b;', ['logical a && b']],
    ['x = a?.b?.();', ['optional a.b?.()', 'optional a?.b()']],
    ['x = (a ?? b)?.c;', ['optional (a ?? b).c', 'logical a && b']],
    ['x = (a + b) * c;', ['arithmetic (a + b) / c', 'arithmetic a - b']],
    ['x = -1;', ['number 0', 'number -2']],
    ['x = { a: 1n };', ['object {}', 'number 2n', 'number 0n']],
    ["x = [`a`, 'key', 'for people'];", ['array []', "string ''", "string ''"]],
    ['x = String.raw`key`;', []],
    ['x = Math.min(a, b);', ['method Math.max(a, b)']],
    ['x = all.filter(f).sort();', ['method all.filter(f)', 'method all']],
    ['async () => { await f(); g(); };', ['block ', 'call ', 'await f()', 'call ']],
    ['if (a) b(); else { c(); }', ['negate !(a)', 'block ', 'block ']],
    ["throw new RangeError('key', 1);", []],
    ["x = { message: 'key' };", ['object {}']],
    ['type A = { a: 1 }; const b = 1 as A;', ['number 2', 'number 0']],
  ])('make of %s', (text, expected) => {
    expect(changes(text)).toEqual(expected);
  });
});

it('every excuse is of a file in scope, stands once and says why', () => {
  const files = findMutants(ROOT, SCOPE).map(({ file }) => file);
  const all: readonly Excuse[] = excuses;

  expect(all.filter(({ file }) => !files.includes(file))).toEqual([]);
  expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(all.length);
  expect(all.every(({ reason }) => reason.length > 20)).toBe(true);
});
