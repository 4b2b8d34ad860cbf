import { DefinitionError } from '../errors.ts';

/**
 * Refuses options that don't exist, naming the nearest that does.
 *
 * @throws DefinitionError
 */
export function checkOptions(path: string, options: unknown, allowed: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new DefinitionError(path, options, `an object with ${allowed.join(', ')}`);
  }
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue;
    const near = nearest(name, allowed);
    const hint =
      near === undefined
        ? `one of ${allowed.join(', ')}`
        : `${near}, or one of ${allowed.join(', ')}`;
    throw new DefinitionError(`${path}.${name}`, name, hint);
  }
}

/** Names of windows and columns become keys and metrics: letters and digits. @throws DefinitionError */
export function nameRule(path: string, name: string): void {
  if (/^[a-z][a-z0-9]{0,39}$/i.test(name)) return;
  throw new DefinitionError(path, name, 'a name of up to 40 letters and digits, a letter first');
}

/** The allowed name that needs at most two edits, or undefined. */
export function nearest(name: string, allowed: readonly string[]): string | undefined {
  const distances = allowed.map((other) => ({ other, edits: editDistance(name, other) }));
  const [best] = distances.sort((left, right) => left.edits - right.edits);
  return best !== undefined && best.edits <= 2 ? best.other : undefined;
}

/** Levenshtein's distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, char] of [...left].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...right].entries()) {
      const replaced = (previous[column] ?? 0) + (char === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
