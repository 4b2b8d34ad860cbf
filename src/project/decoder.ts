import type { MakeDecoder } from '../core/quick-decoder.ts';
import { type GeneratedDecoder, generateDecoder } from '../generate/decoder.ts';

/** A generated decoder, loaded: what runs here is the module that the build bundles. */
export interface LoadedDecoder extends GeneratedDecoder {
  readonly make: MakeDecoder;
}

/** Generates the decoder of a pipeline's schema and loads the module. */
export async function loadDecoder(
  pipeline: Parameters<typeof generateDecoder>[0],
): Promise<LoadedDecoder> {
  const generated = generateDecoder(pipeline);
  const url = `data:text/javascript,${encodeURIComponent(generated.source)}`;
  const module: { readonly default: MakeDecoder } = await import(url);
  return { ...generated, make: module.default };
}
