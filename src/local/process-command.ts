import { existsSync, readFileSync } from 'node:fs';

/** The command line of a process, or undefined where the system doesn't tell it (no /proc) or it is gone. */
export function commandOf(pid: number): string | undefined {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** True where the system tells command lines, so that none means that there is no such process. */
export function tellsCommands(): boolean {
  return existsSync('/proc/self/cmdline');
}
