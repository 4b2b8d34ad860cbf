import type { MakeDecoder } from '../../src/core/quick-decoder.ts';

/**
 * Stands where the build puts the decoder that it generates from the schema of a function's pipeline: `#decoder` is an
 * alias that esbuild resolves to it. Without it all events take the reference path.
 */
const missing: MakeDecoder | undefined = undefined;

export default missing;
