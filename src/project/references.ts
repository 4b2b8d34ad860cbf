import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { DefinitionError } from '../core/errors.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import {
  fromOf,
  indexReference,
  REFERENCE_ROWS_MAX,
  type Reference,
  type ReferenceRows,
  type VersionRows,
} from '../core/reference.ts';

/**
 * Reads the rows of the references that a pipeline's steps name, every version, and checks them.
 *
 * @param directory the pipeline's folder, to which the files are relative
 * @throws DefinitionError naming the reference, its file and what is wrong
 */
export function readReferences(pipeline: AnyPipeline, directory: string): ReferenceRows {
  const references = new Map<string, Reference>();
  for (const step of pipeline.steps) {
    if (step.op === 'enrich') references.set(step.from.name, step.from);
  }
  const rows = [...references.values()].map(
    (one) => [one.name, readVersions(one, directory)] as const,
  );
  return new Map(rows);
}

function readVersions(reference: Reference, directory: string): readonly VersionRows[] {
  const read = (fromMs: number, file: string) => ({
    fromMs,
    rows: readRows(reference, path.resolve(directory, file)),
  });
  const name = `reference.${reference.name}`;
  const versions = [
    read(0, reference.file),
    ...reference.versions.map(({ from, file }) => read(fromOf(`${name}.from`, from), file)),
  ];
  const count = versions.reduce((sum, { rows }) => sum + rows.length, 0);
  if (count <= REFERENCE_ROWS_MAX) return versions;
  throw new DefinitionError(name, `${count} rows`, `at most ${REFERENCE_ROWS_MAX} in all versions`);
}

function readRows(reference: Reference, file: string): readonly unknown[] {
  if (!existsSync(file)) {
    throw new DefinitionError(`reference.${reference.name}.file`, file, 'a file that exists');
  }
  const rows = parsed(reference, file);
  if (!Array.isArray(rows)) {
    throw new DefinitionError(`reference.${reference.name}.file`, file, 'a JSON array of objects');
  }
  indexReference(reference, rows);
  return rows;
}

function parsed(reference: Reference, file: string): unknown {
  const text = readFileSync(file, 'utf8');
  try {
    return file.endsWith('.csv') ? parse(text, { columns: true, bom: true }) : JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DefinitionError(
      `reference.${reference.name}.file`,
      file,
      `a file to be read: ${why}`,
      {
        cause: error,
      },
    );
  }
}
