import { ENV } from '../../src/core/contract.ts';
import { DefinitionError } from '../../src/core/errors.ts';

/** One of the variables that the stacks set. */
export type EnvName = keyof typeof ENV;

/**
 * Reads variables that the stacks set.
 *
 * @throws DefinitionError naming the variable that is missing
 */
export function readEnv<Name extends EnvName>(
  names: readonly Name[],
): Readonly<Record<Name, string>> {
  const values = names.map((name) => {
    const value = process.env[ENV[name]];
    if (value !== undefined && value !== '') return [name, value];
    throw new DefinitionError(
      `environment variable ${ENV[name]}`,
      value,
      'the value that the compute stack sets',
    );
  });
  return Object.fromEntries(values);
}

/** The region that Lambda sets. @throws DefinitionError */
export function readRegion(): string {
  const { AWS_REGION } = process.env;
  if (AWS_REGION !== undefined && AWS_REGION !== '') return AWS_REGION;
  throw new DefinitionError('environment variable AWS_REGION', AWS_REGION, 'what Lambda sets');
}

/** The id of the trace that the invocation belongs to, as Lambda sets it anew for each one. */
export function readTraceId(): string | undefined {
  return /Root=([^;]+)/.exec(process.env._X_AMZN_TRACE_ID ?? '')?.[1];
}
