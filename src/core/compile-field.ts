import { MillraceError, show } from './errors.ts';

/** A function of the pipeline gave something that can't be used; the record is quarantined. */
export class TransformError extends MillraceError {
  override readonly name = 'TransformError';

  constructor(path: string, got: unknown, expected: string) {
    super('transform', `${path}: got ${kindOf(got)}, expected ${expected}`, { fields: { path } });
  }
}

/** What a pipeline names by a field or a function, as a function of a row or an event. */
export function reader(
  path: string,
  of: string | ((event: never) => unknown),
): (row: unknown) => unknown {
  if (typeof of === 'function') return of as (row: unknown) => unknown;
  return (row) => {
    if (typeof row !== 'object' || row === null) throw new TransformError(path, row, 'an object');
    return Reflect.get(row, of);
  };
}

/** A key as text. @throws TransformError when it is neither a text nor a finite number */
export function keyIn(path: string, key: unknown): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'number' && Number.isFinite(key)) return String(key);
  throw new TransformError(path, key, 'a text or a finite number');
}

/** What it was, without its content: quarantine messages hold no data of the event. */
function kindOf(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value === null || value === undefined) return show(value);
  return value instanceof Date ? 'a Date' : `a ${typeof value}`;
}
