import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import type { ReferenceRows } from '../core/compile.ts';
import { DefinitionError } from '../core/errors.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import { indexReference, type Reference } from '../core/reference.ts';

/**
 * Reads the rows of the references that a pipeline's steps name, and checks them.
 *
 * @param directory the pipeline's folder, to which the files are relative
 * @throws DefinitionError naming the reference, its file and what is wrong
 */
export function readReferences(pipeline: AnyPipeline, directory: string): ReferenceRows {
  const references = new Map<string, Reference>();
  for (const step of pipeline.steps) {
    if (step.op === 'enrich') references.set(step.from.name, step.from);
  }
  const rows = [...references.values()].map((one) => [one.name, readRows(one, directory)] as const);
  return new Map(rows);
}

function readRows(reference: Reference, directory: string): readonly unknown[] {
  const file = path.resolve(directory, reference.file);
  if (!existsSync(file)) {
    throw new DefinitionError(`reference.${reference.name}.file`, file, 'a file that exists');
  }
  const text = readFileSync(file, 'utf8');
  const rows: unknown = file.endsWith('.csv')
    ? parse(text, { columns: true, bom: true })
    : JSON.parse(text);
  if (!Array.isArray(rows)) {
    throw new DefinitionError(`reference.${reference.name}.file`, file, 'a JSON array of objects');
  }
  indexReference(reference, rows);
  return rows;
}
