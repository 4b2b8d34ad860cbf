import { DefinitionError } from './errors.ts';
import { isSchema, type OutputOf, type Schema, validateWith } from './schema.ts';

/** Reference data of a pipeline: rows of a file, found by one column. */
export interface Reference<Row = unknown> {
  readonly type: 'reference';
  readonly name: string;
  /** Relative to the pipeline's folder; .csv with a header line, or .json with an array of objects. */
  readonly file: string;
  readonly key: string;
  readonly schema: Schema;
  /** Only in types. */
  readonly Row?: Row;
}

/** Options of `reference`. */
export interface ReferenceOptions<S extends Schema> {
  /** Letters, digits and dashes, starting with a letter. */
  readonly name: string;
  readonly file: string;
  /** The column whose values name the rows. */
  readonly key: keyof OutputOf<S> & string;
  readonly schema: S;
}

/** Most rows of one reference; it is held in the function's memory. */
export const REFERENCE_ROWS_MAX = 1_000_000;

/**
 * Declares reference data that events are enriched from. The build puts its rows beside the function.
 *
 * @example
 * const airports = reference({ name: 'airports', file: 'airports.csv', key: 'iata', schema: Airport });
 * @throws DefinitionError
 */
export function reference<S extends Schema>(options: ReferenceOptions<S>): Reference<OutputOf<S>> {
  const { name, file, key, schema } = options;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,62}$/i.test(name)) {
    throw new DefinitionError('reference.name', name, 'letters, digits and dashes, a letter first');
  }
  if (typeof file !== 'string' || !/\.(csv|json)$/.test(file)) {
    throw new DefinitionError(`reference.${name}.file`, file, 'a .csv or .json file');
  }
  if (typeof key !== 'string' || key === '') {
    throw new DefinitionError(`reference.${name}.key`, key, 'the name of a column');
  }
  if (!isSchema(schema)) {
    throw new DefinitionError(`reference.${name}.schema`, schema, 'a Standard Schema');
  }
  return Object.freeze({ type: 'reference' as const, name, file, key, schema });
}

/** The rows of a reference by their key; each row is checked. @throws DefinitionError */
export function indexReference(
  from: Reference,
  rows: readonly unknown[],
): ReadonlyMap<string, unknown> {
  const path = `reference.${from.name}`;
  if (rows.length > REFERENCE_ROWS_MAX) {
    throw new DefinitionError(path, `${rows.length} rows`, `at most ${REFERENCE_ROWS_MAX}`);
  }
  const index = new Map<string, unknown>();
  for (const [number, row] of rows.entries()) {
    const validation = validateWith(`${path}.schema`, from.schema, row);
    if (!validation.ok) {
      const [issue] = validation.issues;
      throw new DefinitionError(
        `${path}, row ${number}, ${issue?.path}`,
        row,
        issue?.message ?? 'a row that fits',
      );
    }
    const key: unknown = Reflect.get(Object(validation.event), from.key);
    if (typeof key !== 'string' || index.has(key)) {
      throw new DefinitionError(
        `${path}, row ${number}, ${from.key}`,
        key,
        'a text that no other row has',
      );
    }
    index.set(key, validation.event);
  }
  return index;
}
