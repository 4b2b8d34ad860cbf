import { DefinitionError } from '../errors.ts';
import type { Reference } from '../reference.ts';
import type { Chain, EnrichOptions, Step } from './types.ts';

const steps = new WeakMap<object, readonly Step[]>();

/** A chain that records its steps. Each call gives a new chain; none changes. */
export function startChain<T>(path: string): Chain<T> {
  return chainOf(path, []) as Chain<T>;
}

/** The steps that a chain recorded. @throws DefinitionError when it isn't a chain */
export function stepsOf(path: string, chain: unknown): readonly Step[] {
  const recorded = typeof chain === 'object' && chain !== null ? steps.get(chain) : undefined;
  if (recorded !== undefined) return recorded;
  throw new DefinitionError(path, chain, 'the chain that it was given, with steps added');
}

function chainOf(path: string, recorded: readonly Step[]): Chain<unknown> {
  const then = (step: Step): Chain<never> => chainOf(path, [...recorded, step]) as Chain<never>;
  const at = `${path}[${recorded.length}]`;
  const chain: Chain<unknown> = {
    map: (run) => then({ op: 'map', run: checkRun(at, 'map', run) }),
    filter: (run) => then({ op: 'filter', run: checkRun(at, 'filter', run) }) as Chain<unknown>,
    flatMap: (run) => then({ op: 'flatMap', run: checkRun(at, 'flatMap', run) }),
    enrich: (as, from, options) => then(enrichStep(at, as, { from, options })),
  };
  steps.set(chain, recorded);
  return chain;
}

function checkRun(at: string, op: string, run: unknown): (row: never) => unknown {
  if (typeof run === 'function') return run as (row: never) => unknown;
  throw new DefinitionError(`${at}.${op}`, run, 'a function of the row');
}

function enrichStep(
  at: string,
  as: unknown,
  given: { readonly from: Reference; readonly options: EnrichOptions<unknown, unknown> },
): Step {
  const { from, options } = given;
  const missing = options?.missing ?? 'quarantine';
  if (typeof as !== 'string' || as === '') {
    throw new DefinitionError(`${at}.enrich`, as, 'the name of the new field');
  }
  if (from?.type !== 'reference') {
    throw new DefinitionError(`${at}.enrich.${as}`, from, 'a value of reference({ ... })');
  }
  if (typeof options?.on !== 'string') {
    throw new DefinitionError(`${at}.enrich.${as}.on`, options?.on, 'the name of a field');
  }
  if (missing !== 'null' && missing !== 'quarantine') {
    throw new DefinitionError(`${at}.enrich.${as}.missing`, missing, "'null' or 'quarantine'");
  }
  return { op: 'enrich', as, from, on: options.on, missing };
}
