import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LoadResult } from '../../src/local/load/load-run.ts';
import { cloneCheckout } from '../helpers/clone.ts';

const run = promisify(execFile);
let clone = '';

beforeAll(() => {
  clone = cloneCheckout();
});

afterAll(() => {
  rmSync(clone, { recursive: true, force: true });
});

/** What a load test prints, with its report. */
async function loaded(...flags: string[]): Promise<LoadResult & { readonly page: string }> {
  const args = ['bin/millrace.ts', 'load', '--pipeline', 'earthquakes', '--json', ...flags];
  const { stdout } = await run(process.execPath, args, { cwd: clone });
  return JSON.parse(stdout);
}

it('a rate that the local cloud takes holds: each event that was due has its result', async () => {
  const { steps, knee, page } = await loaded('--rate', '50', '--most', '50', '--for', '4');
  const [step] = steps;
  expect(steps).toHaveLength(1);
  expect(knee?.rate).toBe(50);
  expect(step?.offered).toBeGreaterThan(100);
  expect(step?.finished).toBe(step?.offered);
  // A result comes after its event was taken.
  expect(step?.result.p50).toBeGreaterThan(step?.put.p50 ?? Number.POSITIVE_INFINITY);
  expect(readFileSync(page, 'utf8')).toContain('50 events/s hold');
}, 240_000);
