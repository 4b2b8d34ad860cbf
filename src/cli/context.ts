/** What a command is run with, so that a test can run it too. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Writes a line of the result. */
  readonly print: (line: string) => void;
  /** Writes a line of an error or of progress. */
  readonly complain: (line: string) => void;
  /** Set by the command that ran. */
  exitCode: number;
}
