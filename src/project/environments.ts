import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DefinitionError } from '../core/errors.ts';

/**
 * The environments of `root`/millrace.config.ts by their names, as that file types them.
 *
 * @throws DefinitionError when its default export is none
 */
export async function loadEnvironments<Environment>(
  root: string,
): Promise<ReadonlyMap<string, Environment>> {
  const file = path.join(root, 'millrace.config.ts');
  const found: unknown = (await import(pathToFileURL(file).href)).default;
  if (typeof found !== 'object' || found === null) {
    throw new DefinitionError('millrace.config.ts', found, 'export default { dev, prod, … }');
  }
  return new Map(Object.entries(found));
}
