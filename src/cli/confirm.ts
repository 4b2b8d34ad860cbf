import { createInterface } from 'node:readline/promises';
import { CommandError, EXIT } from '../local/local-error.ts';

/**
 * Asks before something is changed. Without a terminal nothing is asked.
 *
 * @throws CommandError where there is no terminal, and no --yes
 */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new CommandError('Nothing was changed', {
      exitCode: EXIT.usage,
      detail: 'got no terminal to ask at, expected --yes',
      next: 'the same command with --yes, or with --dry-run',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
