import { keyIn, reader, TransformError } from './compile-field.ts';
import type { OutputDefinition } from './pipeline/output-types.ts';
import type { Output } from './program.ts';

/** An output ready to run. `path` is where it stands, such as `flights.outputs.late`. */
export function compileOutput(path: string, name: string, definition: OutputDefinition): Output {
  const { to, key } = definition;
  const where = definition.where as ((row: unknown) => unknown) | undefined;
  const event = definition.event as (row: unknown) => unknown;
  const read = reader(`${path}.key`, key);
  return {
    name,
    to,
    takes: where === undefined ? () => true : (row) => where(row) === true,
    keyOf: (row) => keyIn(`${path}.key`, read(row)),
    dataOf: (row) => jsonIn(`${path}.event`, event(row)),
  };
}

function jsonIn(path: string, data: unknown): string {
  if (typeof data !== 'object' || data === null || data instanceof Promise) {
    throw new TransformError(path, data, 'an object');
  }
  return JSON.stringify(data);
}
