import { durationMs } from '../duration.ts';
import { DefinitionError } from '../errors.ts';
import { checkOptions, nameRule } from './check.ts';
import type {
  ColumnDefinition,
  ColumnKind,
  Columns,
  Scope,
  WindowDefinition,
  Windows,
} from './types.ts';

/** The vocabulary that `windows` is given. */
export function makeScope<T>(path: string): Scope<T> {
  const scope: Scope<unknown> = {
    tumbling: (size, options) => {
      checkOptions(`${path}: options of tumbling`, options, [
        'by',
        'keep',
        'lateness',
        'retention',
      ]);
      const by: unknown = options.by ?? [];
      return {
        type: 'tumbling',
        size,
        by: (Array.isArray(by) ? by : [by]) as string[],
        keep: options.keep,
        ...(options.lateness === undefined ? {} : { lateness: options.lateness }),
        ...(options.retention === undefined ? {} : { retention: options.retention }),
      };
    },
    count: (where) => column('count', where),
    sum: (of) => column('sum', of),
    mean: (of) => column('mean', of),
    min: (of) => column('min', of),
    max: (of) => column('max', of),
    use: (accumulator, of) => ({ ...column('use', of), accumulator: accumulator as never }),
  };
  return scope as Scope<T>;
}

function column<Result>(kind: ColumnKind, of: unknown): ColumnDefinition<Result> {
  return { kind, of: of as ColumnDefinition['of'] };
}

const HOUR_MS = 3_600_000;

/** Checks windows that JavaScript users, or casts, can have got wrong. @throws DefinitionError */
export function checkWindows(path: string, windows: unknown): asserts windows is Windows {
  if (typeof windows !== 'object' || windows === null || Object.keys(windows).length === 0) {
    throw new DefinitionError(path, windows, 'an object with at least one window');
  }
  for (const [name, window] of Object.entries(windows)) {
    nameRule(`${path}.${name}`, name);
    checkWindow(`${path}.${name}`, window);
  }
}

function checkWindow(path: string, window: WindowDefinition): void {
  if (window?.type !== 'tumbling')
    throw new DefinitionError(path, window, 'tumbling(size, { ... })');
  durationMs(path, window.size, { minMs: 1_000, maxMs: 31 * 24 * HOUR_MS });
  if (window.lateness !== undefined) durationMs(`${path}.lateness`, window.lateness);
  if (window.retention !== undefined) durationMs(`${path}.retention`, window.retention);
  if (!window.by.every((field) => typeof field === 'string' && field !== '')) {
    throw new DefinitionError(`${path}.by`, window.by, 'a field or a list of fields');
  }
  checkColumns(`${path}.keep`, window.keep);
}

function checkColumns(path: string, keep: Columns): void {
  if (typeof keep !== 'object' || keep === null || Object.keys(keep).length === 0) {
    throw new DefinitionError(path, keep, 'an object with at least one column, such as count()');
  }
  for (const [name, column] of Object.entries(keep)) {
    nameRule(`${path}.${name}`, name);
    const given = typeof column?.of;
    const needed = column?.kind === 'count' ? ['undefined', 'function'] : ['string', 'function'];
    if (typeof column?.kind !== 'string' || !needed.includes(given)) {
      throw new DefinitionError(
        `${path}.${name}`,
        column,
        'a column, such as count() or sum(field)',
      );
    }
  }
}
