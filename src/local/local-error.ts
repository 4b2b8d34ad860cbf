import { MillraceError } from '../core/errors.ts';

/** Exit codes of the commands. */
export const EXIT = { done: 0, no: 1, usage: 2, missing: 3, refused: 4, interrupted: 130 } as const;

/**
 * Something that ends a command: what went wrong, what was got and expected, the next command.
 */
export class CommandError extends MillraceError {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  readonly detail: string;
  readonly next: string;

  constructor(
    what: string,
    options: { exitCode: number; detail: string; next: string; cause?: unknown },
  ) {
    super('command', what, { cause: options.cause });
    this.exitCode = options.exitCode;
    this.detail = options.detail;
    this.next = options.next;
  }
}
