import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  explainPython,
  isDone,
  isPythonEnough,
  majorOf,
  partsOf,
} from '../../../scripts/bootstrap.mjs';
import { ROOT } from '../../helpers/sources.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-bootstrap-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('bootstrap', () => {
  it.each([
    ['Python 3.10.0', true],
    ['Python 3.14.1', true],
    ['Python 4.0.0', true],
    ['Python 3.9.18', false],
    ['Python 2.7.18', false],
    ['', false],
  ])('%j is new enough: %s', (text, enough) => {
    expect(isPythonEnough(text)).toBe(enough);
  });

  it('reads a major version', () => {
    expect([majorOf('v20.11.1'), majorOf('24.0.0'), majorOf('x')]).toEqual([20, 24, 0]);
  });

  it('says in one sentence what Debian lacks, or that the network does', () => {
    const debian = 'ensurepip is not available. On Debian/Ubuntu systems, you need python3-venv';
    expect(explainPython(debian)).toContain('apt-get install python3-venv');
    expect(explainPython('ERROR: No matching distribution found for x')).toContain('network');
    expect(explainPython('one\nlast line\n')).toContain('last line');
  });

  it('a part is done only while its stamp is that of its lock files', () => {
    const lock = path.join(directory, 'lock');
    const stamp = path.join(directory, 'stamp');
    writeFileSync(lock, 'a');
    const part = { name: 'p', stamp, locks: [lock], make: async () => undefined };
    expect(isDone(part)).toBe(false);
    writeFileSync(stamp, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
    expect(isDone(part)).toBe(true);
    writeFileSync(lock, 'b');
    expect(isDone(part)).toBe(false);
  });

  it('has nothing to do here, and says nothing', () => {
    const { status, stdout, stderr } = spawnSync('node', ['scripts/bootstrap.mjs'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
    expect(partsOf(ROOT).every(isDone)).toBe(true);
  });

  it('without Python it says in one sentence what is missing, and exits 3', () => {
    const clone = path.join(directory, 'clone');
    mkdirSync(path.join(clone, 'scripts', 'python'), { recursive: true });
    mkdirSync(path.join(clone, 'node_modules'), { recursive: true });
    spawnSync('cp', [path.join(ROOT, 'scripts', 'bootstrap.mjs'), path.join(clone, 'scripts')]);
    spawnSync('cp', [
      path.join(ROOT, 'scripts', 'python', 'requirements.txt'),
      path.join(clone, 'scripts', 'python'),
    ]);
    writeFileSync(path.join(clone, 'package-lock.json'), 'a');
    writeFileSync(
      path.join(clone, 'node_modules', '.millrace-stamp'),
      'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',
    );
    const { status, stderr } = spawnSync(process.execPath, ['scripts/bootstrap.mjs'], {
      cwd: clone,
      encoding: 'utf8',
      env: { PATH: directory },
    });
    expect(status).toBe(3);
    expect(stderr.trim().split('\n').at(-1)).toBe(
      'Python 3.10 or newer is missing: install it, then try again.',
    );
  });
});
