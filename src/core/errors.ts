/** Machine-readable facts about an error: names, values and limits, never personal data. */
export type ErrorFields = Readonly<Record<string, unknown>>;

/**
 * The base of every error that Millrace throws.
 *
 * `code` is stable and meant for machines, `message` says what happened, what was got, what is
 * allowed and what to do next.
 */
export class MillraceError extends Error {
  override readonly name: string = 'MillraceError';
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; fields?: ErrorFields } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

/** A pipeline file, or the configuration of an environment, says something that is not allowed. */
export class DefinitionError extends MillraceError {
  override readonly name = 'DefinitionError';

  /** @param path where it stands, such as `flights.windows.origins.keep.delay` */
  constructor(path: string, got: unknown, expected: string, options: { cause?: unknown } = {}) {
    super('definition', `${path}: got ${show(got)}, expected ${expected}`, {
      ...options,
      fields: { path, expected },
    });
  }
}

/** A service refused or did not answer, and the same call may go through later. */
export class TransientError extends MillraceError {
  override readonly name = 'TransientError';

  constructor(message: string, options: { cause?: unknown; fields?: ErrorFields } = {}) {
    super('transient', message, options);
  }
}

/** The invocation's deadline has passed, so nothing more is sent (exactly-once rule 9). */
export class DeadlineError extends MillraceError {
  override readonly name = 'DeadlineError';

  constructor(operation: string) {
    super(
      'deadline',
      `${operation}: not sent, the invocation's deadline has passed; the records come again`,
    );
  }
}

/** The state that was read contradicts the protocol; going on could count something twice. */
export class InvariantError extends MillraceError {
  override readonly name = 'InvariantError';

  constructor(message: string, options: { cause?: unknown; fields?: ErrorFields } = {}) {
    super('invariant', message, options);
  }
}

/** Renders a value for a message, at most 80 characters long. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : render(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function render(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
