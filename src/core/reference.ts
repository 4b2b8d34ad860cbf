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
  /** Later versions of the file, in the order of their times. */
  readonly versions: readonly ReferenceVersion[];
  /** Only in types. */
  readonly Row?: Row;
}

/** A later version of reference data. */
export interface ReferenceVersion {
  /**
   * Records that arrive at the stream from this time on are enriched from it: ISO 8601 with a zone. It has
   * to be later than the deployment that brings the version, by some minutes.
   */
  readonly from: string;
  readonly file: string;
}

/** The rows of one version, and the arrival from which it is effective, milliseconds since 1970 UTC. */
export interface VersionRows {
  /** 0 for the first version. */
  readonly fromMs: number;
  readonly rows: readonly unknown[];
}

/** Every version's rows by the reference's name, in the order of their times. */
export type ReferenceRows = ReadonlyMap<string, readonly VersionRows[]>;

/** Options of `reference`. */
export interface ReferenceOptions<S extends Schema> {
  /** Letters, digits and dashes, starting with a letter. */
  readonly name: string;
  readonly file: string;
  /** The column whose values name the rows. */
  readonly key: keyof OutputOf<S> & string;
  readonly schema: S;
  /** Later versions, at most 20; a version stays listed as long as a record of its time can come again. */
  readonly versions?: readonly ReferenceVersion[];
}

/** Most rows of one reference, all versions together; they are held in the function's memory. */
export const REFERENCE_ROWS_MAX = 1_000_000;

const VERSIONS_MAX = 20;

/**
 * Declares reference data that events are enriched from. The build puts its rows beside the function.
 *
 * @example
 * const airports = reference({ name: 'airports', file: 'airports.csv', key: 'iata', schema: Airport });
 * @throws DefinitionError
 */
export function reference<S extends Schema>(options: ReferenceOptions<S>): Reference<OutputOf<S>> {
  const { name, file, key, schema, versions = [] } = options;
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
  checkVersions(`reference.${name}.versions`, versions);
  return Object.freeze({ type: 'reference' as const, name, file, key, schema, versions });
}

function checkVersions(path: string, versions: readonly ReferenceVersion[]): void {
  if (!Array.isArray(versions) || versions.length > VERSIONS_MAX) {
    throw new DefinitionError(path, versions, `a list of at most ${VERSIONS_MAX} versions`);
  }
  let beforeMs = 0;
  for (const [number, { from, file }] of versions.entries()) {
    const fromMs = fromOf(`${path}[${number}].from`, from);
    if (fromMs <= beforeMs) {
      throw new DefinitionError(`${path}[${number}].from`, from, 'later than the version before');
    }
    if (typeof file !== 'string' || !/\.(csv|json)$/.test(file)) {
      throw new DefinitionError(`${path}[${number}].file`, file, 'a .csv or .json file');
    }
    beforeMs = fromMs;
  }
}

/** When a version takes effect, milliseconds since 1970 UTC. @throws DefinitionError */
export function fromOf(path: string, from: unknown): number {
  const zoned = typeof from === 'string' && /T.*(Z|[+-]\d\d:\d\d)$/.test(from);
  const fromMs = zoned ? Date.parse(from) : Number.NaN;
  if (fromMs > 0) return fromMs;
  throw new DefinitionError(path, from, "a time with its zone, such as '2026-12-01T00:00:00Z'");
}

/** The version that a record of this arrival is enriched from. */
export function effectiveVersion(
  versions: readonly VersionRows[],
  arrivalMs: number,
): VersionRows | undefined {
  return versions.findLast(({ fromMs }) => fromMs <= arrivalMs) ?? versions[0];
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
