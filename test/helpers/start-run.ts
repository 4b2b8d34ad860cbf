import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Runs `millrace start` in a clone, as fast as it goes and with alarms that pass in seconds, and gives
 * the object that it prints. Rejects with `code`, `stdout` and `stderr` where it does not end with 0.
 */
export async function startRun<Result>(clone: string, flags: readonly string[]): Promise<Result> {
  const fast = ['--rate', '0', '--alarm-speed', '60', '--json'];
  return runStart(clone, [...fast, ...flags]);
}

/** The same with no flags but the given ones; `--json` has to be among them. */
export async function runStart<Result>(clone: string, flags: readonly string[]): Promise<Result> {
  const args = ['bin/millrace.ts', 'start', ...flags];
  const { stdout } = await run(process.execPath, args, { cwd: clone, maxBuffer: 1e7 });
  return JSON.parse(stdout);
}

/** The process of the emulator that a run left in a clone, or undefined where there is none. */
export function keptPid(clone: string): number | undefined {
  const note = path.join(clone, '.millrace', 'local', 'emulator.json');
  return existsSync(note) ? JSON.parse(readFileSync(note, 'utf8')).pid : undefined;
}

/** Ends the emulator that a run left in a clone, with everything that it started. */
export function stopKept(clone: string): void {
  const pid = keptPid(clone);
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}
