import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  explainNpm,
  explainPython,
  isDone,
  isPythonUsable,
  majorOf,
  partsOf,
} from '../../../scripts/bootstrap.mjs';
import { ROOT } from '../../helpers/sources.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-bootstrap-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the versions that the set-up takes', () => {
  it.each([
    ['Python 3.10.0', true],
    ['Python 3.14.1', true],
    ['Python 3.9.18', false],
    ['Python 3.15.0', false],
    ['Python 2.7.18', false],
    ['', false],
  ])('%j is usable: %s', (text, usable) => {
    expect(isPythonUsable(text)).toBe(usable);
  });

  it('are those that the README names', () => {
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    expect(readme).toContain('Python 3.10 to 3.14');
  });

  it('are read from what a command says', () => {
    expect([majorOf('v20.11.1'), majorOf('24.0.0'), majorOf('x')]).toEqual([20, 24, 0]);
  });
});

describe('one sentence', () => {
  it.each([
    'ensurepip is not available. On Debian/Ubuntu systems, you need python3-venv',
    '/usr/bin/python3: No module named venv',
  ])('says what Debian lacks: %s', (said) => {
    expect(explainPython(said)).toContain('apt-get install python3-venv');
  });

  it('says that the network does not answer, or else what Python said last', () => {
    expect(explainPython('ERROR: No matching distribution found for x')).toContain('network');
    expect(explainPython('one\nlast line\n')).toContain('last line');
  });

  it('says why npm failed, not where its log is', () => {
    const said = [
      'npm error code ENOSPC',
      'npm error errno -28',
      'npm error nospc ENOSPC: no space left on device',
      'npm error A complete log of this run can be found in: /root/.npm/_logs/debug-0.log',
    ].join('\n');
    expect(explainNpm(said)).toBe(
      'npm could not install the packages: nospc ENOSPC: no space left on device',
    );
    expect(explainNpm('sh: npm: broken\n')).toContain('npm: broken');
  });
});

describe('a part', () => {
  it('is done only while its stamp is that of its lock files, and what it made is there', () => {
    const [lock, stamp, needs] = ['lock', 'stamp', 'needs'].map((n) => path.join(directory, n));
    if (lock === undefined || stamp === undefined || needs === undefined) throw new Error('names');
    writeFileSync(lock, 'a');
    writeFileSync(needs, '');
    const part = { name: 'p', stamp, locks: [lock], needs, make: async () => undefined };
    expect(isDone(part)).toBe(false);
    writeFileSync(stamp, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
    expect(isDone(part)).toBe(true);
    rmSync(needs);
    expect(isDone(part)).toBe(false);
    writeFileSync(needs, '');
    writeFileSync(lock, 'b');
    expect(isDone(part)).toBe(false);
  });

  it('needs nothing here, and the set-up says nothing within two seconds', () => {
    const startMs = performance.now();
    const { status, stdout, stderr } = spawnSync('node', ['scripts/bootstrap.mjs'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
    expect(performance.now() - startMs).toBeLessThan(2_000);
    expect(partsOf(ROOT).every(isDone)).toBe(true);
  });
});
