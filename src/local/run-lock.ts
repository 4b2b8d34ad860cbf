import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandError, EXIT } from './local-error.ts';
import { commandOf, tellsCommands } from './process-command.ts';

/**
 * Takes the folder of local runs for this process: two runs would stop each other's emulator. The lock
 * of a process that is gone is taken over.
 *
 * @returns what gives it back
 * @throws CommandError when another run is alive
 */
export function takeRunLock(directory: string): () => void {
  const file = path.join(directory, 'run.pid');
  mkdirSync(directory, { recursive: true });
  const owner = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (owner > 0 && owner !== process.pid && isRun(owner)) {
    throw new CommandError('Another local run is in progress', {
      exitCode: EXIT.refused,
      detail: `got process ${owner} in ${file}, expected no other run in this checkout`,
      next: 'wait for it, or stop it with Ctrl-C where it runs',
    });
  }
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

/** The id of a process that is gone can belong to anything by now. */
function isRun(pid: number): boolean {
  return tellsCommands() ? commandOf(pid)?.includes('millrace') === true : isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
