import { type Duration, durationMs } from '../duration.ts';
import { DefinitionError } from '../errors.ts';
import { checkOptions, nameRule } from './check.ts';
import type { Columns } from './column-types.ts';
import { checkColumns, makeColumnScope } from './columns.ts';
import type { Scope, WindowDefinition, WindowOptions, Windows } from './types.ts';

/** The vocabulary that `windows` is given. */
export function makeScope<T>(path: string): Scope<T> {
  const scope: Scope<unknown> = {
    tumbling: (size, options) => windowOf(path, 'tumbling', { size, options }),
    hopping: (size, options) => ({
      ...windowOf(path, 'hopping', { size, options }),
      every: options.every,
    }),
    session: (gap, options) => ({
      ...windowOf(path, 'session', { size: options?.max, options }),
      gap,
    }),
    ...makeColumnScope(path),
  };
  return scope as Scope<T>;
}

const OPTIONS = ['by', 'keep', 'where', 'lateness', 'retention', 'groups'] as const;
const OPTIONS_OF = {
  tumbling: OPTIONS,
  hopping: [...OPTIONS, 'every'],
  session: [...OPTIONS, 'max'],
};

/** Types alone tell group and result; the data is the same. */
function windowOf(
  path: string,
  type: WindowDefinition['type'],
  { size, options }: { readonly size: Duration; readonly options: WindowOptions<unknown, Columns> },
): WindowDefinition<never, never> {
  checkOptions(`${path}: options of ${type}`, options, OPTIONS_OF[type]);
  const { by = [], keep, where, lateness, retention, groups } = options;
  return {
    type,
    size,
    by: (Array.isArray(by) ? by : [by]) as string[],
    keep,
    ...(where === undefined ? {} : { where }),
    ...(lateness === undefined ? {} : { lateness }),
    ...(retention === undefined ? {} : { retention }),
    ...(groups === undefined ? {} : { groups }),
  };
}

const HOUR_MS = 3_600_000;

/**
 * Checks windows that JavaScript users, or casts, can have got wrong.
 *
 * @param least how many there are at least: a pipeline that feeds others needs none of its own
 * @throws DefinitionError
 */
export function checkWindows(
  path: string,
  windows: unknown,
  least: number,
): asserts windows is Windows {
  if (typeof windows !== 'object' || windows === null || Object.keys(windows).length < least) {
    throw new DefinitionError(path, windows, 'an object with at least one window');
  }
  for (const [name, window] of Object.entries(windows)) {
    nameRule(`${path}.${name}`, name);
    checkWindow(`${path}.${name}`, window);
  }
}

/** Windows that one event may count in. */
const HOPS_MAX = 100;

/** Sessions of a group within one slot, at most. */
const SESSIONS_MAX = 500;

const GROUPS_MAX = 100_000_000;

function checkWindow(path: string, window: WindowDefinition): void {
  if (!['tumbling', 'hopping', 'session'].includes(window?.type)) {
    throw new DefinitionError(path, window, 'tumbling(…), hopping(…) or session(…)');
  }
  const sizeMs = durationMs(window.type === 'session' ? `${path}.max` : path, window.size, {
    minMs: 1_000,
    maxMs: 31 * 24 * HOUR_MS,
  });
  if (window.type === 'hopping') checkHops(path, window, sizeMs);
  if (window.type === 'session') checkGap(path, window, sizeMs);
  if (window.lateness !== undefined) durationMs(`${path}.lateness`, window.lateness);
  if (window.retention !== undefined) durationMs(`${path}.retention`, window.retention);
  if (window.where !== undefined && typeof window.where !== 'function') {
    throw new DefinitionError(`${path}.where`, window.where, 'a function of the row');
  }
  checkGroups(path, window);
  checkColumns(`${path}.keep`, window.keep);
}

function checkGroups(path: string, { by, groups }: WindowDefinition): void {
  if (!by.every((field) => typeof field === 'string' && field !== '')) {
    throw new DefinitionError(`${path}.by`, by, 'a field or a list of fields');
  }
  if (groups === undefined) return;
  if (Number.isInteger(groups) && groups >= 1 && groups <= GROUPS_MAX) return;
  throw new DefinitionError(
    `${path}.groups`,
    groups,
    `a whole number from 1 to ${GROUPS_MAX}: the groups that one window is expected to have`,
  );
}

function checkHops(path: string, { size, every }: WindowDefinition, sizeMs: number): void {
  const everyMs = durationMs(`${path}.every`, every, { minMs: 1_000, maxMs: sizeMs });
  if (sizeMs % everyMs === 0 && sizeMs / everyMs <= HOPS_MAX) return;
  throw new DefinitionError(
    `${path}.every`,
    every,
    `a divisor of the size, '${size}', that fits into it at most ${HOPS_MAX} times`,
  );
}

function checkGap(path: string, { gap }: WindowDefinition, maxMs: number): void {
  durationMs(`${path}.gap`, gap, { minMs: Math.max(1_000, maxMs / SESSIONS_MAX), maxMs });
}
