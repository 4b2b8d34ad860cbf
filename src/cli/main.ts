import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { DefinitionError } from '../core/errors.ts';
import { CommandError, EXIT } from '../local/local-error.ts';
import { ROOT } from '../local/paths.ts';
import type { CommandContext } from './context.ts';
import { addLoad } from './load.ts';
import { addPlan } from './plan.ts';
import { addQuarantine } from './quarantine.ts';
import { addRedrive } from './redrive.ts';
import { addReplay } from './replay.ts';
import { addRetention } from './retention.ts';
import { addSimulate } from './simulate.ts';
import { addStart } from './start.ts';
import { addSwitch } from './switch.ts';

/**
 * Runs one command line. Resolves with the exit code; never rejects.
 *
 * @param args without the program's own name
 */
export async function main(args: readonly string[], context: CommandContext): Promise<number> {
  const program = new Command('millrace')
    .description('One TypeScript file becomes an exactly-once event-processing system on AWS.')
    .version(versionOf())
    .exitOverride()
    .showHelpAfterError('(add --help for the choices)');
  // Commands inherit what their parent says, so they come after it.
  addStart(program, context);
  addSimulate(program, context);
  addLoad(program, context);
  addPlan(program, context);
  addQuarantine(program, context);
  addReplay(program, context);
  addRedrive(program, context);
  addSwitch(program, context);
  addRetention(program, context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return explain(error, context);
  }
}

function explain(error: unknown, { complain, signal }: CommandContext): number {
  if (signal.aborted) {
    complain('Interrupted; everything that was started is stopped.');
    return EXIT.interrupted;
  }
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CommandError) {
    complain(`${error.message}\n  ${error.detail}\n  next: ${error.next}`);
    return error.exitCode;
  }
  if (error instanceof DefinitionError) {
    complain(error.message);
    return EXIT.usage;
  }
  complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.refused;
}

function versionOf(): string {
  const text = readFileSync(path.join(ROOT, 'package.json'), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}
