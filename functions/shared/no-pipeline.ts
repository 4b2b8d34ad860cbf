import type { AnyPipeline } from '#millrace';
import { MillraceError } from '../../src/core/errors.ts';

/**
 * Stands where the build puts the one pipeline of a function: `#pipeline` is an alias that esbuild
 * resolves to the pipeline's file. Type-checking sees this module instead.
 */
const missing: AnyPipeline = unbundled();

export default missing;

function unbundled(): never {
  throw new MillraceError(
    'unbundled',
    "'#pipeline' was imported without a pipeline: bundle the function with --alias:#pipeline=FILE, as lib/ does",
  );
}
