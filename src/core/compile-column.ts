import type { Accumulator } from './accumulator.ts';
import { count, max, mean, min, sum } from './accumulators/numbers.ts';
import { reader, TransformError } from './compile-field.ts';
import { DefinitionError } from './errors.ts';
import type { ColumnDefinition } from './pipeline/types.ts';
import type { Column } from './program.ts';

const ACCUMULATORS = { count, sum, mean, min, max } as const;

type AnyAccumulator = Accumulator<unknown, unknown, unknown>;

/** A column ready to run. @throws DefinitionError */
export function compileColumn(path: string, name: string, definition: ColumnDefinition): Column {
  const { kind, of } = definition;
  if (kind === 'use') {
    const accumulator = definition.accumulator as AnyAccumulator | undefined;
    if (accumulator === undefined)
      throw new DefinitionError(path, definition, 'use(accumulator, field)');
    const read = reader(path, of ?? '');
    return { name, accumulator, inputOf: (row) => read(row) ?? null };
  }
  const accumulator = ACCUMULATORS[kind]() as AnyAccumulator;
  if (of === undefined) return { name, accumulator, inputOf: () => true };
  const read = reader(path, of);
  if (kind === 'count')
    return { name, accumulator, inputOf: (row) => (read(row) === true ? true : null) };
  return { name, accumulator, inputOf: (row) => numberIn(path, read(row)) };
}

function numberIn(path: string, value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TransformError(path, value, 'a finite number or null');
}
