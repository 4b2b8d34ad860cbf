import { DefinitionError } from '../../src/core/errors.ts';
import type { EnvironmentConfig } from './environment.ts';

/**
 * The environment of a name; `dev` when none is given.
 *
 * @throws DefinitionError naming the environments that there are
 */
export function findEnvironment(
  environments: Readonly<Record<string, EnvironmentConfig>>,
  name: unknown = 'dev',
): EnvironmentConfig {
  const found =
    typeof name === 'string' && Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(environments).join(', ');
  throw new DefinitionError('-c env', name, `one of ${names} (millrace.config.ts)`);
}
