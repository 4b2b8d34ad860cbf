import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isGroupAlive } from '../../../src/local/child.ts';
import { startEmulator } from '../../../src/local/emulator.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-emulator-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the emulator listens on loopback, and stops with everything it started', async () => {
  const emulator = await startEmulator({ directory });

  const answer = await fetch(`${emulator.endpoint}/_ministack/health`);
  await emulator.stop();

  expect(answer.ok).toBe(true);
  expect(emulator.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(isGroupAlive(emulator.pid)).toBe(false);
});

test('an emulator that an earlier run left behind is stopped first', async () => {
  const left = await startEmulator({ directory });
  const note = path.join(directory, 'emulator.json');
  expect(JSON.parse(readFileSync(note, 'utf8'))).toEqual({
    pid: left.pid,
    endpoint: left.endpoint,
  });

  const next = await startEmulator({ directory });
  const alive = isGroupAlive(left.pid);
  await next.stop();

  expect(alive).toBe(false);
});

test('an emulator that was kept is taken over with all that it holds', async () => {
  const kept = await startEmulator({ directory });

  const again = await startEmulator({ directory, keep: true });
  await again.stop();

  expect(again.endpoint).toBe(kept.endpoint);
  expect(isGroupAlive(kept.pid)).toBe(false);
});
